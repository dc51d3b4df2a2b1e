"""Launcher: the Streamlit app with the photo route behind the access gate. ``make run`` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from ui.gate import AccessGate
from ui.photo_route import serve_photo

ROOT = Path(__file__).resolve().parent

app = st.App(
    ROOT / "ui" / "main.py",
    routes=[Route("/api/photo/{size:int}/{photo_id:path}", serve_photo)],
    middleware=[Middleware(AccessGate)],
)
