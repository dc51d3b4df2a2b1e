"""Hair: what falls behind the shoulders and neck, and what lies on the head."""

import numpy as np
from PIL import Image

from core.dataset.demo.canvas import Canvas, Points, darker, lighter, mirrored, oval, smooth
from core.dataset.demo.look import Look


def draw_back_hair(canvas: Canvas, look: Look) -> None:
    """Everything behind the neck."""
    v = 0.10 * look.hair_volume
    shapes: dict[str, list[tuple[float, float]]] = {
        "long": [(0, -1.34 - v), (0.62, -1.22 - v), (1.06 + v, -0.66), (1.16 + v, 0.1), (1.16 + v, 1.1), (1.20 + v, 2.1), (0.98, 2.6), (0, 2.5)],
        "waves": [(0, -1.36 - v), (0.66, -1.24 - v), (1.12 + v, -0.62), (1.20 + v, 0.1), (1.34 + v, 0.7), (1.24 + v, 1.25), (1.40 + v, 1.8), (1.12, 2.45), (0, 2.4)],
        "fringe": [(0, -1.34 - v), (0.62, -1.22 - v), (1.08 + v, -0.64), (1.16 + v, 0.1), (1.18 + v, 1.0), (1.10 + v, 1.85), (0.8, 2.1), (0, 2.0)],
        "bob": [(0, -1.36 - v), (0.66, -1.24 - v), (1.10 + v, -0.64), (1.20 + v, 0.1), (1.22 + v, 0.75), (1.02 + v, 1.22), (0.6, 1.3), (0, 1.2)],
        "medium": [(0, -1.34 - v), (0.64, -1.22 - v), (1.08 + v, -0.62), (1.14 + v, 0.2), (1.12 + v, 0.9), (0.92, 1.35), (0, 1.3)],
        "curls": [(0, -1.5 - v), (0.7, -1.4 - v), (1.22 + v, -0.85), (1.38 + v, -0.1), (1.26 + v, 0.55), (0.9, 0.9), (0, 0.8)],
        "pony": [(0, -1.34 - v), (0.62, -1.22 - v), (1.0 + v, -0.6), (0.98, 0.1), (0.8, 0.6), (0, 0.6)],
    }  # fmt: skip
    if look.bald:
        return
    if look.hair_style == "bun":
        canvas.fill(oval(0.0, -1.42 - v, 0.40, 0.34), look.hair, to=darker(look.hair, 0.3), depth=-0.4)
    if look.hair_style == "pony":
        tail = smooth([(0.5, -0.9), (1.15, -0.7), (1.30, 0.2), (1.22, 1.3), (1.0, 2.0), (0.86, 1.2), (0.9, 0.2)])
        canvas.fill(tail, look.hair, to=darker(look.hair, 0.3), depth=-0.5)
    points = shapes.get(look.hair_style)
    if points is None or (look.male and look.hair_style == "curls"):
        return
    outline = smooth(mirrored(points))
    if look.hair_style == "curls":
        outline = _bumpy(outline, 0.05, 26)
    canvas.fill(outline, darker(look.hair, 0.16), to=darker(look.hair, 0.36), depth=-0.3)


def draw_front_hair(canvas: Canvas, look: Look, face: Image.Image) -> None:
    """The cap of hair on the head, its shadow on the forehead, and its strands."""
    if look.bald:
        _draw_sides(canvas, look)
        return
    outer, inner = _cap(look)
    shape = np.concatenate([outer, inner])
    if look.hair_style == "curls":
        shape = np.concatenate([_bumpy(outer, 0.05, 18, closed=False), _bumpy(inner, 0.03, 12, closed=False)])
    canvas.soft(shape + [0.02, 0.07], darker(look.skin, 0.45), alpha=0.55, blur=0.05, depth=0.2, clip=face)
    canvas.fill(shape, lighter(look.hair, 0.06), to=darker(look.hair, 0.18), depth=0.05)
    _draw_strands(canvas, look, outer, inner, canvas.clip(shape, depth=0.05))


