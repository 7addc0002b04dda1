"""Unrolled: the network step by step, and the arithmetic of one unit at one step."""

from rnnviz.ui import unrolling
from rnnviz.ui.looking import looking

if seen := looking():
    unrolling.network(seen)
    unrolling.arithmetic(seen)
