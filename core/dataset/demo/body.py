"""Backdrop, neck, shoulders and clothes."""

import numpy as np
from PIL import Image

from core.dataset.demo.canvas import (
    HEIGHT,
    SUPER,
    WIDTH,
    Canvas,
    darker,
    lighter,
    mirrored,
    mix,
    oval,
    smooth,
)
from core.dataset.demo.look import Look


def paint_backdrop(look: Look) -> Image.Image:
    """A calm wall with a soft glow behind the head."""
    y, x = np.mgrid[0:64, 0:48] / np.array([63, 47])[:, None, None]
    top, low = (
        np.array(lighter(look.wall, 0.25)),
        np.array(darker(mix(look.wall, look.wall_second, 0.35), 0.10)),
    )
    glow = np.exp(-((x - 0.42) ** 2 / 0.12 + (y - 0.38) ** 2 / 0.10))[..., None]
    wall = top + (low - top) * (0.25 * x + 0.75 * y)[..., None]
    wall = wall + (255 - wall) * 0.38 * glow
    small = Image.fromarray(wall.clip(0, 255).astype(np.uint8))
    return small.resize((WIDTH * SUPER, HEIGHT * SUPER), Image.Resampling.BICUBIC)


def draw_body(canvas: Canvas, look: Look) -> None:
    """Neck and clothed shoulders."""
    pose, n, s = canvas.pose.body, look.neck, look.shoulder
    neck = smooth(
        mirrored(
            [
                (0, 0.7),
                (n, 0.75),
                (n * 0.98, 1.45),
                (n * 1.12, 1.72),
                (n * 1.9, 2.02),
                (n * 2.0, 2.5),
                (0, 2.6),
            ]
        )
    )
    canvas.fill(neck, darker(look.skin, 0.10), to=look.skin, pose=pose, depth=0)
    clip = canvas.clip(neck, pose=pose, depth=0)
    drop = 0.16
    chin = smooth(
        mirrored(
            [
                (0, 0.4),
                (0.9, 0.6),
                (look.jaw + 0.05, 0.95 + drop),
                (look.chin + 0.06, 1.24 + drop),
                (0, look.chin_y + drop + 0.08),
            ]
        )
    )
    canvas.fill(chin, darker(look.skin, 0.30), alpha=0.8, depth=0.1, clip=clip)
    for side in (-1, 1):
        if look.lines > 0.35:
            canvas.stroke(
                [(side * 0.12, 1.5), (side * 0.2, 1.75), (side * 0.14, 2.0)],
                darker(look.skin, 0.35),
                0.03,
                alpha=0.7 * look.sag,
                pose=pose,
                depth=0,
                clip=clip,
            )
        canvas.stroke(
            [(side * n * 1.5, 2.12), (side * 0.4, 2.18), (side * 0.1, 2.28)],
            darker(look.skin, 0.26),
            0.03,
            alpha=0.5,
            pose=pose,
            depth=0,
            clip=clip,
        )
    for row in range(round(3 * look.lines - 0.6)):
        canvas.stroke(
            [(-n * 0.8, 1.58 + 0.14 * row), (0, 1.66 + 0.14 * row), (n * 0.8, 1.58 + 0.14 * row)],
            darker(look.skin, 0.34),
            0.022,
            alpha=0.55 * look.lines,
            pose=pose,
            depth=0,
            clip=clip,
        )
    shoulders = smooth(
        mirrored(
            [
                (0, 1.95),
                (n * 1.05, 1.72),
                (n * 1.5, 1.86),
                (s * 0.72, 2.10),
                (s * 0.98, 2.55),
                (s * 1.06, 3.4),
                (s * 1.06, 4.2),
                (0, 4.4),
            ]
        )
    )
    canvas.fill(shoulders, lighter(look.cloth, 0.08), to=darker(look.cloth, 0.14), pose=pose, depth=0)
    cloth = canvas.clip(shoulders, pose=pose, depth=0)
    canvas.soft(
        [(s * 0.55, 1.6), (s * 1.2, 1.9), (s * 1.2, 4), (s * 0.75, 4)],
        darker(look.cloth, 0.4),
        alpha=0.55,
        blur=0.18,
        pose=pose,
        depth=0,
        clip=cloth,
    )
    for side in (-1, 1):
        canvas.stroke(
            [(side * s * 0.74, 2.9), (side * s * 0.70, 3.3), (side * s * 0.72, 3.9)],
            darker(look.cloth, 0.4),
            0.05,
            alpha=0.6,
            pose=pose,
            depth=0,
            clip=cloth,
        )
    {"tee": _tee, "vee": _vee, "shirt": _shirt, "hoodie": _hoodie, "blazer": _blazer, "roll": _roll}[look.clothes](
        canvas, look, cloth
    )


