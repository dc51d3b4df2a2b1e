"""A long list, a page at a time."""

import streamlit as st


def page_of(total: int, size: int, *, key: str, in_address: bool = False) -> slice:
    """The places of the page in sight; where one page is not enough, a field to choose it.

    Args:
        total: how many there are.
        size: how many a page holds.
        key: the field's; another key starts at its first page.
        in_address: keep the page in the address.
    """
    pages = -(-total // size)
    if pages <= 1:
        return slice(0, size)
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = pages
    bind = "query-params" if in_address else None
    page = int(st.number_input(f"page, 1 to {pages:,}", 1, pages, key=key, bind=bind, width=160))
    return slice((page - 1) * size, page * size)
