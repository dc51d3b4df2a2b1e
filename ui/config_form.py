"""The web form of a training's settings, made from ``TrainConfig`` and nothing else."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.config import PRESETS, TrainConfig, allowed, load_config, parse_config, parse_value, setting_fields
from core.errors import ConfigError

_FIRST = {
    "model.name": "model",
    "optim.epochs": "epochs",
    "image.height": "height, pixels",
    "image.width": "width, pixels",
    "data.age_old": "60 and over from age",
    "data.pseudo_labels": "pseudo labels",
    "data.folds": "folds",
}
"""The settings most often changed, and what the form calls them; the others stand below, by section."""

_SUGGESTED = {
    "model.name": ["auto", "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2", "resnet34"],
    "model.weights": ["imagenet", "none"],
    "device": ["auto", "cpu", "cuda"],
}
"""Settings that take any text, with texts to choose from."""

_CELL = 190  # pixels


@dataclass(frozen=True)
class Choice:
    """What the form holds.

    Attributes:
        base: name of the settings it started from: a preset, or any other that the page offers.
        folds: the folds to train, None for all.
    """

    base: str
    config: TrainConfig
    folds: list[int] | None


def config_form(bases: Mapping[str, TrainConfig], *, first: str = "fast") -> Choice | None:
    """Widgets for all settings; None, and the reason, where one is out of range or they contradict each other.

    Args:
        bases: settings to start from, by name.
        first: the one that is chosen at first; ``?start=`` in the address chooses another.
    """
    names = list(bases)
    base = st.selectbox(
        "start from",
        names,
        index=names.index(first),
        key="start",
        bind="query-params",
        help="A preset, or the settings of an earlier run. Each keeps its own changes.",
    )
    given = flatten(bases[base])
    with st.grid("auto", min_column_width=_CELL):
        for key, label in _FIRST.items():
            given[key] = _widget(base, key, given[key], label)
        count = given["data.folds"] if isinstance(given["data.folds"], int) else 0  # text: no number of folds
        folds = st.multiselect(
            "folds to train",
            range(count),
            placeholder="all",
            persist_state="session",
            key=_key(base, f"folds of {count}"),
            help="None chosen: all.",
        )
    for section, keys in _sections().items():
        _section(base, section, [key for key in keys if key not in _FIRST], given)
    try:
        config = parse_config(_nested(given))
    except ConfigError as problem:
        st.error(str(problem))
        return None
    _show_differences(base, differences(bases[base], config))
    return Choice(base, config, sorted(folds) or None)


def flatten(config: BaseModel) -> dict[str, Any]:
    """All settings by their dotted keys.

    >>> flatten(load_config("seed"))["model.name"]
    'resnet34'
    """
    flat: dict[str, Any] = {}
    for name, value in config:
        if isinstance(value, BaseModel):
            flat |= {f"{name}.{key}": inner for key, inner in flatten(value).items()}
        else:
            flat[name] = value
    return flat


def differences(old: TrainConfig, new: TrainConfig) -> dict[str, tuple[Any, Any]]:
    """Settings that differ: (old, new) by dotted key."""
    before = flatten(old)
    return {key: (before[key], value) for key, value in flatten(new).items() if value != before[key]}


def command_line(name: str, choice: Choice, common: Sequence[str] = (), *, revision: int | None = None) -> str:
    """The command that starts the same run; ``common``: options such as ``--data``; revision None: the newest."""
    preset = choice.base if choice.base in PRESETS else "default"
    parts = ["python", "-m", "core", "train", "--name", name, "--preset", preset]
    for key, (_, value) in differences(load_config(preset), choice.config).items():
        parts += ["--set", f"{key}={_toml(value)}"]
    if choice.folds is not None:
        parts += ["--folds", ",".join(map(str, choice.folds))]
    if revision is not None:
        parts += ["--revision", str(revision)]
    return shlex.join([*parts, *common])


def _toml(value: Any) -> str:
    bare = isinstance(value, str) and re.fullmatch(r"(?!true$|false$|inf$|nan$)[A-Za-z][\w./-]*", value)
    return str(value) if bare else json.dumps(value)


def _sections() -> dict[str, list[str]]:
    """The dotted keys of each section; those without one under ``general``."""
    found: dict[str, list[str]] = {"general": []}
    for key in setting_fields():
        section, dot, _ = key.rpartition(".")
        found.setdefault(section if dot else "general", []).append(key)
    return {**{name: keys for name, keys in found.items() if name != "general"}, "general": found["general"]}


def _section(base: str, section: str, keys: Sequence[str], given: dict[str, Any]) -> None:
    """One section, folded; changes ``given``."""
    if not keys:
        return
    field = TrainConfig.model_fields.get(section)
    about = (field.annotation.__doc__ or "").split("\n")[0] if field and field.annotation else "Seed and device."
    with st.expander(f"**{section}** · {about.rstrip('.')}"), st.grid("auto", min_column_width=_CELL):
        for key in keys:
            given[key] = _widget(base, key, given[key])


def _widget(base: str, key: str, value: Any, label: str | None = None) -> Any:
    """The input that suits a setting's type; what it may be stands below one that cannot be meant.

    Numbers are typed as text: where one is out of range, a number input shows it and keeps the one before.
    """
    field = setting_fields()[key]
    with st.container(gap="xsmall"):
        given = _input(base, key, field, value, label or key.rpartition(".")[2].replace("_", " "))
        try:
            return parse_value(key, given)
        except ConfigError:
            st.markdown(f":small[:red[Give {allowed(key)}.]]")
            return given


def _input(base: str, key: str, field: FieldInfo, value: Any, label: str) -> Any:
    common: dict[str, Any] = {"key": _key(base, key), "help": _help(key, field), "persist_state": "session"}
    if get_origin(field.annotation) is Literal:
        options = list(get_args(field.annotation))
        return st.selectbox(label, options, index=options.index(value), **common)
    if key in _SUGGESTED:
        options = list(dict.fromkeys([*_SUGGESTED[key], value]))
        return st.selectbox(label, options, index=options.index(value), accept_new_options=True, **common) or ""
    if isinstance(value, bool):
        return st.checkbox(label, value, **common)
    text = "" if value is None else str(value).removesuffix(".0")
    typed = st.text_input(label, text, placeholder="none" if field.default is None else None, **common)
    return None if field.default is None and not typed.strip() else typed


def _help(key: str, field: FieldInfo) -> str:
    about = field.description or key.replace(".", " ")
    limits = "" if about == allowed(key) else f", {allowed(key)}"
    return f"{about} (`{key}`{limits})"


def _key(base: str, key: str) -> str:
    return f"train:{base}:{key}"


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        section, dot, name = key.rpartition(".")
        (nested.setdefault(section, {}) if dot else nested)[name] = value
    return nested


def _show_differences(base: str, changed: Mapping[str, tuple[Any, Any]]) -> None:
    if not changed:
        return
    told = "  ".join(f"`{key}: {old} → {new}`" for key, (old, new) in changed.items())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Differs from **{base}**: {told}")
        st.button(f"Back to {base}", on_click=_forget, args=(base,), key="train-reset")


def _forget(base: str) -> None:
    for key in [key for key in st.session_state if str(key).startswith(_key(base, ""))]:
        del st.session_state[key]
