"""Gates: every unit's gates and states over the whole sequence."""

from rnnviz.ui import about, gates
from rnnviz.ui.looking import looking

if seen := looking():
    name = gates.choose(seen)
    gates.over_time(seen, name)
    gates.one_unit(seen, name)
    gates.all_units(seen, name)
    about.cell(
        seen.layer.cell,
        "Gates are shown after their squash. Near an end is below 0.1 or above 0.9 (of tanh: "
        "beyond 0.9 on either side): there the squash has little slope, and so has the gradient.",
    )
