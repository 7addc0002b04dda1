"""Language model: a network that speaks, token by token, with a look at each decision."""

import streamlit as st

from rnnviz.ui import branches, contributing, epochs, language_about, perplexities, speaking

if seen := speaking.looking_at_text():
    left, right = st.columns([3, 8], gap="medium")
    with left:
        done = speaking.experiment(seen)
    if done:
        with right:
            speaking.generated(done)
            branches.any_token(done)
        with left:
            branches.listed(done)
        contributing.why(done)
    perplexities.table(seen)
    if done:
        epochs.samples(done)
    epochs.reading(seen)
    language_about.about()
