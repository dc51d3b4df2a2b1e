"""Face masks: how they are worn and what they are made of."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.dataset.demo.canvas import Canvas, Colour, Points, darker, lighter, mirrored, mix, oval, smooth
from core.dataset.demo.look import Look


@dataclass(frozen=True)
class Mask:
    """One mask: ``style`` is its make, ``pattern`` what is printed on it."""

    style: str
    colour: Colour
    second: Colour
    pattern: str = "plain"


_PRINTS: tuple[tuple[Colour, Colour], ...] = (
    ((196, 92, 84), (246, 226, 210)), ((60, 84, 120), (226, 232, 238)), ((94, 124, 104), (232, 226, 200)),
    ((222, 184, 120), (120, 84, 60)), ((170, 130, 168), (242, 230, 240)), ((236, 228, 216), (176, 84, 88)),
)  # fmt: skip
_PATTERNS = ("dots", "stripes", "check", "leaves", "waves")


def draw_wardrobe(rng: np.random.Generator) -> list[Mask]:
    """Six masks of one person, shuffled: surgical, cloth, KF94, black, patterned and one more."""
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731
    white: Colour = (242, 243, 242)
    first, second = pick(_PRINTS)
    third, fourth = pick(_PRINTS)
    cloth: Colour = pick(((92, 108, 128), (150, 120, 116), (108, 128, 112), (206, 176, 168), (88, 88, 96)))
    masks = [
        Mask("surgical", pick(((154, 196, 218), (164, 208, 196), (236, 240, 242))), white),
        Mask("cloth", cloth, white),
        Mask("kf94", white, (214, 216, 218)),
        Mask(pick(("cloth", "kf94")), (44, 44, 48), (84, 84, 90)),
        Mask("cloth", first, second, pick(_PATTERNS)),
        pick(
            (
                Mask("surgical", (158, 200, 222), white),
                Mask("cloth", third, fourth, pick(_PATTERNS)),
                Mask("kf94", white, (214, 216, 218)),
            )
        ),
    ]
    return [masks[i] for i in rng.permutation(len(masks))]


def draw_mask(canvas: Canvas, look: Look, mask: Mask, worn: str, rng: np.random.Generator) -> None:
    """Draw one mask; ``worn`` is ``worn``, ``nose`` (below the nose) or ``chin``."""
    outline, top, bottom = _outline(look, mask, worn, rng)
    _draw_straps(canvas, look, mask, outline, worn)
    canvas.soft(outline + [0.03, 0.05], darker(look.skin, 0.6), alpha=0.45, blur=0.04, depth=0.1)
    canvas.fill(outline, lighter(mask.colour, 0.10), to=darker(mask.colour, 0.10), depth=0.1)
    clip = canvas.clip(outline, depth=0.1)
    _draw_pattern(canvas, mask, clip, top, bottom)
    _draw_folds(canvas, mask, clip, top, bottom, worn)
    shadow = darker(mix(mask.colour, (60, 70, 90), 0.12), 0.42)
    canvas.soft(
        [(0.55, top - 0.3), (1.3, top - 0.3), (1.3, bottom + 0.2), (0.2, bottom + 0.2), (0.52, top + 0.6)],
        shadow,
        alpha=0.55,
        blur=0.14,
        depth=0.1,
        clip=clip,
    )
    canvas.soft(
        [(-0.72, top - 0.1), (-1.3, top), (-1.3, bottom), (-0.5, bottom)],
        shadow,
        alpha=0.30,
        blur=0.12,
        depth=0.1,
        clip=clip,
    )
    canvas.soft(
        oval(-0.16, 0.5 * (top + bottom) - 0.10, 0.24, 0.22 * (bottom - top)),
        lighter(mask.colour, 0.6),
        alpha=0.35,
        blur=0.13,
        clip=clip,
    )


def _outline(look: Look, mask: Mask, worn: str, rng: np.random.Generator) -> tuple[Points, float, float]:
    jaw, chin, low = look.jaw, look.chin, look.chin_y
    if worn == "worn":
        top = 0.13 + float(rng.uniform(-0.03, 0.05))
        side, edge = 0.90, top + 0.12
        half = [
            (0, top),
            (0.16, top + 0.03),
            (0.45, top + 0.16),
            (side, edge),
            (0.94, 0.62),
            (jaw + 0.10, 1.02),
            (chin + 0.10, low + 0.06),
            (0, low + 0.10),
        ]
        if mask.style == "kf94":
            half = [
                (0, top - 0.02),
                (0.18, top + 0.04),
                (0.52, top + 0.22),
                (0.93, edge + 0.16),
                (0.96, 0.74),
                (jaw + 0.06, 1.08),
                (chin + 0.12, low + 0.07),
                (0, low + 0.12),
            ]
    elif worn == "nose":
        top = look.nose_y + float(rng.uniform(0.06, 0.14))
        half = [
            (0, top),
            (0.3, top - 0.01),
            (0.66, top - 0.06),
            (0.93, top - 0.14),
            (0.95, 0.72),
            (jaw + 0.09, 1.06),
            (chin + 0.12, low + 0.10),
            (0, low + 0.15),
        ]
    else:
        top = look.mouth_y + look.lip_full * 1.3 + float(rng.uniform(0.06, 0.12))
        half = [
            (0, top),
            (0.28, top - 0.01),
            (0.58, top - 0.10),
            (0.82, top - 0.24),
            (0.86, top - 0.05),
            (jaw + 0.04, 1.12),
            (chin + 0.16, low + 0.16),
            (0, low + 0.24),
        ]
    outline = smooth(mirrored(half))
    return outline, top, float(outline[:, 1].max())


def _draw_straps(canvas: Canvas, look: Look, mask: Mask, outline: Points, worn: str) -> None:
    colour = (
        darker(mix(mask.colour, (240, 240, 240), 0.6), 0.12) if mask.pattern == "plain" else darker(mask.colour, 0.2)
    )
    corner = outline[np.abs(outline[:, 0] - outline[:, 0].max()).argmin()]
    y = float(corner[1])
    for side in (-1, 1):
        upper = [
            (side * 0.86, y - 0.04),
            (side * 0.96, y - 0.14 if worn == "worn" else y - 0.3),
            (side * 1.06, -0.02),
        ]
        lower = [(side * 0.84, y + 0.3), (side * 0.96, max(y - 0.0, 0.34)), (side * 1.05, 0.24)]
        for line in (upper, lower):
            canvas.stroke(line, colour, 0.034, taper=(1, 1), depth=-0.05)


def _draw_folds(canvas: Canvas, mask: Mask, clip: Image.Image, top: float, bottom: float, worn: str) -> None:
    dark, light = darker(mask.colour, 0.30), lighter(mask.colour, 0.4)
    span = bottom - top
    if mask.style == "surgical":
        for t in (0.34, 0.52, 0.70):
            y = top + t * span
            line = [(-1.0, y - 0.02), (-0.5, y + 0.03), (0, y + 0.05), (0.5, y + 0.03), (1.0, y - 0.02)]
            canvas.stroke(line, dark, 0.035, alpha=0.55, clip=clip)
            canvas.stroke(np.array(line) + [0, 0.03], light, 0.02, alpha=0.6, clip=clip)
        band = [
            (-0.7, top + 0.20),
            (-0.3, top + 0.10),
            (0, top + 0.065),
            (0.3, top + 0.10),
            (0.7, top + 0.20),
        ]
        canvas.stroke(band, light, 0.06, alpha=0.55, taper=(1, 1), clip=clip)
    elif mask.style == "kf94":
        for t, bend in ((0.33, -0.16), (0.72, 0.12)):
            y = top + t * span
            line = [
                (-0.98, y + 0.10 - bend),
                (-0.45, y + 0.5 * bend),
                (0, y + bend * 0.8),
                (0.45, y + 0.5 * bend),
                (0.98, y + 0.10 - bend),
            ]
            canvas.stroke(line, dark, 0.035, alpha=0.6, clip=clip)
            canvas.stroke(np.array(line) + [0, 0.03], light, 0.02, alpha=0.5, clip=clip)
    else:
        canvas.stroke(
            [(0, top), (0.03, top + 0.5 * span), (0, bottom)], dark, 0.03, alpha=0.6, taper=(1, 1), clip=clip
        )
        edge = [
            (-0.9, top + 0.20),
            (-0.45, top + 0.21),
            (-0.15, top + 0.08),
            (0, top + 0.05),
            (0.15, top + 0.08),
            (0.45, top + 0.21),
            (0.9, top + 0.20),
        ]
        canvas.stroke(edge, dark, 0.018, alpha=0.45, taper=(1, 1), clip=clip)
    if worn == "chin":
        for t in (0.35, 0.65):
            y = top + t * span
            canvas.stroke([(-0.7, y - 0.10), (0, y + 0.03), (0.7, y - 0.10)], dark, 0.04, alpha=0.6, clip=clip)


def _draw_pattern(canvas: Canvas, mask: Mask, clip: Image.Image, top: float, bottom: float) -> None:
    ys = np.arange(top - 0.3, bottom + 0.1, 0.16)
    if mask.pattern == "dots":
        for row, y in enumerate(ys):
            for x in np.arange(-1.1, 1.1, 0.20) + 0.1 * (row % 2):
                canvas.fill(oval(x, y, 0.042, 0.042), mask.second, clip=clip)
    elif mask.pattern in ("stripes", "waves"):
        wave = 0.05 if mask.pattern == "waves" else 0.0
        x = np.linspace(-1.1, 1.1, 15)
        for y in ys:
            line = np.stack([x, y + wave * np.sin(9 * x)], axis=1)
            canvas.stroke(line, mask.second, 0.05, taper=(1, 1), clip=clip)
    elif mask.pattern == "check":
        for y in ys:
            canvas.stroke([(-1.2, y), (0, y + 0.02), (1.2, y)], mask.second, 0.06, alpha=0.5, taper=(1, 1), clip=clip)
        for x in np.arange(-1.1, 1.1, 0.16):
            canvas.stroke([(x, top - 0.3), (x, bottom)], mask.second, 0.06, alpha=0.5, taper=(1, 1), clip=clip)
    elif mask.pattern == "leaves":
        for row, y in enumerate(ys):
            for x in np.arange(-1.1, 1.1, 0.24) + 0.12 * (row % 2):
                canvas.stroke(
                    [(x - 0.06, y + 0.05), (x, y - 0.01), (x + 0.07, y - 0.05)], mask.second, 0.06, clip=clip
                )
