"""What units tell: each unit's states beside what the steps are."""

from rnnviz.ui import telling
from rnnviz.ui.looking import looking
from rnnviz.ui.states import states_of

if seen := looking():
    states = states_of(seen)
    if states is not None:
        telling.ranking(seen, states)
    telling.about()
