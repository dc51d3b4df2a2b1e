// The map: move, zoom, hover, choose an area or a colour. What is chosen goes to the page as a few numbers.

const NONE = 65535;
const GREY = [138, 143, 152];
const CLICK_PX = 4; // a shorter drag is a click
const HOVER_PX = 9;
const [BRIGHT, DIM] = [215, 26]; // opacity of points, of 255
const MODES = { move: "✥ Move", box: "⬚ Box", lasso: "◌ Lasso" };
const HINT = "Drag to move, wheel to zoom once the map is clicked, shift and drag to draw round points. Keys: m, b, l, arrows, + −, 0, Escape.";

class MapView {
  constructor(root) {
    this.mode = "move";
    this.corners = []; // of the area being drawn, in parts of the map
    this.hovered = -1;
    this.touches = new Map(); // pointer id -> [left, top]
    this._build(root);
    this.scatter = new Scatter(this.canvas);
    this.watch = new ResizeObserver(() => this._resize());
    this.watch.observe(this.stage);
    this._listen();
  }

  close() {
    this.watch.disconnect();
    this.scatter.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  async update(data, tell) {
    this.tell = tell;
    const before = this.data;
    this.data = data;
    if (before?.base !== data.base || before?.places !== data.places) {
      this.say("fetching the points …");
      this.points = null;
      const points = new Points(data.base);
      await points.load(data.places);
      if (this.data.base !== data.base || this.data.places !== data.places) return; // another run was chosen meanwhile
      this.scatter.setPlaces(points.places);
      this.order = shuffled(points.count);
      this.points = points;
    } else if (!this.points) return;
    const wanted = ["label", "said", "person", data.by];
    const columns = await Promise.all(wanted.map((name) => this.points.column(name, data.columns)));
    if (this.data !== data) return;
    [this.label, this.said, this.person, this.codes] = columns;
    this.inside = this.points.inside(data.area);
    this._legend();
    this._colour();
    this.ask();
  }

  // Draw with the next frame, once.
  ask() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      if (!this.points || !this.codes) return;
      this.scatter.draw();
      this._drawOver();
    });
  }

  say(text) {
    this.status.textContent = text;
  }

  choose(change) {
    const { area, focus } = { area: this.data.area, focus: this.data.focus, ...change };
    this.data = { ...this.data, area, focus };
    this.inside = this.points.inside(area);
    this._legend();
    this._colour();
    this.ask();
    this.tell({ area, focus });
  }

  is(point) {
    return (!this.inside || this.inside[point]) && (this.data.focus < 0 || this.codes[point] === this.data.focus);
  }

  setMode(mode) {
    this.mode = mode;
    this.stage.dataset.mode = mode;
    for (const [name, button] of Object.entries(this.modes)) button.setAttribute("aria-pressed", String(name === mode));
  }

  press(key) {
    const step = 60;
    const [middle, centre] = [this.scatter.width / 2, this.scatter.height / 2];
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[key]) this.scatter.pan(...moves[key]);
    else if (key === "+" || key === "=") this.scatter.zoomAt(1.4, middle, centre);
    else if (key === "-") this.scatter.zoomAt(1 / 1.4, middle, centre);
    else if (key === "0") this.scatter.reset();
    else if (key === "Escape") this.choose({ area: "", focus: -1 });
    else if (key === "m" || key === "b" || key === "l") this.setMode({ m: "move", b: "box", l: "lasso" }[key]);
    else return false;
    this.hover(-1);
    this.ask();
    return true;
  }

  hover(point, at) {
    const changed = point !== this.hovered;
    this.hovered = point;
    this.tip.hidden = point < 0;
    if (point >= 0) {
      if (changed) this._fillTip(point);
      const right = at[0] > this.scatter.width / 2;
      this.tip.style.left = `${right ? at[0] - 14 : at[0] + 14}px`;
      this.tip.style.top = `${Math.min(Math.max(at[1], 110), this.scatter.height - 110)}px`;
      this.tip.style.transform = `translate(${right ? "-100%" : "0"}, -50%)`;
    }
    if (changed) this.ask();
  }

  _fillTip(point) {
    const id = this.points.ids[point];
    const classes = this.data.classes;
    const [label, said] = [this.label[point], this.said[point]];
    const lines = [label === NONE ? "evaluation photo" : classes[label]];
    if (said !== NONE && said !== label) lines.push(`said: ${classes[said]}`);
    const value = this.data.legend[this.codes[point]]?.name;
    if (value && !lines.includes(value)) lines.push(`${this.data.by}: ${value}`);
    const photo = make("img", { src: photoUrl(id), alt: "" });
    this.tip.replaceChildren(photo, ...lines.map((line) => make("div", {}, line)), make("div", { className: "id" }, id));
  }

  _colour() {
    const { count } = this.points;
    const { legend, many } = this.data;
    const palette = legend.map((entry) => rgb(entry.colour));
    const colours = new Uint8Array(4 * count);
    const order = new Uint32Array(count);
    let [chosen, low, high] = [0, 0, count];
    for (const point of this.order) {
      const code = this.codes[point];
      const shade = code === NONE ? GREY : many ? wheel(code) : palette[code] ?? GREY;
      const bright = this.is(point);
      colours.set(shade, 4 * point);
      colours[4 * point + 3] = bright ? BRIGHT : DIM;
      if (bright) chosen += 1;
      order[bright ? (high -= 1) : low++] = point;
    }
    this.scatter.setColours(colours, order);
    const all = count.toLocaleString("en");
    this.say(chosen === count ? `${all} photos` : `${chosen.toLocaleString("en")} of ${all} photos chosen`);
    this.clear.disabled = chosen === count && !this.data.area && this.data.focus < 0;
  }

  // Rings round the hovered point and its person's others, and the border of the area.
  _drawOver() {
    const { over, scatter } = this;
    const pen = over.getContext("2d");
    pen.setTransform(scatter.density, 0, 0, scatter.density, 0, 0);
    pen.clearRect(0, 0, scatter.width, scatter.height);
    const style = getComputedStyle(this.stage);
    pen.strokeStyle = style.color;
    if (this.hovered >= 0) {
      const person = this.person[this.hovered];
      for (let point = 0; point < this.points.count; point += 1) {
        if (point !== this.hovered && (person === NONE || this.person[point] !== person)) continue;
        const [left, top] = scatter.toScreen(this.points.place(point));
        pen.lineWidth = point === this.hovered ? 3 : 1.5;
        pen.beginPath();
        pen.arc(left, top, scatter.radius + 3, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
    const corners = this.corners.length ? this.corners : cornersOf(this.data.area);
    if (corners.length > 1) {
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      for (const corner of corners) pen.lineTo(...scatter.toScreen(corner));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  _legend() {
    const { legend, many, focus } = this.data;
    if (many) {
      this.legend.replaceChildren(make("p", {}, many));
      return;
    }
    this.legend.replaceChildren(...legend.map((entry, code) => {
      const dot = make("span", { className: "dot" });
      dot.style.background = entry.colour;
      const button = make("button", { type: "button", title: "show these alone" });
      button.append(dot, make("span", {}, entry.name), make("span", { className: "count" }, entry.count.toLocaleString("en")));
      button.setAttribute("aria-pressed", String(focus === code));
      button.disabled = !entry.count;
      button.onclick = () => this.choose({ focus: focus === code ? -1 : code });
      return button;
    }));
  }

  _resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width) return;
    this.scatter.resize(width, height, devicePixelRatio);
    [this.over.width, this.over.height] = [this.canvas.width, this.canvas.height];
    this.ask();
  }
}
