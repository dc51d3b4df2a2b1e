// Sorting photos into people: keys and mouse become placements, and placements travel by the outbox.

class Sorting {
  constructor(root) {
    this.root = root;
    this.board = new Board();
    this.zoomed = null;
    this.saved = 0; // actions acknowledged since the page was opened
    const press = (key, shift) => this.press(key, shift);
    this.sheet = new Sheet(root, {
      press,
      act: {
        pick: (group, photo) => this.pick(group, photo),
        zoom: (group, photo) => { this.board.at = { group, photo }; this.zoom(); },
        confirm: (id) => this.act(this.board.confirming(this.board.groups.get(id)), `person ${id} confirmed`),
        bring: (id) => this.bring([...this.board.marked], id),
        drop: (photo, id) => this.bring(this.board.marked.has(photo) ? [...this.board.marked] : [photo], id),
        merge: (id) => this.merge(id),
        closed: () => { this.zoomed = null; this.sheet.stage.focus({ preventScroll: true }); },
      },
    }); // prettier-ignore
    this.keyboard = new Keyboard(root, { words: null, press, back: () => {} });
  }

  close() {
    this.keyboard.close();
    this.outbox.leave();
  }

  update(data, transmit) {
    const fresh = this.data?.view !== data.view;
    this.data = data;
    this.outbox = outboxFor(data.prefix);
    this.outbox.join(transmit, () => this.sheet.drawStatus(this));
    this.saved += data.answer.acknowledged.filter((id) => this.outbox.waiting.has(id)).length;
    const lost = this.outbox.hear(data.answer);
    for (const batch of lost) this.sheet.warn(`The server refused a decision: ${data.answer.refused[batch.batch]}`);
    this.board.take(data, fresh);
    this.draw();
  }

  draw() {
    const waiting = [...this.outbox.waiting.values()];
    const undone = new Set(waiting.map((batch) => batch.undo));
    this.board.arrange(waiting.filter((batch) => batch.items && !undone.has(batch.batch)));
    this.sheet.draw(this);
    this.sheet.drawStatus(this);
  }

  get canUndo() {
    return Boolean(this._last());
  }

  _last() {
    return this.outbox?.newestOf(this.data.queue, this.data.answer.last);
  }

  // One batch, one undo.
  act({ items, problem }, words) {
    if (problem) return this.sheet.say(problem);
    const { who, queue, run_id, grouping } = this.data;
    this.board.marked = new Set();
    this.outbox.add({ who, queue, run_id, grouping, items });
    this.sheet.say(words);
    this.draw();
    this.sheet.follow();
  }

  bring(photoIds, id) {
    this.act(this.board.placing(photoIds, id), `${photos(photoIds.length)} moved to person ${id}`);
  }

  merge(id) {
    const { current, groups } = this.board;
    const partner = groups.get(id)?.photos.map((photo) => photo.photo_id) ?? [];
    this.act(this.board.placing(partner, current.id), `person ${id} merged into ${current.id}`);
  }

  pick(group, photo) {
    this.board.at = { group, photo };
    this.board.mark([this.board.photo.photo_id]);
    this.draw();
  }

  zoom() {
    this.zoomed = this.zoomed ? null : this.board.photo;
    this.draw();
  }

  undo() {
    const last = this._last();
    if (!last) return this.sheet.say("nothing to undo");
    this.outbox.add({ who: this.data.who, undo: last });
    this.sheet.say("taken back");
    this.draw();
  }

  // What a key or a button does. Returns whether it meant anything.
  press(key, shift = false) {
    const { board } = this;
    if (key === "backspace") this.undo();
    else if (!board.current) return false;
    else if (["left", "right", "up", "down"].includes(key)) this._move(key);
    else if (key === "a") this.act(board.confirming(board.current), `person ${board.current.id} confirmed`);
    else if (key === "s") this.act(board.splitting(), "split off as a person");
    else if (key === "m") this.bring([...board.marked], board.current.id);
    else if (key === "space") this._mark(shift ? board.current.photos : [board.photo]);
    else if (key === "z") this.zoom();
    else if (key === "escape" && board.marked.size && !this.zoomed) this._mark([...board.marked].map((id) => ({ photo_id: id })));
    else if (["1", "2", "3"].includes(key)) this._mergeNumber(Number(key));
    else return false;
    return true;
  }

  _move(key) {
    this.board.move(key);
    if (this.zoomed) this.zoomed = this.board.photo;
    this.draw();
    this.sheet.follow();
  }

  _mark(chosen) {
    this.board.mark(chosen.map((photo) => photo.photo_id));
    this.draw();
  }

  _mergeNumber(number) {
    const alive = this.board.current.partners.filter(({ id }) => this.board.groups.get(id)?.photos.length);
    if (alive[number - 1]) this.merge(alive[number - 1].id);
    else this.sheet.say("there is no such group to merge");
  }
}

const sortings = new WeakMap(); // parentElement -> Sorting: the script below runs again at each change of data

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".review");
  if (!sortings.has(parentElement)) sortings.set(parentElement, new Sorting(root));
  const sorting = sortings.get(parentElement);
  sorting.update(data, (outbox) => setStateValue("outbox", outbox));
  return () => {
    sorting.close();
    sortings.delete(parentElement);
  };
}
