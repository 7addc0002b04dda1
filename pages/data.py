"""Data: what the sequences look like, before anything is trained."""

import streamlit as st

from rnnviz.ui import overview
from rnnviz.ui.data_settings import data_settings

left, right = st.columns([3, 8], gap="medium")
with left:
    config = data_settings()
if config is not None:
    with right:
        overview.described(config)
        overview.pictures(config)
