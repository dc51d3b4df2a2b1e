"""One person's seven photos: the same look, each in its own pose, light and framing."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from core.dataset.demo.body import draw_body, paint_backdrop
from core.dataset.demo.canvas import HEIGHT, WIDTH, Canvas, Pose
from core.dataset.demo.face import Expression, draw_glasses, draw_head
from core.dataset.demo.hair import draw_back_hair, draw_front_hair
from core.dataset.demo.look import Look, draw_look
from core.dataset.demo.masks import Mask, draw_mask, draw_wardrobe
from core.dataset.demo.population import Person, Photo


def draw_photos(person: Person, seed: int) -> Iterator[tuple[Photo, Image.Image, int]]:
    """(photo, image, JPEG quality) of each of the person's photos; follows from person and seed alone."""
    key = (seed, person.number)
    rng = np.random.default_rng([*key, 1])
    look = draw_look(male=person.gender == 0, years=person.years, rng=rng, seed=key)
    wardrobe = draw_wardrobe(rng)
    incorrect = "nose" if rng.random() < 0.6 else "chin"
    framing = rng.normal(0, 1, 3).tolist()
    backdrop = paint_backdrop(look)
    for view, (photo, mask) in enumerate(zip(person.photos, [*wardrobe, None], strict=True)):
        rng = np.random.default_rng([*key, 2, view])
        worn = incorrect if photo.kind == "incorrect_mask" else "worn"
        image = _draw_view(look, backdrop, mask, worn, framing, rng)
        yield photo, image, int(rng.integers(86, 94))


def _draw_view(
    look: Look,
    backdrop: Image.Image,
    mask: Mask | None,
    worn: str,
    framing: list[float],
    rng: np.random.Generator,
) -> Image.Image:
    turn = rng.normal(0, 1, 6).tolist()
    pose = Pose(
        yaw=0.10 * turn[0],
        pitch=0.05 * turn[1],
        roll=0.03 * turn[2],
        scale=82 * (1 + 0.03 * framing[0] + 0.02 * turn[3]),
        x=WIDTH / 2 + 4 * framing[1] + 4 * turn[4],
        y=218 + 5 * framing[2] + 4 * turn[5],
    )
    face = Expression(
        smile=float(np.clip(rng.normal(0.10, 0.05), -0.02, 0.2)),
        open_eyes=float(np.clip(rng.normal(1, 0.08), 0.75, 1.15)),
        raise_brows=float(rng.normal(0.0, 0.015)),
        gaze=float(rng.normal(0, 0.012)),
    )
    canvas = Canvas(backdrop.copy(), pose)
    draw_back_hair(canvas, look)
    draw_body(canvas, look)
    clip = draw_head(canvas, look, face)
    if mask is not None:
        draw_mask(canvas, look, mask, worn, rng)
    draw_glasses(canvas, look)
    draw_front_hair(canvas, look, clip)
    return _light(canvas.image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), rng)


def _light(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A lamp's direction, strength and warmth."""
    side, bright, warm = rng.normal(0, [0.05, 0.05, 0.015])
    y, x = np.mgrid[0:16, 0:12] / np.array([15, 11])[:, None, None]
    map_small = 1 + bright + 2 * side * (x - 0.5) - 0.06 * (y - 0.5)
    tint = np.array([1 + warm, 1, 1 - warm])
    light = Image.fromarray((200 * map_small[..., None] * tint).clip(0, 255).astype(np.uint8))
    light = light.resize(image.size, Image.Resampling.BICUBIC)
    lit = np.asarray(image, dtype=np.uint16) * np.asarray(light, dtype=np.uint16) // 200
    return Image.fromarray(np.minimum(lit, 255).astype(np.uint8))
