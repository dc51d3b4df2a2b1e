// The marks on cards that are not saved yet, and those that were: kept in the browser, so that they outlive a reload.
//
// Marks are no decisions yet, but they are work. They answer what one queue asks of one reviewer about one run.

const REMEMBERED_CHANGES = 200;
const REMEMBERED_BATCHES = 20;

class Marks {
  // refused is called when the browser keeps nothing.
  constructor(key, refused) {
    Object.assign(this, { key, refused });
    this.now = new Map(); // card id -> mark
    this.changes = []; // the newest last, each [[card id, the mark before or null]]
    this.batches = new Map(); // batch id -> {ids, marks}, as they were when it was saved
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
      this.now = new Map(kept.marks);
      this.changes = kept.changes ?? [];
      this.batches = new Map(kept.batches);
    } catch {
      this.refused();
    }
  }

  of(card) {
    return this.now.get(cardId(card));
  }

  // Put marks on cards: [card, mark] pairs, a mark of null takes one away.
  put(pairs) {
    this.changes.push(pairs.map(([card]) => [cardId(card), this.of(card) ?? null]));
    this._set(pairs.map(([card, mark]) => [cardId(card), mark]));
  }

  canUndo(cards) {
    return this._newest(new Set(cards.map(cardId))) >= 0;
  }

  // Take back the newest change on these cards; other cards keep theirs. Returns the ids of the cards that changed.
  undo(cards) {
    const ids = new Set(cards.map(cardId));
    const place = this._newest(ids);
    if (place < 0) return [];
    const here = this.changes[place].filter(([id]) => ids.has(id));
    const rest = this.changes[place].filter(([id]) => !ids.has(id));
    this.changes.splice(place, 1, ...(rest.length ? [rest] : []));
    this._set(here);
    return here.map(([id]) => id);
  }

  // A batch is decided: its cards lose their marks, and what was changed before is not taken back any more.
  decided(batch, ids) {
    const marks = ids.filter((id) => this.now.has(id)).map((id) => [id, this.now.get(id)]);
    this.batches.set(batch, { ids, marks });
    this.changes = [];
    this._set(ids.map((id) => [id, null]));
  }

  // A batch is taken back: its cards are marked as they were. Returns their ids, none for a batch nobody remembers.
  restore(batch) {
    const { ids, marks } = this.batches.get(batch) ?? { ids: [], marks: [] };
    this.batches.delete(batch);
    this._set([...ids.map((id) => [id, null]), ...marks]);
    return ids;
  }

  _newest(ids) {
    return this.changes.findLastIndex((change) => change.some(([id]) => ids.has(id)));
  }

  _set(pairs) {
    for (const [id, mark] of pairs) {
      if (mark) this.now.set(id, mark);
      else this.now.delete(id);
    }
    const [changes, batches] = [this.changes.slice(-REMEMBERED_CHANGES), [...this.batches].slice(-REMEMBERED_BATCHES)];
    try {
      localStorage.setItem(this.key, JSON.stringify({ marks: [...this.now], changes, batches }));
    } catch {
      this.refused();
    }
  }
}
