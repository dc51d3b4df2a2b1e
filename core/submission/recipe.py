"""What an ensemble is made of and how: everything that its labels follow from, and nothing else."""

import json
import math
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import SubmissionError
from core.evaluation.calibration_map import CalibrationMethod
from core.files import write_json
from core.people.inference import Inference, Prior
from core.submission.ensemble import Ties
from core.taxonomy import AXES
from core.workspace import Workspace

Method = Literal["soft", "logits", "hard", "fitted", "greedy", "stacked", "axes"]
Decide = Literal["auto", "most_probable", "macro_f1"]
DECIDE: dict[Decide, str] = {
    "auto": "macro F1 once corrected",
    "most_probable": "the most probable class",
    "macro_f1": "the classes with the highest expected macro F1",
}
METHODS: dict[Method, str] = {
    "soft": "mean probability",
    "logits": "mean logit",
    "hard": "the class most members choose",
    "fitted": "mean probability, weights fitted to out-of-fold macro F1",
    "greedy": "members taken greedily, again and again, while out-of-fold macro F1 rises",
    "stacked": "a regression over the members' out-of-fold logits",
    "axes": "mask, gender and age from members of their own",
}
FITTED: tuple[Method, ...] = ("fitted", "greedy", "stacked")
"""Methods that learn from labels: their score is that of people they did not learn from."""

_NAME = re.compile(r"\w[\w.-]{0,59}")


class Recipe(BaseModel):
    """Members, method and settings of an ensemble; the same recipe over the same members gives the same labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: tuple[str, ...] = Field(min_length=1, description="run:NAME, outside:NAME or ensemble:NAME")
    method: Method = "soft"
    weights: tuple[float, ...] = Field((), description="by hand, one a member, for soft, logits and hard")
    ties: Ties = Field("mean_probability", description="hard vote only")
    axes: dict[str, tuple[str, ...]] = Field({}, description="axes only: the members of each axis; all when left out")
    calibration: CalibrationMethod = Field("temperature", description="of each member, before the vote")
    prior: Prior = Field(
        "none", description="of the evaluation set; corrects what is submitted, not what is a member"
    )
    grouping: str = Field(
        "", description="named grouping of evaluation photos over whose persons what is submitted is pooled; as prior"
    )
    decide: Decide = Field("auto", description="from calibrated, corrected probabilities; when submitted")
    folds: int = Field(5, ge=2, le=20, description="nested cross validation by person, for methods that are fitted")
    seed: int = Field(18, ge=0, description="of the nested folds")

    @property
    def inference(self) -> Inference:
        """The corrections of what is submitted."""
        return Inference(self.prior, self.grouping)

    @property
    def is_plain(self) -> bool:
        """Whether the votes are submitted as they are."""
        return self.inference == Inference() and self.rule == "most_probable"

    @property
    def rule(self) -> Literal["most_probable", "macro_f1"]:
        """How classes are chosen: what is most probable once corrected names rare classes too seldom for macro F1."""
        if self.decide == "auto":
            return "most_probable" if self.inference == Inference() else "macro_f1"
        return self.decide

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        twice = sorted({name for name in self.members if self.members.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is given {self.members.count(twice[0])} times; give each member once")
        if self.weights and self.method not in ("soft", "logits", "hard"):
            raise ValueError(f"weights by hand do not go with the method {self.method}")
        if self.weights and len(self.weights) != len(self.members):
            raise ValueError(f"{len(self.weights)} weights do not fit {len(self.members)} members")
        if self.weights and not (all(0 <= one < math.inf for one in self.weights) and any(self.weights)):
            raise ValueError(
                f"weights {', '.join(f'{one:g}' for one in self.weights)}: give none negative, not all 0"
            )
        if self.axes and self.method != "axes":
            raise ValueError(f"axes do not go with the method {self.method}")
        for axis, names in self.axes.items():
            if axis not in AXES or not names or not set(names) <= set(self.members):
                raise ValueError(f"axes {axis} = {', '.join(names)}: name an axis ({', '.join(AXES)}) and members")
        return self


def make_recipe(**settings: object) -> Recipe:
    """A checked recipe.

    Raises:
        SubmissionError: says which setting cannot be.
    """
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        told = [problem["msg"].removeprefix("Value error, ") for problem in error.errors()]
        where = [".".join(map(str, problem["loc"])) for problem in error.errors()]
        raise SubmissionError(
            "; ".join(f"{place}: {words}" if place else words for place, words in zip(where, told, strict=True))
        ) from None


def save_recipe(workspace: Workspace, name: str, recipe: Recipe) -> None:
    """Give a recipe a name, so that it can be a member of others; a name is used once.

    Raises:
        SubmissionError: the name cannot be, or stands for another recipe.
    """
    if not _NAME.fullmatch(name):
        raise SubmissionError(f"name {name!r}: use up to 60 letters, digits, '-', '_' or '.', a letter first")
    path = workspace.ensembles / f"{name}.json"
    if path.exists() and open_recipe(workspace, name) != recipe:
        raise SubmissionError(f"ensemble {name} exists and is made otherwise; give another name")
    write_json(path, recipe.model_dump(mode="json"))


def open_recipe(workspace: Workspace, name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SubmissionError: no such name, or a file that is no recipe.
    """
    path = workspace.ensembles / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.exists():
        known = ", ".join(list_recipes(workspace)) or "none yet; save one on the page Ensemble"
        raise SubmissionError(f"ensemble {name!r} does not exist; there are: {known}")
    try:
        return make_recipe(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise SubmissionError(f"{path} cannot be read ({error}); save the ensemble again") from None


def list_recipes(workspace: Workspace) -> list[str]:
    """The names in use."""
    return sorted(path.stem for path in workspace.ensembles.glob("*.json")) if workspace.ensembles.is_dir() else []
