"""From scratch: a recurrent network in NumPy, every gradient with its numbers, and their proof."""

from rnnviz.ui import proving, scratching

config = scratching.choose()
run, view = scratching.train(config)
scratching.about()
if run is not None and view.snapshots:
    proving.inside(run, view)
