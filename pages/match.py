"""Select and match: mark a span; where else are the same units on?"""

from rnnviz.ui import matches, matching
from rnnviz.ui.looking import looking
from rnnviz.ui.states import states_of

if seen := looking():
    symbol = matching.state(seen)
    states = states_of(seen, symbol)
    if states is not None and (marked := matching.choose(seen, states, symbol)):
        matches.found(seen, states, marked)
    matching.about()
