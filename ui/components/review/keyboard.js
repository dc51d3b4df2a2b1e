// Which key presses belong to the review, and which to the page around it.

// The key of an event by its place on the keyboard: with a Korean input method event.key is "Process".
function keyOf(event) {
  const code = event.code || event.key;
  if (/^Key[A-Z]$/.test(code)) return code.slice(3).toLowerCase();
  if (/^(Digit|Numpad)\d$/.test(code)) return code.at(-1);
  if (code === "NumpadEnter") return "enter";
  return { " ": "space" }[code] ?? code.toLowerCase().replace("arrow", "");
}

const EDITABLE = "input, textarea, select, [contenteditable=''], [contenteditable=true]";
const ARROWS = ["left", "right", "up", "down"];
const PRESSED = "button, summary, a, [role=radio], [role=button]"; // letters mean nothing to these: only enter, space, arrows

class Keyboard {
  // `words` is the review's own text field; enter and escape lead `back` from it.
  constructor(root, { words, press, back }) {
    Object.assign(this, { root, words, press, back });
    this._listener = (event) => this._onKey(event);
    window.addEventListener("keydown", this._listener, true);
  }

  close() {
    window.removeEventListener("keydown", this._listener, true);
  }

  _onKey(event) {
    const target = event.composedPath()[0];
    if (target === this.words) return this._inWords(event);
    const key = keyOf(event);
    if (event.ctrlKey || event.metaKey || event.altKey || !this._isOurs(event, target, key)) return;
    if (target.matches?.("button") && (key === "enter" || key === "space")) return; // the button's own
    if (event.repeat && !ARROWS.includes(key)) return event.preventDefault(); // a key held down decides once
    if (this.press(key, event.shiftKey)) event.preventDefault();
    if (key.length === 1 || event.defaultPrevented) event.stopPropagation(); // Streamlit has keys of its own
  }

  // Not what is typed into a field, nor what another part of the page has the focus for.
  _isOurs(event, target, key) {
    if (target.matches?.(EDITABLE)) return false;
    if (event.composedPath().includes(this.root) || target === document.body || !(target.tabIndex >= 0)) return true;
    return (key.length === 1 || key === "backspace") && target.matches(PRESSED) && !target.closest("[role=dialog]");
  }

  _inWords(event) {
    event.stopPropagation();
    if (!["Enter", "Escape"].includes(event.key) || event.isComposing) return;
    event.preventDefault();
    this.back();
  }
}
