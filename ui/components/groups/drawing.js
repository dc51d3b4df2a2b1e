// Groups as rows of photos, the groups most alike to the one in hand, and a button for every key.

const SHOWN = 5; // rows at once
const TOOLS = [
  ["a", "confirm", "these photos are one person"], ["space", "mark", "the photo; with shift the whole group"],
  ["s", "split off", ""], ["m", "move here", ""], ["z", "large", ""], ["backspace", "undo", ""],
]; // prettier-ignore
const CAPS = { space: "space", backspace: "⌫" };

const photos = (number) => `${number} photo${number === 1 ? "" : "s"}`;

class Sheet extends Telling {
  constructor(root, { press, act }) {
    super("said");
    this.root = root;
    this.act = act;
    this.photos = new Photos();
    this.drawn = "";
    this.stage = el("div", { class: "stage rows", tabindex: 0, role: "group", "aria-label": "Groups of photos" });
    this.toolbar = el("div", { class: "toolbar", role: "toolbar", "aria-label": "Keys" });
    this.toolbar.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays with the groups
    for (const [key, name, effect] of TOOLS) this.toolbar.append(this._tool(key, name, effect, press));
    this.dialog = el("dialog", { class: "dialog zoom", "aria-label": "look closer", onclose: () => act.closed() });
    const footer = el("footer", {}, this.toolbar, this.live);
    const body = el("div", { class: "body" }, el("header", {}, this.progress, this.saves), this.alert, this.stage, footer);
    root.replaceChildren(body, this.dialog);
  }

  _tool(key, name, effect, press) {
    const words = el("span", { class: "words" }, el("span", { text: name }), el("span", { class: "effect", text: effect }));
    return el("button", { type: "button", "data-key": key, "aria-keyshortcuts": key, onclick: (event) => press(key, event.shiftKey) },
      el("kbd", { text: CAPS[key] ?? key.toUpperCase() }), words); // prettier-ignore
  }

  draw({ board, canUndo, zoomed }) {
    const from = Math.max(0, Math.min(board.place - 1, board.order.length - SHOWN));
    const rows = board.order.slice(from, from + SHOWN).map((id) => board.groups.get(id));
    const partners = board.current?.partners.filter(({ id }) => board.groups.get(id)?.photos.length) ?? [];
    const told = rows.map((group) => [group.id, group.photos.map((photo) => [photo.photo_id, photo.decided])]);
    const drawn = JSON.stringify([told, board.at.group, partners, board.data.empty]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.stage.replaceChildren(); // lets go of the photos, so that they are used again
      const empty = el("p", { class: "none quiet", text: board.data.empty });
      this.stage.replaceChildren(...(rows.length ? rows.map((group) => this._row(group, board, partners)) : [empty]));
      for (const id of board.order.slice(from + SHOWN, from + 2 * SHOWN)) {
        for (const photo of board.groups.get(id).photos) this.photos.prefetch(photo.photo_id, "tile");
      }
    }
    this._mark(board);
    this._tools(board, canUndo);
    this._zoom(zoomed);
  }

  _row(group, board, partners) {
    const { data } = board;
    const here = group.id === board.at.group;
    const masks = data.masks.map((name, mask) => [group.photos.filter((photo) => photo.mask === mask).length, name, data.quota[mask]]);
    const over = masks.some(([number, , most]) => number > most);
    const told = masks.filter(([number]) => number).map(([number, name]) => `${number} ${name}`).join(", ");
    const state = isConfirmed(group) ? "confirmed" : group.photos.some((photo) => photo.decided) ? "changed" : "";
    const sure = group.sure == null || state ? "" : `least sure ${percent(group.sure)}`;
    const title = `Person ${group.id}`;
    const button = (words, act) => el("button", { type: "button", class: "small", onclick: act, text: words });
    return el("section", {
      class: here ? "lot here" : "lot", "data-group": group.id, "aria-label": `${title}, ${photos(group.photos.length)}`,
      ondragover: (event) => event.preventDefault(), ondrop: (event) => this._drop(event, group.id),
    },
      el("div", { class: "head" }, el("h3", { text: title }),
        el("span", { class: "quiet", text: [photos(group.photos.length), sure].filter(Boolean).join(" · ") }),
        el("span", { class: over ? "over" : "quiet", text: told }),
        state ? el("span", { class: `chip ${state}`, text: state }) : null,
        el("span", { class: "acts" }, button("move marked here", () => this.act.bring(group.id)),
          state === "confirmed" ? null : button("confirm", () => this.act.confirm(group.id)))),
      el("div", { class: "photos" }, ...group.photos.map((photo, place) => this._photo(photo, place, group))),
      here && partners.length ? this._partners(partners, board) : null); // prettier-ignore
  }

