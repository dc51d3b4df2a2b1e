"""A widget's choice in the address, kept there by hand.

Streamlit's ``bind="query-params"`` puts the words of a choice into the address and leaves a default out. That does
not do where words hold counts, which change, or where the default changes, as the newest run does.
"""

from collections.abc import Callable, Sequence

import streamlit as st


def in_address(key: str, options: Sequence[str], *, default: str, always: bool = False) -> Callable[[], None]:
    """Lets the address decide what the widget ``key`` shows; call it before the widget is drawn.

    What a link names and is no option gives way to the default, and the page says so.

    Args:
        options: what the address may name.
        always: whether the address names the choice also when it is the default.
    Returns:
        The widget's ``on_change``.
    """

    def take_over() -> None:
        """Take the widget's choice over before the page runs again."""
        _name(key, st.session_state[key], is_named=always or st.session_state[key] != default)

    asked = st.query_params.get(key)
    if asked not in (None, st.session_state.get(f"named-{key}"), *options):
        unknown = asked[:60].replace("`", "")
        st.toast(
            f"The address asks for {key} `{unknown}`, which is not here; this is `{default}`.", duration="infinite"
        )
    chosen = asked if asked in options else default
    st.session_state[key] = chosen
    _name(key, chosen, is_named=always or chosen != default)
    return take_over


def _name(key: str, chosen: str, *, is_named: bool) -> None:
    st.session_state[f"named-{key}"] = chosen
    if not is_named:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
