"""What each photo is trained to be: probabilities of the 18 classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from core.config import DataConfig
from core.taxonomy import AGE_BANDS, NUM_CLASSES, age_band


def training_targets(classes: ArrayLike, ages: ArrayLike, config: DataConfig) -> NDArray[np.float32]:
    """Targets (N, 18), rows sum to 1: certain, but for the age bands on both sides of a soft boundary.

    With ``age_soft`` = w, a person of ``a`` whole years is beyond the boundary ``b`` with probability
    sigmoid((a + 1/2 - b) / w): a half at the boundary itself, 88 % two widths above it. Ages are read off faces and
    passports with an error of years, so that a step between 57 and 58 asks the network for what nobody can see.

    Args:
        classes: (N,) 0..17, by the hard boundaries of ``config``.
        ages: (N,) years, -1 where unknown; a class whose band is not that of its age was decided by somebody, and
            stays certain.
    Source: soft labels for ages after Gao et al., Deep Label Distribution Learning with Label Ambiguity, IEEE TIP
        2017, with the normal distribution's cumulative function replaced by the logistic one.
    """
    classes, ages = np.asarray(classes), np.asarray(ages)
    targets: NDArray[np.float32] = np.eye(NUM_CLASSES, dtype=np.float32)[classes]
    if not config.age_soft:
        return targets
    bands = len(AGE_BANDS)
    soft = np.flatnonzero(
        (ages >= 0) & (classes % bands == age_band(np.maximum(ages, 0), young=config.age_young, old=config.age_old))
    )
    beyond = [expit((ages[soft] + 0.5 - bound) / config.age_soft) for bound in (config.age_young, config.age_old)]
    shares = np.stack([1 - beyond[0], beyond[0] - beyond[1], beyond[1]], axis=1)  # (M, 3)
    targets[soft] = 0
    first = classes[soft] - classes[soft] % bands
    for band in range(bands):
        targets[soft, first + band] = shares[:, band]
    return targets
