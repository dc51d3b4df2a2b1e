// Photos as <img> elements: fetched and decoded before they are needed, and used again when they are.

const POOL_SIZE = 700; // three pages of 200, and the large ones
const WIDTHS = { 192: 144, 256: 192, 512: 384 }; // route size (height) -> width in pixels
const SIZES = { large: "384px", tile: "160px", small: "72px" };

const photoUrl = (photoId, size) => `/api/photo/${size}/${photoId.split("/").map(encodeURIComponent).join("/")}`;

class Photos {
  constructor() {
    this.pool = new Map(); // "kind photo_id" -> <img>, least recently used first
  }

  // An element that shows the photo; `kind` is large, tile or small.
  get(photoId, kind, alt) {
    const key = `${kind} ${photoId}`;
    let img = this.pool.get(key);
    if (!img || img.isConnected) img = this._make(photoId, kind);
    this.pool.delete(key);
    this.pool.set(key, img);
    if (this.pool.size > POOL_SIZE) this.pool.delete(this.pool.keys().next().value);
    img.alt = alt;
    return img;
  }

  // Fetch and decode what comes next: three pages of a grid, or a dozen single cards (page size 0).
  fetchAhead(deck, pageSize) {
    if (pageSize) {
      for (const card of deck.slice(0, 3 * pageSize)) this.prefetch(card.photos[0].photo_id, "tile");
      return;
    }
    for (const card of deck.slice(0, 12)) this.prefetch(card.photos[0].photo_id, "large");
    for (const card of deck.slice(0, 4)) {
      const kind = card.photo_probs ? "tile" : "small";
      if (card.photos.length > 1) for (const { photo_id } of card.photos) this.prefetch(photo_id, kind);
      for (const { photo_ids } of card.neighbours ?? []) for (const id of photo_ids) this.prefetch(id, "small");
    }
  }

  prefetch(photoId, kind) {
    const key = `${kind} ${photoId}`;
    if (this.pool.has(key)) return;
    const img = this._make(photoId, kind);
    this.pool.set(key, img);
    img.decode().catch(() => {}); // a photo that cannot be shown says so by its alternative text
  }

  _make(photoId, kind) {
    const img = document.createElement("img");
    img.decoding = "async";
    img.draggable = false;
    img.sizes = SIZES[kind];
    img.srcset = Object.entries(WIDTHS).map(([size, width]) => `${photoUrl(photoId, size)} ${width}w`).join(", ");
    img.src = photoUrl(photoId, kind === "large" ? 512 : 256);
    return img;
  }
}
