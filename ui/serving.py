"""How the server is started: on which address it may listen, and how fast its connections answer."""

import importlib
import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click
import streamlit as st

from ui.gate import TOKEN_VARIABLE, is_loopback

_SLOW_MODULES = ("pandas", "plotly.graph_objects", "pyarrow.parquet", "ui.session", "ui.job_status", "ui.run_details")
"""What the pages import; 2 to 3 s in all, which the first visitor would wait for."""


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
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What is done once a server: connections that answer at once, and slow imports before the first visitor."""
    _answer_at_once()
    threading.Thread(target=_import_slow_modules, daemon=True).start()
    yield


def _answer_at_once() -> None:
    """Let every answer leave when it is written.

    ``streamlit run`` binds its socket without naming TCP, so asyncio leaves Nagle's algorithm on, and a
    kept-alive connection answers 40 ms late. Connections inherit what is set on the listening socket.
    """
    for opened in Path("/dev/fd").iterdir():
        with suppress(OSError), socket.fromfd(int(opened.name), socket.AF_INET, socket.SOCK_STREAM) as candidate:
            if candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _import_slow_modules() -> None:
    for name in _SLOW_MODULES:
        importlib.import_module(name)


def _chosen_address() -> str:
    """What the server is told to listen on: uvicorn by its command line, Streamlit by its settings."""
    command = click.get_current_context(silent=True)
    if command is not None and "host" in command.params:
        return str(command.params["host"])
    return str(st.get_option("server.address") or "0.0.0.0")
