"""Drawing soft, smooth shapes in face units on a photo that is turned and lit.

A face unit is half the width of a face. The origin lies between the eyes, x points right, y down.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 384, 512
SUPER = 2  # drawn at twice the size, then halved: smooth edges
_SOFT = 4  # soft shapes are drawn this many times smaller, blurred there, and enlarged
_PER_POINT = 10
_T = np.linspace(0, 1, _PER_POINT, endpoint=False)
_CATMULL_ROM = 0.5 * np.stack(
    [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, _T**3 - _T**2], axis=1
)  # (points between two control points, 4)

Colour = tuple[float, float, float]
Points = NDArray[np.float64]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``share`` of ``second`` in ``first``."""
    r, g, b = (one + (two - one) * share for one, two in zip(first, second, strict=True))
    return r, g, b


def darker(colour: Colour, by: float) -> Colour:
    """A warm shadow tone: blue and green fall faster than red."""
    r, g, b = colour
    return r * (1 - 0.75 * by), g * (1 - by), b * (1 - 0.95 * by)


def lighter(colour: Colour, by: float) -> Colour:
    """A tone nearer to warm white."""
    return mix(colour, (255, 248, 236), by)


def whole(colour: Colour) -> tuple[int, int, int]:
    """The colour as PIL wants it."""
    r, g, b = (int(min(max(part, 0), 255) + 0.5) for part in colour)
    return r, g, b


def smooth(points: ArrayLike, *, closed: bool = True) -> Points:
    """A Catmull-Rom curve through (N, 2) control points."""
    control = np.asarray(points, dtype=float)
    if closed:
        padded = np.concatenate([control[-1:], control, control[:2]])
    else:
        padded = np.concatenate([2 * control[:1] - control[1:2], control, 2 * control[-1:] - control[-2:-1]])
    spans = padded[np.arange(len(padded) - 3)[:, None] + np.arange(4)]  # (spans, 4, 2)
    curve = (_CATMULL_ROM @ spans).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, control[-1:]])


def mirrored(points: ArrayLike) -> Points:
    """(N, 2) points of the right half from top to bottom -> the closed outline of both halves."""
    half = np.asarray(points, dtype=float)
    other = half[::-1] * [-1, 1]
    other = other[np.abs(other[:, 0]) > 1e-6]
    return np.concatenate([half, other])


def oval(x: float, y: float, rx: float, ry: float) -> Points:
    """An ellipse's outline."""
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


@dataclass(frozen=True)
class Pose:
    """How one photo's head is held and framed.

    Args:
        yaw, pitch, roll: radians; small.
        scale: photo pixels a face unit.
        x, y: where the origin lies, photo pixels.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 84.0
    x: float = 192.0
    y: float = 214.0

    def place(self, points: ArrayLike, depth: float | None) -> Points:
        """Face units -> canvas pixels. ``depth`` None: on the face's round surface; 0: its silhouette."""
        p = np.array(points, dtype=float).reshape(-1, 2)
        z = np.sqrt(np.clip(1 - (p[:, 0] / 1.25) ** 2, 0, 1)) if depth is None else np.full(len(p), depth)
        x = p[:, 0] + 0.9 * self.yaw * z
        y = p[:, 1] + 0.9 * self.pitch * z - 1.6
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        turned = np.stack([cos * x - sin * y, sin * x + cos * y + 1.6], axis=1)  # about the neck
        return SUPER * (turned * self.scale + [self.x, self.y])

    @property
    def body(self) -> "Pose":
        """The same framing for the shoulders, which do not turn with the head."""
        return Pose(scale=self.scale, x=self.x, y=self.y)


