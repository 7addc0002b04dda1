"""Translate: a sequence-to-sequence network, its attention step by step, and how it is searched."""

from rnnviz.ui import translating, translating_views

config = translating.choose()
run, view = translating.train(config)
if run is not None and view.snapshots:
    translating_views.show(run, view)
