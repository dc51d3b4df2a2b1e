// How the map is built of elements, and what pointers and keys do to it.

const make = (tag, properties = {}, text) => {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  return element;
};
const photoUrl = (id) => `/api/photo/256/${id.split("/").map(encodeURIComponent).join("/")}`;
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

// A colour for each of many values, neighbours far apart on the wheel.
const wheel = (code) => {
  const turn = (code * 137.508) % 360;
  const part = (shift) => {
    const k = (shift + turn / 30) % 12;
    return Math.round(255 * (0.55 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
};

// The same order each time, so that points do not jump over one another between two looks.
const shuffled = (count) => {
  const order = Uint32Array.from({ length: count }, (_, place) => place);
  let state = 1;
  for (let place = count - 1; place > 0; place -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (place + 1);
    [order[place], order[other]] = [order[other], order[place]];
  }
  return order;
};

Object.assign(MapView.prototype, {
  _build(root) {
    this.stage = make("div", { className: "stage", tabIndex: 0, role: "application" });
    this.stage.setAttribute("aria-label", "Map of photos");
    this.canvas = make("canvas", { className: "points" });
    this.over = make("canvas", { className: "over" });
    this.tip = make("div", { className: "tip", hidden: true });
    this.stage.append(this.canvas, this.over, this.tip);
    this.legend = make("div", { className: "legend" });
    this.status = make("span", { className: "status" });
    this.status.setAttribute("role", "status");
    this.modes = Object.fromEntries(Object.entries(MODES).map(([mode, words]) => {
      const button = make("button", { type: "button", onclick: () => this.setMode(mode) }, words);
      return [mode, button];
    }));
    const zoom = [["−", "-"], ["+", "+"], ["Whole map", "0"]].map(([words, key]) =>
      make("button", { type: "button", title: { "-": "smaller", "+": "larger" }[key] ?? "", onclick: () => this.press(key) }, words));
    this.clear = make("button", { type: "button", disabled: true, onclick: () => this.press("Escape") }, "Choose all");
    const tools = make("div", { className: "tools" });
    tools.append(...Object.values(this.modes), ...zoom, this.clear, this.status);
    const body = make("div", { className: "body" });
    body.append(this.stage, this.legend);
    root.replaceChildren(tools, body, make("p", { className: "hint" }, HINT));
    this.setMode("move");
  },

  _listen() {
    const { stage } = this;
    stage.onpointerdown = (event) => this._down(event);
    stage.onpointermove = (event) => this._move(event);
    stage.onpointerup = stage.onpointercancel = (event) => this._up(event);
    stage.onpointerleave = () => { if (!this.touches.size) this.hover(-1); };
    stage.addEventListener("wheel", (event) => {
      const isOurs = event.ctrlKey || stage.getRootNode().activeElement === stage; // else the page scrolls
      if (!isOurs || !this.points) return;
      event.preventDefault();
      this.hover(-1);
      this.scatter.zoomAt(Math.exp(-event.deltaY / 400), ...this._at(event));
      this.ask();
    }, { passive: false });
    stage.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.points) return;
      event.stopPropagation(); // Streamlit has keys of its own
      if (this.press(event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key)) event.preventDefault();
    };
  },

  _at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  },

  _down(event) {
    if (!this.points || event.button > 0) return;
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    const at = this._at(event);
    this.touches.set(event.pointerId, at);
    this.hover(-1);
    this.start = at;
    this.drawing = this.touches.size > 1 ? "" : event.shiftKey && this.mode === "move" ? "lasso" : this.mode === "move" ? "" : this.mode;
    this.corners = this.drawing ? [this.scatter.toMap(at)] : [];
  },

  _move(event) {
    if (!this.points || !this.codes) return;
    const at = this._at(event);
    const before = this.touches.get(event.pointerId);
    if (!before) {
      const radius = HOVER_PX / this.scatter.unit;
      this.hover(this.points.nearest(...this.scatter.toMap(at), radius, (point) => this.is(point)), at);
      return;
    }
    const other = [...this.touches].find(([id]) => id !== event.pointerId)?.[1];
    this.touches.set(event.pointerId, at);
    if (other) {
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      this.scatter.zoomAt(apart(at) / apart(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
      this.scatter.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    } else if (this.drawing === "box") {
      const [one, two] = [this.scatter.toMap(this.start), this.scatter.toMap(at)];
      this.corners = [one, [two[0], one[1]], two, [one[0], two[1]]];
    } else if (this.drawing) this.corners.push(this.scatter.toMap(at));
    else this.scatter.pan(at[0] - before[0], at[1] - before[1]);
    this.ask();
  },

  _up(event) {
    if (!this.touches.delete(event.pointerId)) return;
    const corners = this.corners;
    const [left, top] = this.start;
    const isClick = corners.every((corner) => { // a lasso may end where it began
      const at = this.scatter.toScreen(corner);
      return Math.hypot(at[0] - left, at[1] - top) < CLICK_PX;
    });
    this.corners = [];
    if (this.drawing && !isClick && corners.length > 2) this.choose({ area: areaOf(corners) });
    else if (this.drawing && isClick) this.choose({ area: "" });
    this.drawing = "";
    this.ask();
  },
});

// ---------------------------------------------------------------- what Streamlit calls
const views = new WeakMap(); // the parent element -> its view

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".map");
  if (!views.has(parentElement)) {
    try {
      views.set(parentElement, new MapView(root));
    } catch (error) {
      root.textContent = `The map cannot be drawn: ${error.message}. Choose photos on Errors or by confidence instead.`;
      return () => {};
    }
  }
  const view = views.get(parentElement);
  view.update(data, (choice) => setStateValue("choice", choice)).catch((error) => view.say(`The points did not come: ${error.message}`));
  return () => {
    view.close();
    views.delete(parentElement);
  };
}
