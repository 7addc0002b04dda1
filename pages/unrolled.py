"""Inside: the network step by step, one cell as a wiring diagram, one gate as a sum."""

from rnnviz.ui import about, folding, pinning, unrolling
from rnnviz.ui.looking import looking

if seen := looking():
    unrolling.drawing(seen)
    folding.unfolding(seen)
    unrolling.all_gates(seen)
    pinning.compared(seen)
    about.cell(
        seen.layer.cell,
        "The same weights serve every step: that is what the loop folds. Every number is of the "
        "trace that is chosen in the sidebar.",
    )
