"""What one person looks like: everything about them that stays the same in their seven photos."""

from dataclasses import dataclass, field

import numpy as np

from core.dataset.demo.canvas import Colour, darker, mix

SKINS: tuple[Colour, ...] = (
    (250, 219, 196), (244, 205, 176), (236, 190, 156), (224, 172, 134), (205, 150, 112),
    (178, 121, 86), (146, 95, 66), (112, 72, 52),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (38, 32, 34), (48, 38, 36), (66, 46, 38), (92, 62, 44), (124, 84, 54), (164, 118, 70), (196, 156, 100), (150, 74, 46),
)  # fmt: skip
_GREYS: tuple[Colour, ...] = ((196, 195, 196), (222, 220, 218), (168, 167, 170))
_EYES: tuple[Colour, ...] = (
    (74, 50, 38),
    (58, 40, 34),
    (96, 66, 42),
    (92, 104, 70),
    (84, 116, 142),
    (106, 122, 132),
)
CLOTHES: tuple[Colour, ...] = (
    (38, 52, 74), (66, 92, 110), (122, 150, 148), (86, 104, 82), (148, 156, 120), (206, 178, 136), (198, 120, 86),
    (166, 76, 66), (120, 62, 74), (204, 150, 150), (232, 226, 214), (120, 118, 122), (58, 58, 64), (108, 96, 132),
)  # fmt: skip
WALLS: tuple[Colour, ...] = (
    (222, 226, 224), (206, 218, 220), (196, 208, 200), (226, 214, 196), (232, 210, 196), (222, 200, 198), (204, 202, 216),
    (186, 200, 214), (214, 206, 188), (180, 192, 184),
)  # fmt: skip
MALE_HAIR = ("crop", "crop", "side", "side", "quiff", "buzz", "wave", "curls", "medium")
FEMALE_HAIR = ("long", "long", "waves", "waves", "bob", "bob", "bun", "pony", "pixie", "curls", "fringe")


def ramp(value: float, low: float, high: float) -> float:
    """0 at ``low`` and below, 1 at ``high`` and above."""
    return float(np.clip((value - low) / (high - low), 0, 1))


@dataclass(frozen=True)
class Look:
    """One person's drawing, in face units and shares 0..1."""

    male: bool
    years: int
    skin: Colour
    hair: Colour
    brow_colour: Colour
    lips: Colour
    iris: Colour
    hair_style: str
    hair_volume: float
    part: float
    recede: float
    bald: bool
    jaw: float
    chin: float
    chin_y: float
    cheek: float
    brow_thick: float
    brow_arch: float
    brow_y: float
    eye_x: float
    eye_w: float
    eye_h: float
    eye_tilt: float
    lash: float
    nose_w: float
    nose_y: float
    mouth_w: float
    mouth_y: float
    lip_full: float
    neck: float
    shoulder: float
    beard: str
    stubble: float
    makeup: float
    freckles: float
    glasses: str
    earrings: bool
    grey: float
    lines: float
    sag: float
    spots: float
    clothes: str
    cloth: Colour
    cloth_second: Colour
    wall: Colour
    wall_second: Colour
    seed: tuple[int, ...] = field(default=())