@dataclass
class Canvas:
    """A photo being drawn. All shapes are (N, 2) points in face units unless said otherwise."""

    image: Image.Image
    pose: Pose
    clips: list[Image.Image] = field(default_factory=list)

    def fill(
        self,
        points: ArrayLike,
        colour: Colour,
        *,
        to: Colour | None = None,
        alpha: float = 1.0,
        depth: float | None = None,
        clip: Image.Image | None = None,
        pose: Pose | None = None,
    ) -> None:
        """Fill an outline, with ``to`` as the colour at its lower end."""
        placed = (pose or self.pose).place(points, depth)
        box = self._box(placed, 1, clip)
        if box is None:
            return
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]), 0)
        ImageDraw.Draw(mask).polygon((placed - box[:2]).ravel().tolist(), fill=round(255 * alpha))
        self._paste(colour, to, mask, box, clip)

    def soft(
        self,
        points: ArrayLike,
        colour: Colour,
        *,
        alpha: float,
        blur: float,
        depth: float | None = None,
        clip: Image.Image | None = None,
        pose: Pose | None = None,
    ) -> None:
        """Fill an outline with a blurred edge; ``blur`` in face units."""
        pose = pose or self.pose
        placed = pose.place(points, depth)
        radius = blur * pose.scale * SUPER
        box = self._box(placed, 2.5 * radius, clip)
        if box is None or alpha <= 0:
            return
        size = box[2] - box[0], box[3] - box[1]
        small = Image.new("L", (size[0] // _SOFT + 1, size[1] // _SOFT + 1), 0)
        ImageDraw.Draw(small).polygon(((placed - box[:2]) / _SOFT).ravel().tolist(), fill=round(255 * alpha))
        small = small.filter(ImageFilter.GaussianBlur(radius / _SOFT))
        mask = small.resize((small.width * _SOFT, small.height * _SOFT), Image.Resampling.BILINEAR).crop(
            (0, 0, *size)
        )
        self._paste(colour, None, mask, box, clip)

    def stroke(
        self,
        points: ArrayLike,
        colour: Colour,
        width: float,
        *,
        alpha: float = 1.0,
        taper: tuple[float, float] = (0.0, 0.0),
        depth: float | None = None,
        clip: Image.Image | None = None,
        pose: Pose | None = None,
    ) -> None:
        """A smooth line through the points; its ends have ``taper`` of the ``width`` (face units)."""
        line = smooth(points, closed=False)
        self.fill(ribbon(line, width, taper), colour, alpha=alpha, depth=depth, clip=clip, pose=pose)

    def clip(self, points: ArrayLike, *, depth: float | None = None, pose: Pose | None = None) -> Image.Image:
        """A mask of the outline; shapes given it as ``clip`` stay inside."""
        mask = Image.new("L", self.image.size, 0)
        placed = (pose or self.pose).place(points, depth)
        ImageDraw.Draw(mask).polygon(placed.ravel().tolist(), fill=255)
        mask.info["box"] = mask.getbbox()
        return mask

    def _box(self, placed: Points, margin: float, clip: Image.Image | None) -> tuple[int, int, int, int] | None:
        """The part of the canvas that a shape can touch, None for a shape outside of it or of its clip."""
        left, top, right, bottom = clip.info.get("box") or (0, 0, 0, 0) if clip else (0, 0, *self.image.size)
        (x_low, y_low), (x_high, y_high) = placed.min(0).tolist(), placed.max(0).tolist()
        box = (
            max(math.floor(x_low - margin), left), max(math.floor(y_low - margin), top),
            min(math.ceil(x_high + margin), right), min(math.ceil(y_high + margin), bottom),
        )  # fmt: skip
        return box if box[0] < box[2] and box[1] < box[3] else None

    def _paste(
        self,
        colour: Colour,
        to: Colour | None,
        mask: Image.Image,
        box: tuple[int, int, int, int],
        clip: Image.Image | None,
    ) -> None:
        if clip is not None:
            mask = ImageChops.multiply(mask, clip.crop(box))
        if to is None:
            self.image.paste(whole(colour), box, mask)
            return
        ramp = np.linspace(0, 1, 24)[:, None, None]
        tones = (np.array(colour) + (np.array(to) - np.array(colour)) * ramp).clip(0, 255).astype(np.uint8)
        column = Image.fromarray(tones).resize((1, mask.height), Image.Resampling.BILINEAR)
        paint = column.resize(mask.size, Image.Resampling.NEAREST)
        self.image.paste(paint, box, mask)


def ribbon(line: Points, width: float, taper: tuple[float, float]) -> Points:
    """The outline of a line of full ``width`` in its middle."""
    step = np.empty_like(line)
    step[1:-1] = line[2:] - line[:-2]
    step[0], step[-1] = line[1] - line[0], line[-1] - line[-2]
    normal = step[:, ::-1] * [-1, 1]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    t = np.linspace(0, 1, len(line))
    swell = np.sin(np.pi * t) ** 0.7
    ends = taper[0] + (taper[1] - taper[0]) * t
    half = 0.5 * width * (ends + (1 - ends) * swell)[:, None]
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]])
