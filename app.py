"""Launcher: the Streamlit app with the routes of photos and maps behind the access gate. ``make run`` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from ui.compressed import CompressedStatics
from ui.gate import AccessGate
from ui.map_route import serve_map
from ui.photo_route import serve_photo
from ui.serving import lifespan, refuse_open_address

ROOT = Path(__file__).resolve().parent

refuse_open_address()
app = st.App(
    ROOT / "ui" / "main.py",
    routes=[
        Route("/api/photo/{size:int}/{photo_id:path}", serve_photo),
        Route("/api/map/{run_id}/{part}", serve_map),
    ],
    middleware=[Middleware(AccessGate), Middleware(CompressedStatics)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
