// The groups as the server knows them, with what is on the way laid over them; what a key does to them.
//
// Nothing here touches the screen. A placement is an item of a batch in the outbox: this photo belongs to that group.

class Board {
  constructor() {
    this.groups = new Map(); // id -> {id, photos, partners, state}
    this.order = []; // ids on the list, kept while the server's order moves
    this.at = { group: null, photo: 0 }; // the cursor
    this.marked = new Set(); // photo ids
    this.place = 0; // where the cursor's group stands, for when it goes
  }

  // New data from the server; `fresh`: another list, not a newer state of this one.
  take(data, fresh) {
    this.data = data;
    if (fresh) Object.assign(this, { order: [], at: { group: null, photo: 0 }, place: 0, marked: new Set() });
  }

  // Lay batches over the data. `batches` are those on the way that are not taken back, oldest first.
  arrange(batches) {
    const placed = new Map(); // photo id -> item
    for (const { items, grouping } of batches) {
      if (grouping === this.data.grouping) for (const item of items) placed.set(item.target, item);
    }
    const given = [...this.data.groups, ...this.data.others];
    this.groups = new Map(given.map((group) => [group.id, { ...group, photos: [] }]));
    const split = []; // [new id, id it came from]
    for (const group of given) {
      for (const photo of group.photos) {
        const item = placed.get(photo.photo_id);
        const id = item?.group_id ?? group.id;
        if (!this.groups.has(id)) {
          this.groups.set(id, { id, photos: [], partners: [], sure: null });
          split.push([id, group.id]);
        }
        this.groups.get(id).photos.push({ ...photo, decided: item?.kind ?? photo.decided });
      }
    }
    this._order(split);
    this._keepCursor();
  }

  _order(split) {
    const listed = new Set(this.data.groups.map((group) => group.id));
    const made = new Set(split.map(([id]) => id));
    const order = this.order.filter((id) => listed.has(id) || made.has(id));
    [...listed].forEach((id, place, ids) => { // a group that comes back by undo stands where it stood
      if (!order.includes(id)) order.splice(order.indexOf(ids[place - 1]) + 1, 0, id);
    });
    for (const [id, from] of split) if (!order.includes(id)) order.splice(order.indexOf(from) + 1, 0, id);
    this.order = order.filter((id) => this._shows(this.groups.get(id)));
  }

  // An empty group is gone; a confirmed one has left a list of what is to be confirmed.
  _shows(group) {
    return group.photos.length > 0 && !(this.data.hides_confirmed && isConfirmed(group));
  }

  _keepCursor() {
    const place = this.order.indexOf(this.at.group);
    if (place < 0) this.at = { group: this.order[Math.min(this.place, this.order.length - 1)] ?? null, photo: 0 };
    this.place = Math.max(0, this.order.indexOf(this.at.group));
    this.at.photo = Math.max(0, Math.min(this.at.photo, (this.current?.photos.length ?? 1) - 1));
    const known = new Set([...this.groups.values()].flatMap((group) => group.photos.map((photo) => photo.photo_id)));
    this.marked = new Set([...this.marked].filter((id) => known.has(id)));
  }

  get current() {
    return this.groups.get(this.at.group) ?? null;
  }

  get photo() {
    return this.current?.photos[this.at.photo] ?? null;
  }

  groupOf(photoId) {
    return [...this.groups.values()].find((group) => group.photos.some((photo) => photo.photo_id === photoId));
  }

  move(key) {
    const step = { left: [0, -1], right: [0, 1], up: [-1, 0], down: [1, 0] }[key];
    const group = this.order[this.place + step[0]];
    if (group == null) return;
    const last = this.groups.get(group).photos.length - 1;
    this.at = { group, photo: Math.max(0, Math.min(this.at.photo + step[1], last)) };
    this.place = this.order.indexOf(group);
  }

  mark(photoIds) {
    const all = photoIds.every((id) => this.marked.has(id));
    for (const id of photoIds) all ? this.marked.delete(id) : this.marked.add(id);
  }

  // Items that put photos into a group; {problem} when a person would get too many photos.
  placing(photoIds, groupId) {
    const moving = photoIds.filter((id) => this.groupOf(id)?.id !== groupId);
    if (!moving.length) return { problem: "mark photos of other groups first" };
    const size = (this.groups.get(groupId)?.photos.length ?? 0) + moving.length;
    if (size > this.data.most) return { problem: `${size} photos: a person has ${this.data.most}; split some off first` };
    return { items: moving.map((id) => this._item("group", id, groupId)) };
  }

  confirming(group) {
    return { items: group.photos.map((photo) => this._item("confirm", photo.photo_id, group.id)) };
  }

  // The marked photos, or the one at the cursor, as a group of their own.
  splitting() {
    const chosen = this.marked.size ? [...this.marked] : this.photo ? [this.photo.photo_id] : [];
    const from = chosen.length ? this.groupOf(chosen[0]) : null;
    const whole = from && from.photos.every((photo) => chosen.includes(photo.photo_id)) && chosen.length === from.photos.length;
    return whole ? { problem: "these photos are a group already" } : this.placing(chosen, `new-${newId().slice(0, 8)}`);
  }

  _item(kind, target, groupId) {
    const before = this.groupOf(target)?.id ?? null;
    return { unit: "photo", kind, target, grouping: this.data.grouping, group_id: groupId, group_before: before, nonce: newId() };
  }
}

const isConfirmed = (group) => group.photos.every((photo) => photo.decided === "confirm");
