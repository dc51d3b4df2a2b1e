// Cards, tiles and dialogs as elements. Data becomes text by textContent only, never markup.

const AXIS_TITLES = { mask: "Mask", gender: "Gender", age_band: "Age" };
const PROBS_OF = { mask: "mask", gender: "gender", age_band: "age" };

const altOf = (card, place) =>
  `${card.title}: photo ${place + 1} of ${card.photos.length}${card.photos[place].note ? `, ${card.photos[place].note}` : ""}`;

function bar(share) {
  const fill = el("i");
  fill.style.width = `${100 * share}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}

// What a value of an axis is for a card: proposed, the label now, or both.
function tagOf(card, axis, value) {
  const [proposed, now] = [card?.proposal?.[axis] === value, card?.current?.[axis] === value];
  if (proposed && now) return "agreed";
  return proposed ? "proposed" : now ? "now" : "";
}

// One axis: a line a value, with what is proposed and what stands now.
function axisLines(card, axis, names) {
  const probs = card.probs?.[PROBS_OF[axis]];
  if (!probs) return null;
  const lines = names.map((name, value) => {
    const tag = tagOf(card, axis, value);
    return el("div", { class: card.proposal?.[axis] === value ? "line proposed" : "line" },
      el("span", { class: "name", text: name }), bar(probs[value]),
      el("span", { class: "share", text: percent(probs[value]) }),
      el("span", { class: "tags", text: tag }),
    ); // prettier-ignore
  });
  return el("section", { class: "axis", "aria-label": AXIS_TITLES[axis] }, el("h4", { text: AXIS_TITLES[axis] }), ...lines);
}

// Probability by age band of one photo: three short lines.
function ageLines(probs, names) {
  const lines = names.map((name, band) =>
    el("div", { class: "line" }, el("span", { class: "name", text: name }), bar(probs[band]),
      el("span", { class: "share", text: percent(probs[band]) }))); // prettier-ignore
  return el("div", { class: "ages" }, ...lines);
}

function proposalLine(card, axisNames) {
  const parts = [];
  AXES.forEach((axis, i) => {
    const proposed = card.proposal?.[axis];
    if (proposed == null || (axis === "mask" && proposedChoice(card))) return;
    const now = card.current?.[axis];
    const changed = now != null && now !== proposed;
    const words = changed ? `${axisNames[i][now]} → ${axisNames[i][proposed]}` : axisNames[i][proposed];
    parts.push(el("span", { class: changed ? "chip changed" : "chip", text: words }));
  });
  const choice = proposedChoice(card);
  if (choice) parts.push(el("span", { class: "chip changed", text: choice.words }));
  if (!parts.length) return el("p", { class: "quiet", text: "Nothing is proposed: accept keeps the label" });
  if (card.confidence != null) parts.push(el("span", { class: "quiet", text: `${percent(card.confidence)} sure` }));
  return el("p", { class: "proposal" }, el("span", { class: "quiet", text: "Proposed" }), ...parts);
}

// The label as it stands, and what an answer is worth.
function currentLine(card, axisNames) {
  const years = card.current?.age_years == null ? "" : ` (${card.current.age_years} years)`;
  const label = isEvaluation(card) ? "No label yet" : `Label as it stands: ${axisWords(card.current, axisNames)}${years}`;
  const gain = card.gain == null ? "" : ` · expected gain ${signed(card.gain)} macro F1`;
  return el("p", { class: "quiet", text: label + gain });
}

function neighbourRows(card, { photos, classes }) {
  const rows = (card.neighbours ?? []).filter((row) => row.photo_ids.length).map((row) => {
    const name = classes[row.label] ?? "";
    const figures = row.photo_ids.map((id, i) => photos.get(id, "small", `train photo ${i + 1} of class ${name}`));
    return el("figure", { class: "neighbour" }, el("figcaption", { text: name }), el("div", { class: "row" }, ...figures));
  });
  return rows.length ? el("section", { class: "neighbours" }, el("h4", { text: "Nearest train photos" }), ...rows) : null;
}

// The person's photos, the one that is shown large pressed; with ages under each where they are given.
function photoStrip(card, shown, { photos, axes, show }) {
  if (card.photos.length < 2) return null;
  const tiles = card.photos.map((photo, i) =>
    el("button", { class: "photo", type: "button", "aria-pressed": String(i === shown), onclick: () => show(i) },
      photos.get(photo.photo_id, card.photo_probs ? "tile" : "small", altOf(card, i)),
      photo.note ? el("span", { class: "note", text: photo.note }) : null,
      card.photo_probs?.[i] ? ageLines(card.photo_probs[i], axes[2]) : null)); // prettier-ignore
  return el("section", { class: card.photo_probs ? "strip wide" : "strip", "aria-label": "The person's photos" }, ...tiles);
}

// Everything about one card.
function cardParts(card, shown, context) {
  const facts = [el("h3", { text: card.title }), proposalLine(card, context.axes), currentLine(card, context.axes)];
  facts.push(el("div", { class: "axes" }, ...AXES.map((axis, i) => axisLines(card, axis, context.axes[i])).filter(Boolean)));
  if (card.why?.length) facts.push(el("ul", { class: "why" }, ...card.why.map((text) => el("li", { text }))));
  const neighbours = neighbourRows(card, context);
  return [
    el("div", { class: "look" },
      el("figure", { class: "large", onclick: context.zoom },
        context.photos.get(card.photos[shown].photo_id, "large", altOf(card, shown)))),
    el("div", { class: "facts" }, ...facts, neighbours),
    photoStrip(card, shown, context),
  ].filter(Boolean); // prettier-ignore
}

// A difference of scores in words: with its sign, which one that is as good as zero has not.
function signed(number) {
  if (Math.abs(number) < 1e-5) return number ? "about 0" : "0";
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toPrecision(2)}`;
}

