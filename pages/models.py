"""Models: the current run's model as a file, and a file's model on one's own data."""

import streamlit as st

from rnnviz.ui import modelling, session

modelling.save(session.current())
left, right = st.columns([3, 8], gap="medium")
with left:
    kept = modelling.give()
    config = modelling.choose_data()
with right:
    modelling.described(kept)
    modelling.look_inside(kept, config)
    modelling.outcome(session.current())
