// The review: what is on the screen, what the reviewer does to it, and what follows.
//
// The queue is "what is undecided", not a position: the server sends the best undecided cards, about three pages
// of them, and the browser leaves out those whose decision is still on the way.

const LONGEST_S = 300; // whoever looks longer has gone away
const ALIVE_MS = 45000; // so often the page is asked for anew while somebody works: leases end after 120 s

class Review {
  constructor(root) {
    this.page = [];
    this.cursor = 0;
    this.anchor = 0; // a range of the grid goes from here to the cursor
    this.shown = 0; // which of the card's photos is large
    this.marks = null; // what Enter will save
    this.history = []; // {batch, cards, cursor, mode}
    this.front = []; // cards that came back by undo
    this.done = new Set(); // card ids decided here that the server still lists: a queue may show decided ones
    this.returning = null; // an undo of a batch whose cards only the server knows
    this.owed = 0; // undos that wait for it
    this.dialogOf = null; // "zoom", "person" or "help"
    this.touched = 0;
    this.root = root;
    const press = (key, shift) => this.press(key, shift);
    this.screen = new Screen(root, {
      press,
      act: {
        pick: (place, range) => this.pick(place, range),
        zoom: () => this.toggle("zoom"),
        zoomAt: (place) => { this.cursor = this.anchor = place; this.toggle("zoom"); },
        show: (place) => { this.shown = place; this.draw(); },
        closed: () => { this.dialogOf = null; this.screen.focus(); },
      },
    }); // prettier-ignore
    this.keyboard = new Keyboard(root, { words: this.screen.words, press, back: () => this.screen.focus() });
    this.alive = setInterval(() => this._stayAlive(), 5000);
  }

  close() {
    this.keyboard.close();
    clearInterval(this.alive);
    this.outbox.leave();
  }

  // New data from the server.
  update(data, transmit) {
    const turned = this.data?.view !== data.view;
    if (this.data?.who !== data.who) this.history = []; // another reviewer's batches are not this one's to undo
    this.data = data;
    this.outbox = outboxFor(data.prefix);
    const marks = `${data.prefix}marks-${data.who}-${data.queue}-${data.run_id}`;
    if (this.marks?.key !== marks) this.marks = new Marks(marks, () => { this.outbox.mirrored = false; });
    this.outbox.join(transmit, () => this.screen.drawStatus(this));
    const saved = data.answer.acknowledged.filter((id) => this.outbox.waiting.has(id));
    const lost = this.outbox.hear(data.answer);
    if (saved.length) this.root.dispatchEvent(new CustomEvent("maskdesk-saved", { detail: saved, bubbles: true, composed: true }));
    for (const batch of lost) this._giveBack(batch, data.answer.refused[batch.batch]);
    const listed = new Set(data.cards.map(cardId));
    const way = this.outbox.hidden();
    this.done = new Set(turned ? [] : [...this.done].filter((id) => listed.has(id) || way.has(id)));
    if (turned) this.front = []; // what came back to another list has its place in this one, or none
    this.arrange(turned);
    if (this.returning) this._welcome();
    this.draw();
  }

  draw() {
    const id = this.card && cardId(this.card);
    if (id !== this.inHand) {
      this.inHand = id;
      this.shown = 0;
      if (!this.isGrid) this.since = performance.now();
    }
    this.screen.draw(this);
  }

  toggle(name) {
    this.dialogOf = this.dialogOf === name ? null : name;
    this.draw();
  }

  // The cards that are neither decided nor on their way, those that came back first.
  deck() {
    const seen = new Set([...this.outbox.hidden(), ...this.done]);
    return [...this.front, ...this.data.cards].filter((card) => !seen.has(cardId(card)) && seen.add(cardId(card)));
  }

