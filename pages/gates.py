"""Gates: every unit's gates and states over the whole sequence."""

from rnnviz.ui import gates
from rnnviz.ui.looking import looking

if seen := looking():
    name = gates.choose(seen)
    gates.over_time(seen, name)
    gates.one_unit(seen, name)
    gates.all_units(seen, name)
