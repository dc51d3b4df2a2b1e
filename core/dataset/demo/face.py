"""The head without hair: skin and its shading, eyes, brows, nose, mouth, beard, glasses, age."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.dataset.demo.canvas import Canvas, Colour, Points, darker, lighter, mirrored, mix, oval, smooth
from core.dataset.demo.look import Look

DARK: Colour = (40, 28, 28)


@dataclass(frozen=True)
class Expression:
    """What changes in a face between two photos, in face units."""

    smile: float = 0.0
    open_eyes: float = 1.0
    raise_brows: float = 0.0
    gaze: float = 0.0


def face_outline(look: Look) -> Points:
    """The head's silhouette from crown to chin."""
    sag = 0.05 * look.sag
    return smooth(
        mirrored(
            [
                (0, -1.20), (0.46, -1.12), (0.80, -0.82), (0.95, -0.35), (look.cheek, 0.10),
                (look.cheek - 0.07, 0.50), (look.jaw + 0.02 + sag, 0.90 + sag), (look.chin + 0.10, 1.19 + 0.3 * sag), (look.chin * 0.55, look.chin_y - 0.015), (0, look.chin_y),
            ]
        )
    )  # fmt: skip


def draw_head(canvas: Canvas, look: Look, face: Expression) -> Image.Image:
    """Ears, skin, features and signs of age. Returns the mask of the face, for hair and masks."""
    shadow = darker(look.skin, 0.24)
    for side in (-1, 1):
        ear = smooth(
            [
                (side * x, y)
                for x, y in (
                    (0.90, -0.16),
                    (1.06, -0.22),
                    (1.12, -0.04),
                    (1.06, 0.22),
                    (0.96, 0.36),
                    (0.88, 0.26),
                )
            ]
        )
        canvas.fill(ear, look.skin, to=darker(look.skin, 0.12), depth=-0.2)
        inner = smooth(
            [(side * x, y) for x, y in ((0.96, -0.08), (1.04, -0.12), (1.06, 0.02), (1.00, 0.20), (0.95, 0.16))]
        )
        canvas.fill(inner, shadow, alpha=0.6, depth=-0.2)
        if look.earrings:
            canvas.fill(oval(side * 1.0, 0.40, 0.04, 0.05), (226, 190, 110), depth=-0.2)
    outline = face_outline(look)
    canvas.fill(outline, lighter(look.skin, 0.10), to=darker(look.skin, 0.06), depth=0)
    clip = canvas.clip(outline, depth=0)
    _shade_skin(canvas, look, clip)
    _age_skin(canvas, look, clip)
    _draw_beard_shadow(canvas, look, clip)
    _draw_nose(canvas, look, clip)
    for side in (-1, 1):
        _draw_eye(canvas, look, face, side)
        _draw_brow(canvas, look, face, side)
    _draw_beard(canvas, look, face, clip)
    _draw_mouth(canvas, look, face)
    return clip