// One card of the grid: an option of a list box; its corner opens it large.
function tile(card, place, { photos, axes, pick, zoomAt }) {
  const words = (wordsOf(card, { kind: "accept" }, axes) || "nothing proposed").replaceAll("-", "\u2011"); // 30-59 in one
  const sure = card.confidence == null ? "" : percent(card.confidence);
  return el("div", { class: "tile", role: "option", id: `tile-${place}`, onclick: (event) => pick(place, event.shiftKey) },
    el("div", { class: "picture" },
      photos.get(card.photos[0].photo_id, "tile", altOf(card, 0)),
      card.photos.length > 1 ? el("span", { class: "badge", text: `${card.photos.length} photos` }) : null,
      el("span", { class: "corner", title: "look at it large", text: "⤢", "aria-hidden": "true",
        onclick: (event) => { event.stopPropagation(); zoomAt(place); } }),
      el("span", { class: "stamp" })),
    el("div", { class: "caption" }, el("span", { text: words }), el("span", { class: "quiet", text: sure }))); // prettier-ignore
}

function markTile(element, { card, mark, place, count, cursor, selected, axes }) {
  const kind = mark?.kind ?? "";
  element.dataset.mark = kind;
  element.tabIndex = cursor ? 0 : -1;
  element.classList.toggle("cursor", cursor);
  element.classList.toggle("selected", selected);
  element.setAttribute("aria-selected", String(Boolean(kind) && kind !== "accept"));
  const stamps = { accept: "✓ accept", reject: "✕ reject", skip: "later" };
  const stamp = !mark ? "" : stamps[kind] ?? `→ ${wordsOf(card, mark, axes)}`;
  element.querySelector(".stamp").textContent = stamp;
  const words = wordsOf(card, { kind: "accept" }, axes) || "nothing proposed";
  element.setAttribute("aria-label", `${place + 1} of ${count}, ${card.title}: ${words}. ${stamp || "will be accepted"}`);
}

const HELP = [
  ["a", "accept what is proposed"], ["x", "reject it"], ["space", "decide later"], ["backspace", "undo"],
  ["1 2 3", "age: below 30, 30 to 59, 60 and over"], ["4 5", "gender: male, female"],
  ["7 8 9", "mask: worn, incorrect, not worn"], ["shift + 1 … 9", "one more axis before the key that decides"],
  ["enter", "one card: accept; grid: save the page, the rest accepted"], ["arrows", "look at another card"],
  ["shift + arrows, shift + click", "a range of the grid"], ["click in the grid", "this one is wrong"],
  ["z", "large photo"], ["p", "all photos of the person"], ["w", "write why"], ["h", "this help"],
]; // prettier-ignore

function helpParts() {
  const rows = HELP.map(([keys, words]) => el("div", { class: "help-row" }, el("kbd", { text: keys }), el("span", { text: words })));
  return [el("h3", { text: "Keys" }), ...rows];
}
