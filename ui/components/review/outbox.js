// Batches of decisions that the server has not acknowledged yet: in memory, in localStorage, on the way.
//
// A batch is one action of the reviewer: {batch, at, who, run_id, items: [...]} or an undo of another
// batch. Sending is repeated until the server names the batch as kept, and the server saves each
// nonce once, so a slow, killed or restarted server neither loses nor doubles a decision.

const RESEND_FIRST_MS = 2000;
const RESEND_LAST_MS = 10000; // a script slower than the pause would be interrupted by every repeat
const GATHER_MS = 60; // quick keys travel together
const MOST_BATCHES = 100; // one message stays small after a long outage

class Outbox {
  constructor(prefix, onChange) {
    this.prefix = prefix;
    this.onChange = onChange;
    this.transmit = () => {}; // the newest setStateValue; renewed at each rerun
    this.waiting = new Map(); // batch id -> batch, oldest first
    this.saved = 0; // decisions acknowledged since the page was opened
    this.attempt = 0;
    this.pause = RESEND_FIRST_MS;
    this.sentAt = 0;
    this.gather = null;
    this.mirrored = true; // false: this browser refused localStorage
    this._load();
    this.timer = setInterval(() => this._repeat(), 500);
  }

  add(batch) {
    batch.at = Date.now();
    this.waiting.set(batch.batch, batch);
    try {
      localStorage.setItem(this.prefix + batch.batch, JSON.stringify(batch));
    } catch {
      this.mirrored = false;
    }
    this._sendSoon();
    this.onChange();
  }

  acknowledge(ids) {
    let fresh = 0;
    for (const id of ids) {
      const batch = this.waiting.get(id);
      if (!batch) continue;
      this.waiting.delete(id);
      this.saved += batch.items.length;
      fresh += 1;
      try {
        localStorage.removeItem(this.prefix + id);
      } catch {
        this.mirrored = false;
      }
    }
    if (!fresh) return;
    this.pause = RESEND_FIRST_MS;
    if (this.waiting.size >= MOST_BATCHES) this._sendSoon();
    this.onChange();
  }

  // Targets with a decision on the way: the server may still hand them out.
  targets() {
    const targets = new Set();
    for (const batch of this.waiting.values()) for (const item of batch.items) targets.add(item.target);
    return targets;
  }

  count() {
    let count = 0;
    for (const batch of this.waiting.values()) count += Math.max(1, batch.items.length);
    return count;
  }

  // Milliseconds that the oldest batch has waited.
  lateness() {
    const [oldest] = this.waiting.values();
    return oldest ? Date.now() - oldest.at : 0;
  }

  send() {
    clearTimeout(this.gather);
    this.gather = null;
    this.sentAt = Date.now();
    this.attempt += 1; // an unchanged value would not be sent again
    this.transmit({ attempt: this.attempt, batches: [...this.waiting.values()].slice(0, MOST_BATCHES) });
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.gather);
    if (this.gather !== null) this.send();
  }

  _load() {
    try {
      const kept = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      const batches = kept.map((key) => JSON.parse(localStorage.getItem(key)));
      batches.sort((a, b) => a.at - b.at);
      for (const batch of batches) this.waiting.set(batch.batch, batch);
    } catch {
      this.mirrored = false;
    }
  }

  _sendSoon() {
    if (this.gather !== null) return;
    if (Date.now() - this.sentAt > GATHER_MS) this.send();
    else this.gather = setTimeout(() => this.send(), GATHER_MS);
  }

  _repeat() {
    this.onChange();
    if (!this.waiting.size || Date.now() - this.sentAt < this.pause) return;
    this.pause = Math.min(this.pause * 2, RESEND_LAST_MS);
    this.send();
  }
}