  // Which cards are on the screen. A grid stays as it is until it is saved; one card stays until it is decided.
  arrange(fresh) {
    const deck = this.deck();
    const ids = new Set(deck.map(cardId));
    const current = fresh ? undefined : this.page[this.cursor];
    if (this.data.mode === "grid") {
      const related = !fresh && this.page.some((card) => ids.has(cardId(card)));
      const page = related ? this.page : [];
      const kept = new Set(page.map(cardId));
      this.page = [...page, ...deck.filter((card) => !kept.has(cardId(card)))].slice(0, this.data.page_size);
      if (!related) [this.cursor, this.anchor, this.since] = [0, 0, performance.now()];
    } else {
      this.page = deck;
      const place = current ? deck.findIndex((card) => cardId(card) === cardId(current)) : -1;
      this.cursor = Math.max(0, place >= 0 ? place : Math.min(this.cursor, deck.length - 1));
      if (fresh) this.cursor = 0;
    }
    afterPaint(() => this.screen.photos.fetchAhead(deck, this.isGrid ? this.data.page_size : 0));
  }

  get card() {
    return this.page[this.cursor] ?? null;
  }

  get isGrid() {
    return this.data.mode === "grid";
  }

  get canUndo() {
    return Boolean(this.marks.canUndo(this.page) || this.history.length || this._lastBatch());
  }