def draw_look(*, male: bool, years: int, rng: np.random.Generator, seed: tuple[int, ...]) -> Look:
    """A random person. Signs of age follow a biological age that differs from the years by some 3.5."""
    female = 0.0 if male else 1.0
    body = years + rng.normal(0, 3.5)
    own = lambda scale: float(rng.normal(0, scale))  # noqa: E731
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731
    tone = rng.uniform(0, len(SKINS) - 1.001)
    skin = mix(SKINS[int(tone)], SKINS[int(tone) + 1], tone % 1)
    deep = tone / (len(SKINS) - 1)
    dark_hair = _HAIRS[int(rng.integers(3))]
    natural = dark_hair if deep > 0.45 or rng.random() < 0.35 else pick(_HAIRS)
    grey = float(np.clip(ramp(body, 38, 68) * 1.25 + own(0.16), 0, 1)) if body > 34 else 0.0
    if not male and rng.random() < 0.3:
        grey *= 0.35  # coloured hair
    hair = mix(natural, pick(_GREYS), grey)
    recede = float(np.clip(ramp(body, 28, 66) * rng.uniform(0.2, 1.2), 0, 1)) if male else 0.0
    bald = male and rng.random() < 0.35 * ramp(body, 30, 62)
    style = pick(MALE_HAIR) if male else pick(FEMALE_HAIR)
    if not male and body > 52 and rng.random() < 0.5:
        style = pick(("bob", "pixie", "bun", "curls"))
    if rng.random() < 0.04:
        style = "pixie" if not male else "medium"
    beard = "none"
    if male and rng.random() < 0.42 * ramp(body, 20, 30) + 0.04:
        beard = pick(("full", "full", "short", "short", "goatee", "moustache"))
    lines = float(np.clip(ramp(body, 25, 68) ** 1.15 + own(0.05), 0, 1)) if body > 25 else 0.0
    lip = mix(darker(skin, 0.22), (178, 74, 78), 0.38 + 0.2 * female)
    return Look(
        male=male,
        years=years,
        skin=mix(skin, (206, 180, 160), 0.14 * ramp(body, 45, 70) * (1 - deep)),
        hair=hair,
        brow_colour=mix(darker(natural, 0.1), (190, 188, 188), 0.75 * grey * ramp(body, 48, 70)),
        lips=mix(lip, (190, 60, 72), (0.45 * rng.random() if rng.random() < 0.45 else 0.1) * female),
        iris=_EYES[int(rng.integers(2))] if deep > 0.5 else pick(_EYES),
        hair_style=style,
        hair_volume=float(np.clip(rng.normal(0.5, 0.2), 0, 1)),
        part=float(rng.choice([-1, 1]) * rng.uniform(0.2, 0.5)),
        recede=recede,
        bald=bald,
        jaw=0.76 - 0.11 * female + own(0.035),
        chin=0.40 - 0.10 * female + own(0.03),
        chin_y=1.33 - 0.06 * female + own(0.035),
        cheek=0.96 + own(0.02),
        brow_thick=0.095 - 0.036 * female + own(0.012),
        brow_arch=0.03 + 0.06 * female + own(0.018),
        brow_y=-0.29 - 0.045 * female + own(0.02),
        eye_x=0.43 + own(0.015),
        eye_w=0.185 + 0.018 * female + own(0.008),
        eye_h=(0.088 + 0.018 * female + own(0.01)) * (1 - 0.22 * ramp(body, 40, 70)),
        eye_tilt=0.02 + 0.02 * female + own(0.02) - 0.04 * ramp(body, 45, 70),
        lash=0.3 + 0.7 * female * rng.uniform(0.6, 1),
        nose_w=0.19 - 0.03 * female + 0.05 * deep + own(0.02),
        nose_y=0.50 + own(0.025),
        mouth_w=0.36 - 0.02 * female + own(0.025),
        mouth_y=0.83 - 0.02 * female + own(0.02),
        lip_full=(0.085 + 0.035 * female + 0.025 * deep + own(0.012)) * (1 - 0.35 * ramp(body, 40, 72)),
        neck=0.60 - 0.13 * female + own(0.03),
        shoulder=2.12 - 0.35 * female + own(0.07),
        beard=beard,
        stubble=rng.uniform(0.1, 0.7) * ramp(body, 17, 26) if male else 0.0,
        makeup=float(rng.uniform(0, 0.8)) * female,
        freckles=float(rng.uniform(0.3, 1)) if deep < 0.5 and rng.random() < 0.16 else 0.0,
        glasses=pick(("round", "square", "thin")) if rng.random() < 0.14 + 0.3 * ramp(body, 38, 62) else "none",
        earrings=not male and rng.random() < 0.4,
        grey=grey,
        lines=lines,
        sag=float(np.clip(ramp(body, 36, 72) + own(0.08), 0, 1)),
        spots=float(np.clip(ramp(body, 48, 72) + own(0.15), 0, 1)) if body > 46 else 0.0,
        clothes=pick(
            ("tee", "shirt", "hoodie", "blazer", "roll", "tee")
            if male
            else ("tee", "vee", "shirt", "roll", "blazer", "vee")
        ),
        cloth=pick(CLOTHES),
        cloth_second=pick(CLOTHES),
        wall=pick(WALLS),
        wall_second=pick(WALLS),
        seed=seed,
    )
