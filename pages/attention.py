"""Attention: where the network looks, from scores to the weighted sum."""

import streamlit as st

from rnnviz.ui import about, attending, attributing
from rnnviz.ui.looking import looking

seen = looking()
if seen and seen.trace.attention is None:
    st.info(
        "This network has no attention. Choose **Attention** on the Train page and train again "
        "to see which steps it looks at."
    )
elif seen:
    attending.weights(seen)
    attributing.beside_attention(seen)
    attending.step_by_step(seen)
    attending.groups(seen)
    about.attention(seen.run.config.model.attention)
