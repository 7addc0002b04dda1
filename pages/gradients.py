"""Back through time: where the gradient goes, how much of it arrives, and what stops it."""

from rnnviz.ui import backward_views
from rnnviz.ui.looking import looking

name = backward_views.choose()
if seen := looking():
    backward_views.VIEWS[name].draw(seen)
