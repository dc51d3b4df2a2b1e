// Batches of decisions that the server has not acknowledged yet: in memory, in localStorage, on the way.
//
// A batch is one action of the reviewer: {batch, at, who, cards, kinds, items, ...}, or an undo of another one:
// {batch, at, who, undo}. All of them are sent again until the server names them as kept or refused, and the
// server saves each nonce once, so a slow, killed or restarted server neither loses nor doubles a decision.

// A message that got no answer is sent again. The pause follows the page: a repeat interrupts a page that is still
// on its way to the answer, so one that came too early, again and again, would keep the answer from ever coming.
const RESEND_FIRST_MS = 2000;
const RESEND_LAST_MS = 60000;
const PAUSE_PER_ANSWER = 3;
const MOST_BATCHES = 100; // one message stays small after a long outage

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

class Outbox {
  constructor(prefix) {
    this.prefix = `${prefix}batch-`;
    this.onChange = () => {};
    this.transmit = null; // the newest setStateValue; null while no component is on the page
    this.waiting = new Map(); // batch id -> batch, oldest first
    this.saved = 0; // decisions acknowledged since the page was opened
    this.attempt = Date.now(); // an unchanged value would not be sent again
    this.flying = false; // one message at a time: the page would never finish if each key interrupted it
    this.sentAt = 0;
    this.pause = RESEND_FIRST_MS;
    this.mirrored = true; // false: this browser refused localStorage
    this._load();
    setInterval(() => this._tick(), 500);
  }

  // A component is on the page: how it sends, and whom to tell of changes. What waited is sent.
  join(transmit, onChange) {
    const fresh = !this.transmit;
    this.transmit = transmit;
    this.onChange = onChange;
    if (!fresh) return;
    this.flying = false;
    if (this.waiting.size) this.send();
  }

  leave() {
    this.transmit = null;
    this.onChange = () => {};
  }

  add(batch) {
    const complete = { batch: newId(), at: Date.now(), ...batch };
    this.waiting.set(complete.batch, complete);
    try {
      localStorage.setItem(this.prefix + complete.batch, JSON.stringify(complete));
    } catch {
      this.mirrored = false;
    }
    if (!this.flying) this.send();
    this.onChange();
    return complete;
  }

  // What the server says of its newest message. Returns the batches that it will never take.
  hear({ attempt, acknowledged, refused, problem }) {
    for (const id of acknowledged) this.saved += this._forget(id)?.items?.length ?? 0;
    const lost = Object.keys(refused).map((id) => this._forget(id)).filter(Boolean);
    this.problem = problem;
    if (attempt === this.attempt && this.flying) {
      this.flying = false;
      const took = PAUSE_PER_ANSWER * (Date.now() - this.sentAt);
      if (!problem) this.pause = Math.min(RESEND_LAST_MS, Math.max(RESEND_FIRST_MS, took));
      if (this.waiting.size && !problem) this.send();
    }
    this.onChange();
    return lost;
  }

  // Batches on the way that are not taken back.
  _standing() {
    const undone = new Set([...this.waiting.values()].map((batch) => batch.undo));
    return [...this.waiting.values()].filter((batch) => batch.cards && !undone.has(batch.batch));
  }

  // Cards with a decision on the way: the server may still hand them out.
  hidden() {
    return new Set(this._standing().flatMap((batch) => batch.cards));
  }

  // How many cards are on the way with a decision of each of these kinds.
  cardsOf(kinds) {
    return this._standing().flatMap((batch) => batch.kinds).filter((kind) => kinds.includes(kind)).length;
  }

  // The newest batch of a queue that can be undone; `last` is the newest that the server knows.
  newestOf(queue, last) {
    const waiting = [...this.waiting.values()];
    const undone = new Set(waiting.map((batch) => batch.undo));
    const open = waiting.filter((batch) => batch.items && batch.queue === queue && !undone.has(batch.batch));
    return open.at(-1)?.batch ?? (last && !undone.has(last) ? last : null);
  }

  count() {
    return [...this.waiting.values()].reduce((sum, batch) => sum + (batch.items?.length ?? 1), 0);
  }

  // Milliseconds that the oldest batch has waited.
  lateness() {
    const [oldest] = this.waiting.values();
    return oldest ? Date.now() - oldest.at : 0;
  }

  send() {
    if (!this.transmit) return;
    this.flying = true;
    this.sentAt = Date.now();
    this.attempt += 1;
    this.transmit({ attempt: this.attempt, batches: [...this.waiting.values()].slice(0, MOST_BATCHES) });
  }

  _forget(id) {
    const batch = this.waiting.get(id);
    this.waiting.delete(id);
    try {
      localStorage.removeItem(this.prefix + id);
    } catch {
      this.mirrored = false;
    }
    return batch;
  }

  _load() {
    try {
      const kept = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      const batches = kept.map((key) => JSON.parse(localStorage.getItem(key)));
      for (const batch of batches.sort((a, b) => a.at - b.at)) this.waiting.set(batch.batch, batch);
    } catch {
      this.mirrored = false;
    }
  }

  _tick() {
    this.onChange();
    if (!this.waiting.size || Date.now() - this.sentAt < this.pause) return;
    this.pause = Math.min(this.pause * 2, RESEND_LAST_MS);
    this.send();
  }
}

const outboxes = new Map(); // prefix -> Outbox: it outlives a change of page

function outboxFor(prefix) {
  if (!outboxes.has(prefix)) outboxes.set(prefix, new Outbox(prefix));
  return outboxes.get(prefix);
}
