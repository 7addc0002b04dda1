"""What if: the same run once more, with somebody's hands in it, beside the original."""

import streamlit as st

from rnnviz.ui import intervening, presets, whatif
from rnnviz.ui.looking import looking

if seen := looking():
    done = whatif.experiment(seen)
    left, right = st.columns([3, 8], gap="medium")
    with left:
        presets.presets(done)
        intervening.add(done)
        intervening.done_by_now(done)
    with right:
        whatif.outcome(done)
        whatif.pictures(done)
        whatif.about()
