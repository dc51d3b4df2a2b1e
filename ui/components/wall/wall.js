// Photos as buttons in a grid: a click, Enter or space opens one; arrows move the focus.

function draw(photo, open) {
  const figure = document.createElement("figure");
  const button = document.createElement("button");
  const image = document.createElement("img");
  const caption = document.createElement("figcaption");
  button.type = "button";
  button.title = photo.id;
  button.onclick = () => open(photo.id);
  image.src = photo.src;
  image.alt = `${photo.caption}, ${photo.id}`;
  image.loading = "lazy";
  caption.textContent = photo.caption;
  if (photo.mark) figure.dataset.mark = photo.mark;
  button.append(image);
  figure.append(button, caption);
  return figure;
}

function step(event, wall) {
  const buttons = [...wall.querySelectorAll("button")];
  const here = buttons.indexOf(event.target.closest("button"));
  const top = buttons[0]?.getBoundingClientRect().top;
  const across = buttons.filter((button) => button.getBoundingClientRect().top === top).length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.code];
  if (here < 0 || !by || !buttons[here + by]) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[here + by].focus();
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const wall = parentElement.querySelector(".wall");
  const shown = JSON.stringify(data);
  wall.style.setProperty("--least", `${data.width}px`);
  wall.onkeydown = (event) => step(event, wall);
  if (wall.dataset.shown === shown) return;
  wall.dataset.shown = shown;
  const place = [...wall.querySelectorAll("button")].indexOf(document.activeElement);
  wall.replaceChildren(...data.photos.map((photo) => draw(photo, (id) => setTriggerValue("open", id))));
  if (place < 0) return;
  const buttons = wall.querySelectorAll("button"); // the focus stays here: without it a dialog does not hear Escape
  buttons[Math.min(place, buttons.length - 1)]?.focus({ preventScroll: true });
}
