// The points of a map: places, ids and codes, fetched once each; which of them are near a place or inside an area.

const CELLS = 128; // the grid of the look-up, cells a side
const AREA = 10000; // areas are written in ten-thousandths of the map
const MOST_CORNERS = 64;

class Points {
  constructor(base) {
    this.base = base;
    this.count = 0;
    this.columns = new Map(); // "name version" -> promise of Uint16Array
  }

  async load(version) {
    const [places, ids] = await Promise.all([
      this._get("places", version).then((answer) => answer.arrayBuffer()),
      this._get("ids", version).then((answer) => answer.text()),
    ]);
    this.places = new Uint16Array(places); // x, y by turns; 0..65535, y upwards
    this.ids = ids.split("\n");
    this.count = this.ids.length;
    this._arrange();
  }

  // Codes of all points in one column; 65535 where a point has none.
  column(name, version) {
    const key = `${name} ${version}`;
    if (!this.columns.has(key)) {
      const asked = this._get(name, version).then(async (answer) => new Uint16Array(await answer.arrayBuffer()));
      asked.catch(() => this.columns.delete(key));
      this.columns.set(key, asked);
    }
    return this.columns.get(key);
  }

  place(point) {
    return [this.places[2 * point] / 65535, this.places[2 * point + 1] / 65535];
  }

  // The point nearest to (x, y) within the radius, all in parts of the map; -1 for none.
  nearest(x, y, radius, accepts) {
    let [best, least] = [-1, radius * radius];
    const from = [cell(x - radius), cell(y - radius)];
    const to = [cell(x + radius), cell(y + radius)];
    for (let row = from[1]; row <= to[1]; row += 1) {
      for (let column = from[0]; column <= to[0]; column += 1) {
        const at = row * CELLS + column;
        for (let place = this.starts[at]; place < this.starts[at + 1]; place += 1) {
          const point = this.sorted[place];
          const [dx, dy] = [this.places[2 * point] / 65535 - x, this.places[2 * point + 1] / 65535 - y];
          const apart = dx * dx + dy * dy;
          if (apart <= least && accepts(point)) [best, least] = [point, apart];
        }
      }
    }
    return best;
  }

  // 1 for each point inside the area (by crossings of its border), null for no area.
  inside(area) {
    const corners = cornersOf(area);
    if (corners.length < 3) return null;
    const found = new Uint8Array(this.count);
    for (let point = 0; point < this.count; point += 1) {
      const [x, y] = this.place(point);
      for (let one = 0, other = corners.length - 1; one < corners.length; other = one, one += 1) {
        const [[ax, ay], [bx, by]] = [corners[one], corners[other]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found[point] ^= 1;
      }
    }
    return found;
  }

  async _get(name, version) {
    const mark = this.base.includes("?") ? "&" : "?";
    const answer = await fetch(`${this.base.replace("{part}", name)}${mark}v=${encodeURIComponent(version)}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }

  // Points sorted by their cell of the grid; starts[c] is where cell c begins.
  _arrange() {
    const cells = Uint16Array.from({ length: this.count }, (_, point) => {
      const [x, y] = this.place(point);
      return cell(y) * CELLS + cell(x);
    });
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    for (const one of cells) this.starts[one + 1] += 1;
    for (let one = 0; one < CELLS * CELLS; one += 1) this.starts[one + 1] += this.starts[one];
    const next = this.starts.slice();
    this.sorted = new Uint32Array(this.count);
    for (let point = 0; point < this.count; point += 1) this.sorted[next[cells[point]]++] = point;
  }
}

const cell = (part) => Math.min(CELLS - 1, Math.max(0, Math.floor(part * CELLS)));

// An area as text for the address, "x-y_x-y_...", and back. A long line loses corners evenly.
const areaOf = (corners) => {
  const step = Math.max(1, Math.ceil(corners.length / MOST_CORNERS));
  const whole = (part) => Math.round(Math.min(1, Math.max(0, part)) * AREA);
  return corners.filter((_, place) => place % step === 0).map(([x, y]) => `${whole(x)}-${whole(y)}`).join("_");
};

const cornersOf = (area) =>
  (area || "").split("_").filter(Boolean).map((pair) => pair.split("-").map((part) => Number(part) / AREA));
