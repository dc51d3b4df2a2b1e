"""The web form of a training's settings, made from ``TrainConfig`` and nothing else."""

import json
from typing import Any, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.config import PRESETS, TrainConfig, load_config, parse_config

_FIRST = [("model", "name"), ("optim", "epochs"), ("image", "height"), ("image", "width"), ("data", "age_old"),
          ("data", "folds"), ("data", "pseudo_labels"), ("optim", "lr")]  # fmt: skip


def config_form() -> TrainConfig:
    """Widgets for all settings, those most often changed first.

    Raises:
        ConfigError: settings that contradict each other.
    """
    preset = st.selectbox("preset", list(PRESETS), index=list(PRESETS).index("fast"), key="train-preset")
    base = load_config(preset)
    content = base.model_dump(mode="json")
    columns = st.columns(4)
    for place, (section, name) in enumerate(_FIRST):
        with columns[place % 4]:
            content[section][name] = _widget(preset, section, name, getattr(base, section))
    with st.expander("All settings"):
        for section in content:
            part = getattr(base, section)
            if not isinstance(part, BaseModel):
                continue
            st.markdown(f"**{section}**")
            inner = st.columns(4)
            rest = [name for name in type(part).model_fields if (section, name) not in _FIRST]
            for place, name in enumerate(rest):
                with inner[place % 4]:
                    content[section][name] = _widget(preset, section, name, part)
        content["seed"] = int(st.number_input("seed", value=base.seed, min_value=0, key=f"{preset}-seed"))
        content["device"] = st.text_input(
            "device", base.device, key=f"{preset}-device", help="auto, cpu, cuda, cuda:1"
        )
    return parse_config(content)


def command_line(name: str, config: TrainConfig, preset: str) -> str:
    """The command that starts the same run."""
    base, given = load_config(preset).model_dump(mode="json"), config.model_dump(mode="json")
    changed = []
    for key, value in given.items():
        if isinstance(value, dict):
            changed += [f"{key}.{inner}={_toml(v)}" for inner, v in value.items() if v != base[key][inner]]
        elif value != base[key]:
            changed.append(f"{key}={_toml(value)}")
    settings = "".join(f" --set {one}" for one in changed)
    return f"python -m core train --name {name or 'NAME'} --preset {preset}{settings}"


def _toml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _widget(preset: str, section: str, name: str, part: BaseModel) -> Any:
    field: FieldInfo = type(part).model_fields[name]
    value, key, label = getattr(part, name), f"{preset}-{section}-{name}", f"{section}.{name}"
    if get_origin(field.annotation) is not None and all(isinstance(arg, str) for arg in get_args(field.annotation)):
        options = list(get_args(field.annotation))
        return st.selectbox(label, options, index=options.index(value), help=field.description, key=key)
    if isinstance(value, bool):
        return st.checkbox(label, value, help=field.description, key=key)
    if isinstance(value, str):
        return st.text_input(label, value, help=field.description, key=key)
    if isinstance(value, float):
        return st.number_input(label, value=value, format="%g", step=None, help=field.description, key=key)
    low, high = _bounds(field)
    given = st.number_input(
        label, value=value, min_value=low, max_value=high, step=1, help=field.description, key=key
    )
    return None if given is None else int(given)


def _bounds(field: FieldInfo) -> tuple[int | None, int | None]:
    low = next((one.ge for one in field.metadata if hasattr(one, "ge")), None)
    high = next((one.le for one in field.metadata if hasattr(one, "le")), None)
    return low, high