def _opening(canvas: Canvas, look: Look, wide: float, deep: float, pointed: float) -> None:
    """Skin in the neckline, with a darker hem."""
    pose = canvas.pose.body
    bottom = [(wide * (0.75 - 0.35 * pointed), 1.72 + 0.62 * deep), (0, 1.72 + deep)]
    shape = [(0, 1.4), (wide, 1.62), (wide * 0.98, 1.80), *bottom]
    hem = smooth(mirrored([(x * 1.12, y + 0.09 * (y > 1.5)) for x, y in shape]))
    canvas.fill(hem, darker(look.cloth, 0.22), pose=pose, depth=0)
    skin = smooth(mirrored(shape))
    canvas.fill(skin, darker(look.skin, 0.12), to=look.skin, pose=pose, depth=0)
    clip = canvas.clip(skin, pose=pose, depth=0)
    canvas.soft(
        smooth(mirrored([(0, 0.6), (0.8, 0.9), (look.neck + 0.1, 1.4), (0, look.chin_y + 0.35)])),
        darker(look.skin, 0.36),
        alpha=0.9,
        blur=0.03,
        depth=0,
        clip=clip,
    )


def _tee(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    _opening(canvas, look, look.neck * 1.12, 0.36, 0.0)


def _vee(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    _opening(canvas, look, look.neck * 1.15, 0.75, 1.0)


def _shirt(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    pose, n = canvas.pose.body, look.neck
    _opening(canvas, look, n * 1.0, 0.55, 1.0)
    canvas.stroke([(0, 2.2), (0.01, 2.9), (0, 3.6)], darker(look.cloth, 0.3), 0.03, taper=(1, 1), pose=pose, depth=0)
    for side in (-1, 1):
        collar = np.array([(n * 0.98, 1.44), (n * 1.20, 1.68), (n * 0.86, 2.30), (0.05, 2.20), (n * 0.62, 1.86)]) * [
            side,
            1,
        ]
        canvas.soft(collar + [0.0, 0.06], darker(look.cloth, 0.5), alpha=0.5, blur=0.04, pose=pose, depth=0)
        canvas.fill(collar, lighter(look.cloth, 0.2), to=look.cloth, pose=pose, depth=0)
    for y in (2.55, 3.0):
        canvas.fill(oval(0.0, y, 0.04, 0.04), lighter(look.cloth, 0.5), pose=pose, depth=0)


def _hoodie(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    pose, n = canvas.pose.body, look.neck
    _opening(canvas, look, n * 1.05, 0.34, 0.2)
    for side in (-1, 1):
        hood = smooth(
            np.array(
                [
                    (n * 0.9, 1.35),
                    (n * 1.75, 1.62),
                    (n * 1.7, 2.05),
                    (n * 0.9, 2.36),
                    (0.02, 2.42),
                    (0.04, 2.12),
                    (n * 0.8, 1.95),
                ]
            )
            * [side, 1]
        )
        canvas.fill(hood, lighter(look.cloth, 0.14), to=darker(look.cloth, 0.16), pose=pose, depth=0)
        canvas.stroke(
            [(side * 0.22, 2.34), (side * 0.26, 2.7), (side * 0.24, 3.05)],
            lighter(look.cloth, 0.6),
            0.045,
            taper=(1, 1),
            pose=pose,
            depth=0,
        )


def _blazer(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    pose, n = canvas.pose.body, look.neck
    inner = mix(look.cloth_second, (238, 234, 228), 0.6)
    canvas.fill(
        smooth(mirrored([(0, 1.5), (n * 1.08, 1.62), (n * 0.9, 2.2), (0.18, 3.5), (0, 3.6)])),
        inner,
        to=darker(inner, 0.1),
        pose=pose,
        depth=0,
    )
    plain = look.cloth
    del plain
    skin = smooth(mirrored([(0, 1.4), (n * 0.92, 1.55), (n * 0.62, 1.95), (0, 2.16)]))
    canvas.fill(skin, darker(look.skin, 0.24), to=look.skin, pose=pose, depth=0)
    for side in (-1, 1):
        lapel = np.array(
            [
                (n * 1.04, 1.58),
                (n * 1.5, 1.84),
                (n * 1.62, 2.35),
                (n * 1.28, 2.5),
                (n * 1.34, 2.64),
                (0.16, 3.7),
                (0.12, 3.4),
                (n * 0.78, 2.2),
            ]
        ) * [side, 1]
        canvas.soft(lapel + [0.0, 0.07], darker(look.cloth, 0.5), alpha=0.6, blur=0.05, pose=pose, depth=0, clip=clip)
        canvas.fill(lapel, lighter(look.cloth, 0.12), to=look.cloth, pose=pose, depth=0)


def _roll(canvas: Canvas, look: Look, clip: Image.Image) -> None:
    pose, n = canvas.pose.body, look.neck
    collar = smooth(
        mirrored([(0, 1.52), (n * 0.9, 1.42), (n * 1.08, 1.5), (n * 1.14, 1.86), (n * 0.9, 2.02), (0, 2.10)])
    )
    canvas.soft(collar + [0, 0.08], darker(look.cloth, 0.5), alpha=0.5, blur=0.05, pose=pose, depth=0, clip=clip)
    canvas.fill(collar, lighter(look.cloth, 0.16), to=look.cloth, pose=pose, depth=0)
    canvas.stroke([(-n, 1.62), (0, 1.74), (n, 1.62)], darker(look.cloth, 0.3), 0.03, alpha=0.7, pose=pose, depth=0)