def _cap(look: Look) -> tuple[Points, Points]:
    """Outer line left to right over the crown, and hairline right to left; both open."""
    v, r, part = 0.12 * look.hair_volume, look.recede, look.part
    style = look.hair_style
    short = style in ("crop", "side", "quiff", "buzz", "wave") or (look.male and style == "curls")
    low = 0.02 if short else 0.45
    wide = 1.0 if short else 1.08 + 0.5 * v
    rise = {"buzz": -0.06, "quiff": 0.10, "curls": 0.14}.get(style, 0.02)
    top = -1.27 - rise - v
    outer = [
        (-wide + 0.04, low),
        (-wide - 0.02, -0.45),
        (-0.78, -0.98 - 0.5 * v),
        (-0.35, top + 0.05),
        (0.1, top),
        (0.5, top + 0.12),
        (0.82, -0.94 - 0.5 * v),
        (wide + 0.02, -0.45),
        (wide - 0.04, low),
    ]
    temple = 0.84 if short else 0.90
    peak = -0.80 - 0.22 * r
    corner = -0.66 - 0.40 * r
    if style in ("long", "waves", "bob", "medium") and not (look.male and r > 0.4):
        inner = [
            (0.92, low),
            (0.86, -0.15),
            (0.74, -0.46),
            (0.46, -0.72),
            (part + 0.08, -0.94),
            (part - 0.12, -0.94),
            (-0.40, -0.70),
            (-0.76, -0.42),
            (-0.88, -0.1),
            (-0.92, low),
        ]
    elif style in ("fringe", "pixie"):
        y = -0.40 if style == "fringe" else -0.48
        inner = [
            (0.93, low),
            (0.86, -0.14),
            (0.72, y + 0.06),
            (0.35, y),
            (0, y - 0.03),
            (-0.35, y),
            (-0.72, y + 0.06),
            (-0.86, -0.14),
            (-0.93, low),
        ]
        if style == "pixie":
            inner = [
                (0.93, 0.12),
                (0.84, -0.2),
                (0.70, -0.56),
                (0.30, -0.70),
                (-0.1, -0.60),
                (-0.5, -0.42),
                (-0.78, -0.26),
                (-0.87, -0.1),
                (-0.93, 0.12),
            ]
    elif style in ("side", "wave"):
        inner = [
            (0.93, low),
            (temple, -0.25),
            (0.78, -0.52),
            (0.62, corner),
            (0.30, peak - 0.02),
            (-0.1, peak + 0.10),
            (-0.46, peak + 0.14),
            (-0.68, -0.56),
            (-0.80, -0.45),
            (-temple, -0.22),
            (-0.93, low),
        ]
        if part > 0:
            inner = [(-x, y) for x, y in inner[::-1]]
    else:
        inner = [
            (0.93, low),
            (temple, -0.25),
            (0.80, -0.50),
            (0.60, corner),
            (0.30, peak),
            (0, peak + 0.05),
            (-0.30, peak),
            (-0.60, corner),
            (-0.80, -0.50),
            (-temple, -0.25),
            (-0.93, low),
        ]
    if style in ("bun", "pony"):
        inner = [
            (0.95, 0.3),
            (0.90, -0.2),
            (0.76, -0.52),
            (0.5, -0.76),
            (0, -0.86),
            (-0.5, -0.76),
            (-0.76, -0.52),
            (-0.90, -0.2),
            (-0.95, 0.3),
        ]
    return smooth(outer, closed=False), smooth(inner, closed=False)


def _draw_strands(canvas: Canvas, look: Look, outer: Points, inner: Points, clip: Image.Image) -> None:
    rng = np.random.default_rng([*look.seed, 21])
    shine, shade = lighter(look.hair, 0.22), darker(look.hair, 0.3)
    canvas.soft(oval(-0.30, -1.05, 0.45, 0.11), shine, alpha=0.5, blur=0.10, depth=0.05, clip=clip)
    canvas.soft(
        [(0.5, -1.5), (1.4, -1.2), (1.3, 0.8), (0.8, 0.6)], shade, alpha=0.5, blur=0.14, depth=0.05, clip=clip
    )
    if look.hair_style == "buzz":
        return
    for t in np.linspace(0.08, 0.92, 15):
        t = float(np.clip(t + rng.normal(0, 0.02), 0.02, 0.98))
        start = inner[round((1 - t) * (len(inner) - 1))]
        end = outer[round(t * (len(outer) - 1))]
        middle = 0.5 * (start + end) + [0.10 * np.sign(start[0] - look.part), -0.03]
        colour = shine if rng.random() < 0.5 else shade
        if rng.random() < 0.5 * look.grey:
            colour = (225, 224, 224)
        canvas.stroke([start, middle, end], colour, 0.026, alpha=0.5, depth=0.05, clip=clip)


def _draw_sides(canvas: Canvas, look: Look) -> None:
    """What is left around a bald head, and the shine on it."""
    canvas.soft(oval(-0.22, -0.92, 0.26, 0.13), (255, 250, 244), alpha=0.35, blur=0.09, depth=0.5)
    for side in (-1, 1):
        patch = smooth(
            np.array([(0.84, -0.62), (0.97, -0.66), (1.02, -0.2), (0.98, 0.12), (0.93, -0.02), (0.88, -0.28)])
            * [side, 1]
        )
        canvas.fill(patch, look.hair, to=darker(look.hair, 0.15), alpha=0.9, depth=0.0)


def _bumpy(line: Points, size: float, waves: int, *, closed: bool = True) -> Points:
    """A line with curls along it."""
    count = waves * 8
    base = np.concatenate([line, line[:1]]) if closed else line
    t = np.linspace(0, len(base) - 1, count)
    spot = np.arange(len(base))
    dense = np.stack([np.interp(t, spot, base[:, 0]), np.interp(t, spot, base[:, 1])], axis=1)
    step = np.gradient(dense, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.linalg.norm(step, axis=1), 1e-9)[:, None]
    return dense - normal * (size * np.abs(np.sin(np.linspace(0, waves * np.pi, count))))[:, None]
