// What a key means for a card: as a mark on the card, as words, and as decisions. Nothing here touches the screen.
//
// A mark is {kind: accept | reject | skip}, {kind: relabel, axes: {mask, gender, age_band}} or {kind: choice, choice}.

const AXES = ["mask", "gender", "age_band"];
const AXIS_KEYS = {
  1: ["age_band", 0], 2: ["age_band", 1], 3: ["age_band", 2],
  4: ["gender", 0], 5: ["gender", 1],
  7: ["mask", 0], 8: ["mask", 1], 9: ["mask", 2],
}; // prettier-ignore
const KIND_KEYS = { a: "accept", x: "reject", space: "skip" };

const cardId = (card) => `${card.unit}:${card.target}`;
const isWhole = (axes) => AXES.every((axis) => axes[axis] != null);
const given = (axes) => Object.fromEntries(AXES.filter((axis) => axes?.[axis] != null).map((axis) => [axis, axes[axis]]));
const same = (a, b) => AXES.every((axis) => (a[axis] ?? null) === (b[axis] ?? null));

// Evaluation photos have no label; a person of theirs is a found group, decided photo by photo.
const isEvaluation = (card) => card.current === null;

// The choice that belongs to what is proposed, such as a swap of two masks: accepting makes it.
const proposedChoice = (card) => card.choices?.find((choice) => choice.proposed);

// The axes that are proposed, but for what the choice gives the photo together with another one.
function proposedAxes(card) {
  const proposed = given(card.proposal);
  if (proposedChoice(card)) delete proposed.mask;
  return proposed;
}

// The axes that accepting gives: those proposed, or where none is the label as it stands.
function acceptedAxes(card) {
  const proposed = proposedAxes(card);
  const said = isEvaluation(card) || (card.unit === "photo" && proposedChoice(card));
  return said || Object.keys(proposed).length ? proposed : given(card.current);
}

// Whether making a choice is all that accepting the card would do.
const isWholeAnswer = (card, choice) => choice.proposed && !Object.keys(given(card.proposal)).length;

const canAccept = (card) => Boolean(proposedChoice(card)) || Object.keys(acceptedAxes(card)).length > 0;

// The mark that a key puts on a card, null when the key means nothing here.
function markOf(card, key, before) {
  const choice = card.choices?.find((each) => each.key === key);
  if (choice) return isWholeAnswer(card, choice) ? { kind: "accept" } : { kind: "choice", choice };
  if (key in AXIS_KEYS) {
    const [axis, value] = AXIS_KEYS[key];
    if (axis === "mask" && card.unit === "person") return null; // the seven photos wear it differently
    return { kind: "relabel", axes: { ...(before?.kind === "relabel" ? before.axes : {}), [axis]: value } };
  }
  if (key === "a" && !canAccept(card)) return null;
  return key in KIND_KEYS ? { kind: KIND_KEYS[key] } : null;
}

// The decisions of a mark, without nonce, seconds and words.
function itemsOf(card, mark, axisNames) {
  if (mark.kind === "choice") return mark.choice.items;
  if (isEvaluation(card) && card.unit === "person") {
    const open = card.photos.filter((photo) => !photo.decided); // what was decided photo by photo stays, unless all is
    return (open.length ? open : card.photos).map((photo) => {
      const proposal = { ...given(card.proposal), ...(photo.mask == null ? {} : { mask: photo.mask }) };
      const label = isWhole(proposal) ? labelOf(proposal, axisNames) : null;
      return itemOf({ unit: "photo", target: photo.photo_id, accepted: proposal, proposal, label, card, mark });
    });
  }
  const proposal = given(card.proposal);
  const accepted = acceptedAxes(card);
  const choice = mark.kind === "accept" ? proposedChoice(card) : null;
  if (choice && !Object.keys(accepted).length) return choice.items;
  const item = itemOf({ unit: card.unit, target: card.target, accepted, proposal, label: card.label ?? null, card, mark });
  return [item, ...(choice?.items ?? [])];
}

function itemOf({ unit, target, accepted, proposal, label, card, mark }) {
  let kind = mark.kind;
  let axes = kind === "accept" ? accepted : {};
  if (kind === "relabel") {
    axes = isEvaluation(card) ? { ...proposal, ...mark.axes } : mark.axes; // a train photo keeps its other axes
    if (same(axes, proposal)) kind = "accept";
  }
  const values = Object.fromEntries(AXES.map((axis) => [axis, axes[axis] ?? null]));
  return { unit, target, kind, ...values, age_years: null, proposal: label, confidence: card.confidence ?? null };
}

// The class 0..17: the last axis counts fastest, as in core/taxonomy.py.
const labelOf = (axes, axisNames) => AXES.reduce((label, axis, i) => label * axisNames[i].length + axes[axis], 0);

const axisWords = (axes, axisNames) =>
  AXES.map((axis, i) => (axes?.[axis] == null ? null : axisNames[i][axes[axis]])).filter(Boolean).join(", ");

// What a mark would do to a card, in a few words.
function wordsOf(card, mark, axisNames) {
  if (mark.kind === "choice") return mark.choice.words;
  if (mark.kind === "skip") return "decide later";
  if (mark.kind === "relabel") return axisWords(mark.axes, axisNames);
  if (mark.kind === "accept") {
    const choice = proposedChoice(card);
    return [axisWords(choice ? proposedAxes(card) : acceptedAxes(card), axisNames), choice?.words].filter(Boolean).join("; ");
  }
  return isEvaluation(card) ? "no label" : "the label stays";
}
