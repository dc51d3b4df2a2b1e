// Elements and their texts. Data becomes text by textContent only, never markup.

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const count = (number) => number.toLocaleString("en");

// A status that did not change is not read out again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The lines that tell: how far it is, how much is saved, what went wrong, what was done.
class Telling {
  // spoken: the class of the line for screen readers.
  constructor(spoken) {
    this.progress = el("div", { class: "progress" });
    this.saves = el("div", { class: "saves", role: "status" });
    this.alert = el("div", { class: "alert", role: "alert", hidden: true });
    this.live = el("div", { class: spoken, role: "status", "aria-live": "polite" });
  }

  tellProgress(parts, done, total) {
    setText(this.progress, parts.filter(Boolean).join(" · "));
    this.progress.style.setProperty("--share", `${total ? Math.min(100, (100 * done) / total) : 0}%`);
  }

  // How much is saved, how much is on the way and since when.
  tellSaves(outbox, saved, way) {
    const seconds = Math.round(outbox.lateness() / 1000);
    const late = seconds >= 3;
    const kept = outbox.mirrored ? "kept in this browser" : "do not close this page";
    const waits = way ? ` · ${count(way)} on the way${late ? ` for ${seconds} s, ${kept}` : ""}` : "";
    setText(this.saves, `${count(saved)} saved${waits}`);
    this.saves.dataset.late = String(late);
    if (outbox.problem) this.warn(`Not saved, tried again: ${outbox.problem}`);
    else if (this.alert.textContent.startsWith("Not saved")) this.alert.hidden = true;
  }

  say(words) {
    this.live.textContent = words;
  }

  warn(words) {
    setText(this.alert, words);
    this.alert.hidden = false;
  }
}
