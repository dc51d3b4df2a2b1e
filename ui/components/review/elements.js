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

// How much is saved, how much is on the way and since when.
function savingWords(outbox, saved, way) {
  const seconds = Math.round(outbox.lateness() / 1000);
  const late = seconds >= 3;
  const kept = outbox.mirrored ? "kept in this browser" : "do not close this page";
  const waits = way ? ` · ${count(way)} on the way${late ? ` for ${seconds} s, ${kept}` : ""}` : "";
  return { text: `${count(saved)} saved${waits}`, late };
}