  // Cards that the next key decides or marks.
  selection() {
    if (!this.isGrid) return this.card ? [this.card] : [];
    const [from, to] = [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor)];
    return this.page.slice(from, to + 1);
  }

  // One batch: [card, mark] pairs that were decided together.
  decide(entries) {
    const { who, queue, run_id } = this.data;
    const seconds = Math.min(LONGEST_S, (performance.now() - this.since) / 1000) / entries.length;
    const marked = entries.some(([, mark]) => mark.kind !== "accept");
    const answers = entries.map(([card, mark]) => {
      const why = marked && this.isGrid && mark.kind === "accept" ? "" : this.screen.words.value.trim();
      return itemsOf(card, mark, this.data.axes).map((item, _, all) => ({
        ...item, nonce: newId(), seconds: Math.round((seconds / all.length) * 1000) / 1000, why: why || item.why || "",
      })); // prettier-ignore
    });
    const cards = entries.map(([card]) => card);
    const ids = new Set(cards.map(cardId));
    const kinds = answers.map(([first]) => first.kind);
    const { batch } = this.outbox.add({ who, queue, run_id, cards: [...ids], kinds, items: answers.flat() });
    this.history.push({ batch, cards, cursor: this.cursor, mode: this.data.mode });
    this.front = this.front.filter((card) => !ids.has(cardId(card)));
    for (const id of ids) this.done.add(id);
    this.marks.decided(batch, [...ids]);
    this.screen.words.value = "";
    this.screen.say(entries.length > 1 ? `${entries.length} decided` : wordsOf(cards[0], entries[0][1], this.data.axes));
    this.arrange(this.isGrid);
    this.draw();
  }

  // The page of a grid: marked cards as marked, the rest accepted; what cannot be accepted comes later.
  savePage() {
    if (!this.page.length) return;
    this.decide(this.page.map((card) => [card, this.marks.of(card) ?? markOf(card, "a") ?? { kind: "skip" }]));
  }

  undo() {
    const changed = this.marks.undo(this.page);
    if (changed.length) {
      if (!changed.includes(cardId(this.card))) this.cursor = this.anchor = this.page.findIndex((card) => cardId(card) === changed[0]);
      this.screen.say("mark taken back");
      return this.draw();
    }
    const entry = this.history.pop();
    const batch = entry?.batch ?? this._lastBatch();
    if (!batch) {
      this.owed += this.returning ? 1 : 0; // the server will name the batch before, then it is its turn
      return this.screen.say(this.returning ? "one moment" : "nothing to undo");
    }
    const ids = this.marks.restore(batch);
    if (!entry) this.returning = { batch, ids, known: new Set(this.deck().map(cardId)) };
    this.outbox.add({ who: this.data.who, undo: batch });
    this.screen.say("taken back");
    if (entry) this._bringBack(entry.cards);
    this.arrange(true);
    if (entry?.mode === this.data.mode && this.isGrid) this.cursor = this.anchor = entry.cursor;
    return this.draw();
  }

  // Cards that came back because a batch from before a reload was undone: in its order, or where this browser does
  // not remember it, those that the deck did not hold.
  _welcome() {
    const { batch, ids, known } = this.returning;
    if ([...this.outbox.waiting.values()].some((each) => each.undo === batch)) return;
    const listed = new Map(this.data.cards.map((card) => [cardId(card), card]));
    const back = ids.length ? ids.filter((id) => listed.has(id)) : [...listed.keys()].filter((id) => !known.has(id));
    this.front = [...back.map((id) => listed.get(id)), ...this.front];
    this.returning = null;
    this.arrange(true);
    if (this.owed) {
      this.owed -= 1;
      this.undo();
    }
  }

  // The newest batch from before a reload: on the way, or known to the server.
  _lastBatch() {
    return this.outbox.newestOf(this.data.queue, this.data.answer.last);
  }

  mark(pairs) {
    this.marks.put(pairs);
    this.draw();
  }

  // A click into the grid: this one is wrong, or is not; with shift the range up to it.
  pick(place, range) {
    this.cursor = place;
    if (!range) this.anchor = place;
    const cards = this.selection();
    const all = cards.every((card) => this.marks.of(card)?.kind === "reject");
    this.mark(cards.map((card) => [card, all ? null : { kind: "reject" }]));
  }

  move(key, range) {
    const columns = this.isGrid ? this.screen.columns() : 1;
    const step = { left: -1, right: 1, up: -columns, down: columns }[key];
    const place = this.cursor + step;
    if (place < 0 || place >= this.page.length) return;
    this.cursor = place;
    if (!range || !this.isGrid) this.anchor = place;
    this.draw();
  }

  // What a key or a button does. Returns whether it meant anything.
  press(key, shift = false) {
    this.touched = Date.now();
    const tools = { backspace: () => this.undo(), h: () => this.toggle("help"), w: () => this.screen.words.focus() };
    tools.z = () => this.card && this.toggle("zoom");
    tools.p = () => this.card && this.toggle("person");
    const mark = this.card && markOf(this.card, key, this.marks.of(this.card));
    if (mark) this._apply(key, mark, shift);
    else if (key in tools) tools[key]();
    else if (["left", "right", "up", "down"].includes(key)) this.move(key, shift);
    else if (key === "enter") this.isGrid ? this.savePage() : this._enterCard();
    else if (key in AXIS_KEYS || key in KIND_KEYS) this.screen.say(this.card ? "this key means nothing for this card" : "no card is left");
    else return false;
    return true;
  }

  _apply(key, mark, shift) {
    if (!this.isGrid && !(shift && mark.kind === "relabel")) return this.decide([[this.card, mark]]);
    if (mark.kind === "choice") return this.mark([[this.card, mark]]); // made for this card alone
    const pairs = this.selection().map((card) => [card, markOf(card, key, this.marks.of(card))]);
    return this.mark(pairs.filter(([, each]) => each));
  }

  _enterCard() {
    if (!this.card) return;
    const mark = this.marks.of(this.card) ?? markOf(this.card, "a");
    if (mark) this.decide([[this.card, mark]]);
    else this.screen.say("nothing is proposed; choose a label");
  }

  _bringBack(cards) {
    for (const card of cards) this.done.delete(cardId(card));
    this.front = [...cards, ...this.front];
  }

  // A batch that the server refused: its cards come back, with the reason.
  _giveBack(batch, reason) {
    const place = this.history.findIndex((entry) => entry.batch === batch.batch);
    this.marks.restore(batch.batch);
    if (place >= 0) this._bringBack(this.history.splice(place, 1)[0].cards);
    this.screen.warn(`The server refused a decision: ${reason}`);
  }

  _stayAlive() {
    const works = document.visibilityState === "visible" && Date.now() - this.touched < 4 * ALIVE_MS;
    if (works && Date.now() - this.outbox.sentAt > ALIVE_MS) this.outbox.send();
  }
}

// What may wait until the reviewer sees the next card.
const afterPaint = (work) => requestAnimationFrame(() => setTimeout(work));

const reviews = new WeakMap(); // parentElement -> Review: the script below runs again at each change of data

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".review");
  if (!reviews.has(parentElement)) reviews.set(parentElement, new Review(root));
  const review = reviews.get(parentElement);
  review.update(data, (outbox) => setStateValue("outbox", outbox));
  return () => {
    review.close();
    reviews.delete(parentElement);
  };
}
