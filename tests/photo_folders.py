"""Data sets of a few plain photos, written quickly and broken on purpose by the tests."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from core.taxonomy import PHOTO_KINDS


def write_photo(path: Path, number: int, *, size: tuple[int, int] = (384, 512), **options: object) -> Path:
    """A photo whose bytes and whose colour follow from its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = tuple(np.random.default_rng(number).integers(0, 256, 3).tolist())
    Image.new("RGB", size, colour).save(path, **options)
    return path


MAN, WOMAN = "000001_male_Asian_25", "000002_female_Asian_60"


def write_data_set(root: Path, *, folders: tuple[str, ...] = (MAN, WOMAN)) -> Path:
    """Two people of seven photos and two evaluation photos, in the competition's layout, with nothing odd."""
    number = 0
    rows = ["id,gender,race,age,path"]
    for folder in folders:
        identifier, gender, race, age = folder.split("_")
        rows.append(f"{identifier},{gender},{race},{age},{folder}")
        for kind in PHOTO_KINDS:
            number += 1
            write_photo(root / "train/images" / folder / f"{kind}.jpg", number)
    (root / "train/train.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    names = [f"{number:040x}.jpg" for number in (9, 4)]  # info.csv's order is not the names' order
    for place, name in enumerate(names):
        write_photo(root / "eval/images" / name, 1000 + place)
    lines = ["ImageID,ans", *(f"{name},0" for name in names)]
    (root / "eval/info.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def rename_person(root: Path, old: str, new: str) -> None:
    """Another name for a person's folder; train.csv stays as it is."""
    shutil.move(root / "train/images" / old, root / "train/images" / new)


def edit_csv(path: Path, old: str, new: str) -> None:
    """Put ``new`` in the place of ``old``, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
