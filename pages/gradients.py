"""Back through time: where the gradient goes, how much of it arrives, and what stops it."""

from rnnviz.ui import backward_views

backward_views.show(backward_views.choose())