  _photo(photo, place, group) {
    const sure = photo.sure == null || photo.decided ? "" : `fits ${percent(photo.sure)}`;
    const figure = el("figure", {
      class: "shot", draggable: "true", "data-photo": photo.photo_id,
      onclick: () => this.act.pick(group.id, place), ondblclick: () => this.act.zoom(group.id, place),
      ondragstart: (event) => event.dataTransfer.setData("text/plain", photo.photo_id),
    }, this.photos.get(photo.photo_id, "tile", `${photo.note}, photo ${place + 1} of person ${group.id}`),
      el("figcaption", {}, el("span", { text: photo.note }), el("span", { class: photo.sure < 0.5 ? "over" : "quiet", text: sure }))); // prettier-ignore
    return figure;
  }

  _partners(partners, board) {
    const shown = partners.map(({ id, likeness }, place) => {
      const few = board.groups.get(id).photos.slice(0, 7);
      return el("button", { class: "partner", type: "button", "data-partner": id, title: `Merge person ${id} into this one`, onclick: () => this.act.merge(id) },
        el("span", {}, el("kbd", { text: String(place + 1) }), ` merge person ${id} `, el("span", { class: "quiet", text: `likeness ${likeness.toFixed(2)}` })),
        el("span", { class: "row" }, ...few.map((photo) => this.photos.get(photo.photo_id, "small", `photo of person ${id}`)))); // prettier-ignore
    });
    return el("div", { class: "partners" }, el("h4", { text: "Most alike" }), ...shown);
  }

  _mark({ marked, at }) {
    for (const figure of this.stage.querySelectorAll(".shot")) {
      const group = figure.closest(".lot");
      const isHere = group.dataset.group === at.group && [...figure.parentElement.children].indexOf(figure) === at.photo;
      figure.classList.toggle("cursor", isHere);
      figure.classList.toggle("marked", marked.has(figure.dataset.photo));
    }
    this.stage.classList.toggle("marking", marked.size > 0);
  }

  // The group at the cursor comes into sight, above the key card.
  follow() {
    this.stage.querySelector(".lot.here")?.scrollIntoView({ block: "nearest" });
  }

  _tools({ current, marked, photo }, canUndo) {
    const effects = {
      a: current ? `person ${current.id} is one person` : "",
      s: marked.size ? `${photos(marked.size)} as a person` : photo ? "this photo" : "",
      m: marked.size ? `${photos(marked.size)} to person ${current?.id ?? ""}` : "mark some first",
    };
    for (const button of this.toolbar.children) {
      const key = button.dataset.key;
      button.disabled = key === "backspace" ? !canUndo : key === "m" ? !marked.size || !current : !current;
      if (key in effects) button.querySelector(".effect").textContent = effects[key];
    }
  }

  _zoom(photo) {
    if (!photo) return this.dialog.close();
    const close = el("button", { class: "close", type: "button", onclick: () => this.dialog.close(), text: "close (esc)" });
    const inside = el("div", { class: "inside", tabindex: -1, autofocus: true }, close, this.photos.get(photo.photo_id, "large", photo.note));
    this.dialog.replaceChildren(inside);
    if (!this.dialog.open) this.dialog.showModal();
  }

  _drop(event, group) {
    event.preventDefault();
    this.act.drop(event.dataTransfer.getData("text/plain"), group);
  }

  drawStatus({ data, outbox, saved }) {
    const { done, total, hint } = data.progress;
    this.tellProgress([`${count(done)} of ${count(total)} groups confirmed`, hint], done, total);
    this.tellSaves(outbox, saved, outbox.waiting.size);
  }
}
