"""The app's frame around ``review_page.py`` in place of the navigation."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from ui.gate import AccessGate
from ui.photo_route import serve_photo
from ui.serving import lifespan

app = st.App(
    Path(__file__).resolve().parent / "review_page.py",
    routes=[Route("/api/photo/{size:int}/{photo_id:path}", serve_photo)],
    middleware=[Middleware(AccessGate)],
    lifespan=lifespan,
)
