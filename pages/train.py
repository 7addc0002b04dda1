"""Train: choose data, network and training; start, pause, step and stop; watch it learn."""

import streamlit as st

from rnnviz.ui import session, training

left, right = st.columns([3, 8], gap="medium")
with left:
    config = training.settings()
with right:
    training.panel(config, session.current())
