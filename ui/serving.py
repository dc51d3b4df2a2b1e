"""How the server is started: on which address it may listen, and how fast its connections answer."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click
import streamlit as st

from ui.gate import TOKEN_VARIABLE, is_loopback


def refuse_open_address() -> None:
    """End the start when other machines could connect and no token is set.

    Raises:
        SystemExit: says which address, and what to do.
    """
    address = _chosen_address()
    if not os.environ.get(TOKEN_VARIABLE) and not is_loopback(address):
        raise SystemExit(
            f"MaskDesk would listen on {address}, where other machines reach the photos; "
            f"set {TOKEN_VARIABLE} to a secret of your own, or leave the address at 127.0.0.1"
        )


@asynccontextmanager
async def at_once(_: st.App) -> AsyncIterator[None]:
    """The app's lifespan: every answer leaves when it is written.

    ``streamlit run`` binds its socket without naming TCP, so asyncio leaves Nagle's algorithm on, and a
    kept-alive connection answers 40 ms late. Connections inherit what is set on the listening socket.
    """
    for opened in Path("/dev/fd").iterdir():
        with suppress(OSError), socket.fromfd(int(opened.name), socket.AF_INET, socket.SOCK_STREAM) as candidate:
            if candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield


def _chosen_address() -> str:
    """What the server is told to listen on: uvicorn by its command line, Streamlit by its settings."""
    command = click.get_current_context(silent=True)
    if command is not None and "host" in command.params:
        return str(command.params["host"])
    return str(st.get_option("server.address") or "0.0.0.0")
