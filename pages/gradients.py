"""Back through time: where the gradient goes, how much of it arrives, and what stops it."""

from rnnviz.ui import backward_views, session
from rnnviz.ui.looking import looking

view = backward_views.VIEWS[backward_views.choose()]
if view.alone is not None and session.current() is None:
    view.alone()
elif seen := looking():
    view.draw(seen)
