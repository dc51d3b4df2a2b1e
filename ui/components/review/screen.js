// The screen of a review: progress, stage (one card or a grid), key card, words, dialog, messages.
// It draws what a Review holds and keeps nothing but elements.

class Screen extends Telling {
  constructor(root, { press, act }) {
    super("unseen");
    this.root = root;
    this.photos = new Photos();
    this.drawn = ""; // what the stage shows; it is built again when this changes
    this.stage = el("div", { class: "stage" });
    this.toolbar = new Toolbar(press);
    this.words = el("input", {
      class: "reason", type: "text", maxlength: 500, placeholder: "why (optional, key w)", "aria-label": "why, in words",
    }); // prettier-ignore
    this.dialog = el("dialog", { class: "dialog", "aria-label": "look closer", onclose: () => act.closed() });
    this.context = { photos: this.photos, axes: [], classes: [], ...act };
    this.body = el("div", { class: "body" }, el("header", {}, this.progress, this.saves), this.alert, this.stage,
      this.words, el("footer", {}, this.toolbar.element), this.live); // prettier-ignore
    root.replaceChildren(this.body, this.dialog);
  }

  draw(review) {
    const { data, page, cursor, shown } = review;
    this.context.axes = data.axes;
    this.context.classes = data.classes;
    const hadFocus = this.stage.contains(this.root.getRootNode().activeElement) || document.activeElement === document.body;
    this.body.classList.toggle("empty", !page.length);
    if (!page.length) this._drawEmpty(review);
    else if (review.isGrid) this._drawGrid(review);
    else this._drawCard(page[cursor], shown);
    const mark = review.card && review.marks.of(review.card);
    const accepted = page.filter((card) => !review.marks.of(card)).length;
    const left = `${accepted} accepted, ${page.length - accepted} as marked`;
    this.toolbar.update({ card: review.card, mark, mode: data.mode, left, canUndo: review.canUndo, axes: data.axes });
    this._drawDialog(review);
    this.drawStatus(review);
    if (hadFocus && !this.dialog.open) this.focus();
  }

  _drawEmpty({ data, outbox }) {
    this.drawn = "";
    this.stage.className = "stage";
    this._describeStage("group", "no card");
    delete this.stage.dataset.target;
    const waits = outbox.waiting.size > 0;
    const words = waits ? "Asking for more cards …" : data.empty;
    this.stage.replaceChildren(el("p", { text: words }));
  }

  _drawCard(card, shown) {
    const drawn = `card ${cardId(card)} ${shown}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.stage.className = card.photo_probs && card.photos.length > 1 ? "stage card ages-wide" : "stage card";
    this._describeStage("group", card.title);
    this.stage.tabIndex = 0;
    this.stage.dataset.target = card.target;
    this.stage.replaceChildren(...cardParts(card, shown, this.context));
  }

  _drawGrid({ page, cursor, marks, anchor, data }) {
    const drawn = `grid ${page.map(cardId).join(" ")}`;
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.stage.className = "stage grid";
      this._describeStage("listbox", `${page.length} cards; choose the wrong ones, Enter accepts the rest`);
      this.stage.setAttribute("aria-multiselectable", "true");
      this.stage.removeAttribute("tabindex");
      this.stage.dataset.target = page[0].target;
      this.stage.replaceChildren(...page.map((card, place) => tile(card, place, this.context)));
    }
    const [from, to] = [Math.min(anchor, cursor), Math.max(anchor, cursor)];
    page.forEach((card, place) => markTile(this.stage.children[place], {
      card, place, mark: marks.of(card), count: page.length, cursor: place === cursor,
      selected: from < to && place >= from && place <= to, axes: data.axes,
    })); // prettier-ignore
  }

  _describeStage(role, label) {
    this.stage.setAttribute("role", role);
    this.stage.setAttribute("aria-label", label);
    this.stage.removeAttribute("aria-multiselectable");
  }

  _drawDialog({ card, shown, dialogOf }) {
    if (!dialogOf || (dialogOf !== "help" && !card)) {
      this.dialog.close();
      return;
    }
    const close = el("button", { class: "close", type: "button", onclick: () => this.dialog.close(), text: "close (esc)" });
    let parts = helpParts();
    if (dialogOf === "zoom") {
      parts = [this.photos.get(card.photos[shown].photo_id, "large", altOf(card, shown))];
    } else if (dialogOf === "person") {
      const figure = (photo, i) => el("figure", {}, this.photos.get(photo.photo_id, "large", altOf(card, i)),
        el("figcaption", { text: photo.note }),
        card.photo_probs?.[i] ? ageLines(card.photo_probs[i], this.context.axes[2]) : null); // prettier-ignore
      parts = [el("h3", { text: card.title }), el("div", { class: "person" }, ...card.photos.map(figure))];
    }
    this.dialog.className = `dialog ${dialogOf}`;
    this.dialog.replaceChildren(el("div", { class: "inside", tabindex: -1, autofocus: true }, close, ...parts));
    if (!this.dialog.open) this.dialog.showModal();
  }

  // What is saved, what is on the way and for how long; how far the queue is.
  drawStatus({ data, outbox }) {
    const { done, total, states, gained, hit_rate: hitRate, hint } = data.progress;
    const parts = [];
    const decided = done + outbox.cardsOf(["accept", "relabel", "reject"]);
    if (total) parts.push(`${count(decided)} of ${count(total)} decided`);
    for (const { kind, words, cards } of states ?? []) {
      const now = cards + outbox.cardsOf([kind]);
      if (now) parts.push(`${count(now)} ${words}`);
    }
    if (gained != null) parts.push(`gained so far ${signed(gained)} macro F1`);
    if (hitRate != null) parts.push(`hit rate ${percent(hitRate)}`);
    parts.push(hint);
    this.tellProgress(parts, decided, total);
    this.tellSaves(outbox, outbox.saved, outbox.count());
  }

  focus() {
    const target = this.stage.querySelector(".cursor") ?? this.stage;
    target.focus({ preventScroll: !target.matches(".tile") });
  }

  columns() {
    return getComputedStyle(this.stage).gridTemplateColumns.split(" ").length;
  }
}
