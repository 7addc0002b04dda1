"""Data: what the sequences look like, before anything is trained."""

import streamlit as st

from rnnviz.ui import mappings, overview
from rnnviz.ui.data_settings import choose_source, pairs_of, settings_of_source

left, right = st.columns([3, 8], gap="medium")
with right:
    head, choices, rest = st.container(), st.container(), st.container()
with left:
    config = settings_of_source(
        choose_source(), choices=choices.container(horizontal=True, width=560)
    )
pairs = None
if config is not None:
    pairs = pairs_of(config)
    with head:
        if pairs:
            overview.pairs(pairs)
        else:
            overview.described(config)
    if not pairs:
        with choices:
            overview.counted(config)
        with rest:
            overview.pictures(config)
mappings.gallery(None if pairs else config)