def _shade_skin(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    shadow, blush = darker(look.skin, 0.30), mix(look.skin, (226, 92, 84), 0.45)
    rim = face_outline(look)
    canvas.soft(
        np.concatenate([rim[: len(rim) // 2 + 1], [(-0.1, 0.6), (0.62, 0.3), (0.6, -0.6)]]),
        shadow,
        alpha=0.0,
        blur=0.1,
    )
    side = smooth([(1.1, -1.0), (0.80, -0.3), (0.74, 0.3), (0.52, 0.9), (0.1, 1.45), (1.2, 1.4)])
    canvas.soft(side, shadow, alpha=0.55, blur=0.13, depth=0, clip=clip)
    canvas.soft(side * [-1, 1] + [-0.12, 0], shadow, alpha=0.25, blur=0.14, depth=0, clip=clip)
    for x in (-1, 1):
        canvas.soft(
            oval(x * look.eye_x, -0.06, 0.27, 0.20),
            shadow,
            alpha=0.28 + 0.14 * look.sag,
            blur=0.09,
            clip=clip,
        )
        canvas.soft(
            oval(x * 0.56, 0.42, 0.24, 0.18),
            blush,
            alpha=0.34 + 0.2 * look.makeup - 0.14 * look.lines,
            blur=0.12,
            clip=clip,
        )
        canvas.soft(oval(x * 0.50, 0.24, 0.18, 0.08), lighter(look.skin, 0.6), alpha=0.35, blur=0.08, clip=clip)
    canvas.soft(oval(0, -0.62, 0.45, 0.20), lighter(look.skin, 0.5), alpha=0.35, blur=0.16, clip=clip)
    canvas.soft(oval(0, 1.12, 0.16, 0.08), lighter(look.skin, 0.4), alpha=0.35, blur=0.07, clip=clip)
    rng = np.random.default_rng([*look.seed, 11])
    for x, y in rng.uniform((-0.7, 0.12), (0.7, 0.5), (int(34 * look.freckles), 2)):
        canvas.fill(oval(x, y, 0.016, 0.014), darker(look.skin, 0.34), alpha=0.5)


def _age_skin(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    """Lines, bags, folds and spots, all growing with age."""
    line, dim = darker(look.skin, 0.42), darker(look.skin, 0.32)
    strength = look.lines
    rng = np.random.default_rng([*look.seed, 12])
    for row in range(round(4.2 * strength - 0.3)):
        y, half = -0.50 - 0.13 * row + rng.normal(0, 0.012), 0.52 - 0.05 * row
        bend = rng.normal(0, 0.015, 3)
        points = [
            (-half, y + 0.03),
            (-half / 2, y + bend[0]),
            (0, y + 0.02 + bend[1]),
            (half / 2, y + bend[2]),
            (half, y + 0.03),
        ]
        canvas.stroke(points, line, 0.020 + 0.012 * strength, alpha=min(0.2 + 0.6 * strength, 0.75), clip=clip)
    for side in (-1, 1):
        s = np.array([side, 1.0])
        x = look.eye_x + look.eye_w
        for k in range(round(3.4 * strength)):
            y = -0.08 + 0.085 * k
            points = [(x + 0.05, 0.01 + 0.4 * (y + 0.0)), (x + 0.13, y), (x + 0.22, y + 0.06 * (k - 1))]
            canvas.stroke(points * s, line, 0.016 + 0.01 * strength, alpha=0.3 + 0.45 * strength, clip=clip)
        bag = np.array([(look.eye_x - 0.17, 0.14), (look.eye_x, 0.215 + 0.03 * look.sag), (look.eye_x + 0.18, 0.13)])
        canvas.stroke(bag * s, line, 0.018 + 0.016 * strength, alpha=0.08 + 0.55 * strength, clip=clip)
        canvas.soft(
            oval(side * look.eye_x, 0.16, 0.17, 0.06),
            darker(look.skin, 0.4),
            alpha=0.45 * look.sag,
            blur=0.05,
            clip=clip,
        )
        fold = np.array(
            [
                (look.nose_w + 0.05, look.nose_y - 0.08),
                (look.nose_w + 0.17, look.nose_y + 0.12),
                (look.mouth_w + 0.06, look.mouth_y + 0.02),
            ]
        )
        canvas.stroke(
            fold * s, line, 0.020 + 0.026 * strength, alpha=0.08 + 0.6 * strength, taper=(0.2, 0.0), clip=clip
        )
        canvas.soft(
            (fold + [0.05, 0.0])[[0, 1, 2, 1]] * s + [[0, 0], [side * 0.03, 0], [0, 0], [side * 0.1, 0]],
            dim,
            alpha=0.5 * look.sag,
            blur=0.05,
            clip=clip,
        )
        marionette = np.array(
            [
                (look.mouth_w + 0.04, look.mouth_y + 0.05),
                (look.mouth_w + 0.05, look.mouth_y + 0.16),
                (look.mouth_w + 0.0, look.mouth_y + 0.26),
            ]
        )
        canvas.stroke(marionette * s, line, 0.03, alpha=0.65 * look.sag, clip=clip)
        jowl = np.array([(look.jaw - 0.02, 0.86), (look.jaw - 0.16, 1.06), (look.chin - 0.02, 1.12)])
        canvas.stroke(jowl * s, dim, 0.06, alpha=0.5 * look.sag, clip=clip)
        canvas.soft(oval(side * 0.66, 0.62, 0.10, 0.22), dim, alpha=0.42 * look.sag, blur=0.08, clip=clip)
        frown = np.array([(0.07, -0.36), (0.055, -0.27), (0.075, -0.18)])
        canvas.stroke(frown * s, line, 0.022, alpha=0.6 * max(strength - 0.25, 0), clip=clip)
    for x, y in rng.uniform((-0.82, -0.85), (0.82, 0.6), (round(13 * look.spots), 2)):
        size = rng.uniform(0.018, 0.045)
        canvas.fill(oval(x, y, size, size * 0.8), darker(look.skin, 0.34), alpha=0.45, clip=clip)


def _draw_nose(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    w, y = look.nose_w, look.nose_y
    shadow = darker(look.skin, 0.34)
    canvas.soft(
        smooth([(0.07, -0.22), (0.10, 0.1), (w + 0.04, y - 0.10), (w + 0.03, y), (0.07, y - 0.12), (0.05, 0.1)]),
        shadow,
        alpha=0.6,
        blur=0.03,
        clip=clip,
    )
    canvas.soft(smooth([(-0.10, -0.22), (-0.06, 0.02), (-0.10, 0.02)]), shadow, alpha=0.3, blur=0.04, clip=clip)
    canvas.soft(oval(-0.02, 0.15, 0.035, 0.24), lighter(look.skin, 0.7), alpha=0.4, blur=0.03, clip=clip)
    canvas.soft(oval(-0.03, y - 0.10, 0.06, 0.05), lighter(look.skin, 0.8), alpha=0.5, blur=0.03, clip=clip)
    base = smooth(
        [
            (-w, y - 0.06),
            (-w * 0.8, y + 0.02),
            (-w * 0.35, y + 0.01),
            (0, y + 0.045),
            (w * 0.35, y + 0.01),
            (w * 0.8, y + 0.02),
            (w, y - 0.06),
            (w * 0.5, y - 0.02),
            (0, y + 0.005),
            (-w * 0.5, y - 0.02),
        ]
    )
    canvas.fill(base, darker(look.skin, 0.36), alpha=0.85)
    for side in (-1, 1):
        canvas.fill(oval(side * w * 0.48, y - 0.002, w * 0.24, 0.022), darker(look.skin, 0.62), alpha=0.8)
        wing = np.array([(w * 0.92, y - 0.13), (w * 1.1, y - 0.05), (w * 0.92, y + 0.01)]) * [side, 1]
        canvas.stroke(wing, darker(look.skin, 0.38), 0.025, alpha=0.8)
    canvas.soft(oval(0, y + 0.13, 0.06, 0.07), shadow, alpha=0.35, blur=0.04, clip=clip)


def _draw_eye(canvas: Canvas, look: Look, face: Expression, side: int) -> None:
    w, h, tilt = look.eye_w, look.eye_h * face.open_eyes, look.eye_tilt
    x = look.eye_x

    def at(points: list[tuple[float, float]]) -> Points:
        return np.array([(side * (x + px), py - tilt * px / w) for px, py in points])

    hood = 0.02 * look.sag
    lid = smooth(
        at(
            [
                (-w, 0.025),
                (-0.55 * w, -0.75 * h + hood),
                (0.05 * w, -h + hood),
                (0.65 * w, -0.68 * h + 1.6 * hood),
                (w, -0.01),
            ]
        ),
        closed=False,
    )
    low = smooth(
        at([(w, -0.01), (0.5 * w, 0.52 * h), (-0.1 * w, 0.66 * h), (-0.6 * w, 0.48 * h), (-w, 0.025)]),
        closed=False,
    )
    white = np.concatenate([lid, low])
    canvas.fill(white, (238, 232, 228), to=(250, 247, 244))
    clip = canvas.clip(white)
    centre = side * x + face.gaze, -0.12 * h
    radius = 0.098
    canvas.fill(oval(*centre, radius, radius), darker(look.iris, 0.35), to=look.iris, clip=clip)
    canvas.fill(
        oval(centre[0], centre[1] + 0.02, radius * 0.74, radius * 0.72),
        look.iris,
        to=lighter(look.iris, 0.25),
        clip=clip,
    )
    canvas.fill(oval(*centre, 0.047, 0.047), (22, 18, 20), clip=clip)
    canvas.soft(lid[:, :] + [0, -0.01], DARK, alpha=0.55, blur=0.028, clip=clip)
    canvas.fill(oval(centre[0] - 0.035, centre[1] - 0.035, 0.022, 0.024), (255, 255, 255), clip=clip)
    lash = mix(DARK, (20, 14, 16), look.lash)
    wing = at([(1.16 * w, -0.045)]) if look.lash > 0.5 else at([(1.05 * w, 0.0)])
    edge = np.concatenate([lid, wing])
    canvas.fill(_thick_lid(edge, 0.022 + 0.026 * look.lash, side), lash)
    canvas.stroke(low[::4], darker(look.skin, 0.5), 0.014 + 0.006 * look.lash, alpha=0.7)
    crease = lid + np.array([0, -0.050 - 0.01 * look.makeup]) * np.sin(np.linspace(0.35, 2.9, len(lid)))[:, None]
    canvas.stroke(crease[::6], darker(look.skin, 0.44), 0.018, alpha=0.75)
    if look.makeup > 0.35:
        canvas.soft(
            np.concatenate([lid, crease[::-1]]),
            mix(look.lips, look.skin, 0.35),
            alpha=0.5 * look.makeup,
            blur=0.025,
        )


def _thick_lid(line: Points, width: float, side: int) -> Points:
    """The upper lashes: thin at the inner corner, full at two thirds, pointed outside."""
    t = np.linspace(0, 1, len(line))
    lift = width * np.interp(t, [0, 0.3, 0.75, 1], [0.25, 0.8, 1.0, 0.1])
    return np.concatenate([line + [0, 0.008], (line - np.stack([0 * lift, lift], axis=1))[::-1]])


def _draw_brow(canvas: Canvas, look: Look, face: Expression, side: int) -> None:
    y, x, arch, thick = look.brow_y - face.raise_brows, look.eye_x, look.brow_arch, look.brow_thick
    top = [
        (x - 0.26, y - 0.15 * thick - 0.07),  # raised towards the nose: friendly, not cross
        (x - 0.10, y - 0.5 * thick - 0.5 * arch - 0.05),
        (x + 0.10, y - 0.45 * thick - 0.9 * arch - 0.02),
        (x + 0.29, y + 0.03),
    ]
    low = [
        (x + 0.29, y + 0.035),
        (x + 0.10, y + 0.25 * thick - 0.75 * arch - 0.02),
        (x - 0.10, y + 0.5 * thick - 0.4 * arch - 0.05),
        (x - 0.27, y + 0.6 * thick - 0.07),
    ]
    points = np.concatenate([smooth(top, closed=False), smooth(low, closed=False)]) * [side, 1]
    canvas.fill(points, look.brow_colour, alpha=0.90)


def _draw_mouth(canvas: Canvas, look: Look, face: Expression) -> None:
    w, y, full = look.mouth_w * (1 + 0.4 * face.smile), look.mouth_y, look.lip_full
    up = -0.55 * face.smile + 0.03 * look.sag
    upper = [
        (-w, y + up),
        (-0.45 * w, y - 0.55 * full),
        (-0.14 * w, y - 0.95 * full),
        (0, y - 0.70 * full),
        (0.14 * w, y - 0.95 * full),
        (0.45 * w, y - 0.55 * full),
        (w, y + up),
    ]
    middle = [
        (w, y + up),
        (0.5 * w, y + 0.014),
        (0.16 * w, y + 0.006),
        (0, y + 0.024),
        (-0.16 * w, y + 0.006),
        (-0.5 * w, y + 0.014),
        (-w, y + up),
    ]
    lower = [
        (-w, y + up),
        (-0.5 * w, y + 0.85 * full),
        (0, y + 1.25 * full),
        (0.5 * w, y + 0.85 * full),
        (w, y + up),
    ]
    line = smooth(middle, closed=False)
    canvas.soft(oval(0, y + 1.6 * full + 0.03, 0.20, 0.03), darker(look.skin, 0.36), alpha=0.55, blur=0.03)
    canvas.fill(np.concatenate([smooth(lower, closed=False), line]), lighter(look.lips, 0.10), to=look.lips)
    canvas.fill(np.concatenate([smooth(upper, closed=False), line]), darker(look.lips, 0.16))
    canvas.soft(oval(-0.05, y + 0.62 * full, 0.12, 0.018), (255, 236, 226), alpha=0.30, blur=0.02)
    canvas.stroke(middle, darker(look.lips, 0.55), 0.022, taper=(0.4, 0.4), alpha=0.9)


def _beard_outline(look: Look, top: float) -> Points:
    rim = [
        (0.99, top),
        (look.cheek - 0.03, 0.52),
        (look.jaw + 0.05, 0.93),
        (look.chin + 0.14, 1.24),
        (look.chin * 0.55, look.chin_y + 0.05),
        (0, look.chin_y + 0.07),
    ]
    inside = [(0, 0.60), (0.22, 0.62), (0.44, 0.72), (0.66, 0.58), (0.84, top + 0.05)]
    right = np.concatenate([smooth(rim, closed=False), smooth(inside, closed=False)])
    outer, inner = smooth(rim, closed=False), smooth(inside, closed=False)
    del right
    return np.concatenate([outer, outer[::-1] * [-1, 1], inner[::-1] * [-1, 1], inner])


def _draw_beard_shadow(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    if look.stubble > 0:
        tone = mix(look.skin, mix(look.hair, (90, 92, 98), 0.4), 0.55)
        canvas.soft(_beard_outline(look, 0.25), tone, alpha=0.55 * look.stubble, blur=0.07, depth=0, clip=clip)


def _draw_beard(canvas: Canvas, look: Look, face: Expression, clip: Image.Image) -> None:
    if look.beard == "none":
        return
    colour = mix(look.hair, darker(look.skin, 0.4), 0.12)
    y, w = look.mouth_y, look.mouth_w
    if look.beard in ("full", "short"):
        shape = _beard_outline(look, 0.14)
        if look.beard == "short":
            canvas.soft(shape, colour, alpha=0.75, blur=0.035, depth=0.15, clip=clip)
        else:
            canvas.fill(shape, colour, to=darker(colour, 0.2), depth=0.1)
    if look.beard == "goatee":
        canvas.fill(
            smooth(
                [
                    (-w * 0.8, y + 0.06),
                    (0, y + 0.16),
                    (w * 0.8, y + 0.06),
                    (w * 0.72, y + 0.34),
                    (0, look.chin_y + 0.04),
                    (-w * 0.72, y + 0.34),
                ]
            ),
            colour,
        )
    drop = 0.10 if look.beard != "moustache" else 0.03
    canvas.fill(
        smooth(
            [
                (0, y - 0.20),
                (0.2, y - 0.17),
                (w + 0.04, y - 0.02),
                (w + 0.03, y + drop),
                (0.24, y - 0.06),
                (0, y - 0.07),
                (-0.24, y - 0.06),
                (-w - 0.03, y + drop),
                (-w - 0.04, y - 0.02),
                (-0.2, y - 0.17),
            ]
        ),
        colour,
    )


def draw_glasses(canvas: Canvas, look: Look) -> None:
    """The frame, over a mask but under a fringe."""
    if look.glasses == "none":
        return
    frame = (52, 44, 44) if look.glasses != "thin" else (150, 128, 92)
    width = 0.05 if look.glasses != "thin" else 0.028
    for side in (-1, 1):
        x = side * look.eye_x
        power = 2.0 if look.glasses == "round" else 3.4
        angle = np.linspace(0, 2 * np.pi, 48)
        cos, sin = np.cos(angle), np.sin(angle)
        rim = np.stack(
            [
                x + 0.30 * np.sign(cos) * abs(cos) ** (2 / power),
                0.05 + 0.25 * np.sign(sin) * abs(sin) ** (2 / power),
            ],
            axis=1,
        )
        canvas.fill(rim, (255, 255, 255), alpha=0.10)
        canvas.fill(np.concatenate([rim, (rim - [x, 0.05])[::-1] * (1 - width / 0.27) + [x, 0.05]]), frame)
        canvas.stroke(
            [(side * (look.eye_x + 0.29), -0.02), (side * 0.86, -0.04), (side * 1.0, -0.06)],
            frame,
            width,
            taper=(1, 1),
        )
    canvas.stroke([(-look.eye_x + 0.29, 0.02), (0, -0.03), (look.eye_x - 0.29, 0.02)], frame, width, taper=(1, 1))
