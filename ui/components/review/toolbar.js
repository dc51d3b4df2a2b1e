// The key card: a button for every key, which says what the key would do to the card in hand.

const GROUPS = [
  ["decide", ["a", "x", "space"]],
  ["age_band", ["1", "2", "3"]],
  ["gender", ["4", "5"]],
  ["mask", ["7", "8", "9"]],
  ["page", ["enter", "backspace", "z", "p", "h"]],
];
const NAMES = { a: "accept", x: "reject", space: "later", backspace: "undo", z: "large", p: "person", h: "keys" };
const CAPS = { space: "space", backspace: "⌫", enter: "⏎" };

class Toolbar {
  constructor(press) {
    this.press = press;
    this.buttons = new Map();
    this.choices = el("div", { class: "group choices" });
    this.element = el("div", { class: "toolbar", role: "toolbar", "aria-label": "Keys" });
    for (const [name, keys] of GROUPS) {
      const group = el("div", { class: `group ${name}`, role: "group", "aria-label": AXIS_TITLES[name] ?? name });
      for (const key of keys) group.append(this._button(key));
      this.element.append(group);
      if (name === "decide") this.element.append(this.choices);
    }
    // A click must not take the focus: space and enter would press that button again.
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
  }

  // Say what each key would do; `card` is null when nothing is left.
  update({ card, mark, mode, left, canUndo, axes }) {
    for (const [key, { button, name, effect }] of this.buttons) {
      const does = card && markOf(card, key, mark);
      const isAxis = key in AXIS_KEYS;
      const decides = isAxis || key in KIND_KEYS;
      button.disabled = key === "backspace" ? !canUndo : key !== "h" && (decides ? !does : !card);
      if (isAxis) {
        button.hidden = Boolean(card && !does); // a person's photos wear their masks differently
        const [axis, value] = AXIS_KEYS[key];
        name.textContent = axes[AXES.indexOf(axis)][value];
        effect.textContent = tagOf(card, axis, value);
        button.classList.toggle("chosen", mark?.kind === "relabel" && mark.axes[axis] === value);
      } else if (key in KIND_KEYS) {
        effect.textContent = does && key !== "space" ? wordsOf(card, does, axes) : "";
        button.classList.toggle("chosen", mark?.kind === KIND_KEYS[key]);
      } else if (key === "enter") {
        button.hidden = mode === "card" && !mark; // accept says the same
        name.textContent = mode === "grid" ? "save page" : mark ? "save" : "accept";
        effect.textContent = mode === "grid" ? left : mark ? wordsOf(card, mark, axes) : "";
      }
      button.setAttribute("aria-label", `${name.textContent} ${effect.textContent}, key ${key}`);
    }
    const choices = card?.choices ?? [];
    this.choices.replaceChildren(...choices.map((choice) => this._button(choice.key, choice.words, mark?.choice === choice)));
  }

  _button(key, words = "", chosen = false) {
    const name = el("span", { class: "verb", text: words || NAMES[key] || "" });
    const effect = el("span", { class: "effect" });
    const button = el("button", {
      type: "button", class: chosen ? "chosen" : "", "data-key": key, "aria-keyshortcuts": key,
      onclick: (event) => this.press(key, event.shiftKey),
    }, el("kbd", { text: CAPS[key] ?? key.toUpperCase() }), el("span", { class: "words" }, name, effect)); // prettier-ignore
    if (!words) this.buttons.set(key, { button, name, effect });
    return button;
  }
}
