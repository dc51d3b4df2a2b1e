"""Where a run is wrong: its macro F1, what loses it, the matrix, and the photos behind each cell."""

import streamlit as st

from ui.error_photos import matrix_and_photos
from ui.error_sections import show_headline, show_losses
from ui.run_picker import pick_run
from ui.scored import calibrated_probabilities, tables

st.title("Errors")
st.caption("What a run gets wrong on people it did not train on, with the labels of that time.")
run = pick_run()
if run is None:
    st.stop()
lost = tables(run)
show_headline(run.result() or {}, lost.axes)
show_losses(lost, run.config.data)
matrix_and_photos(run)
calibrated_probabilities(run)  # by now all is on the screen; the first cell need not wait for it
