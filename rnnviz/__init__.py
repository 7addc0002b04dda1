"""rnnviz: train small recurrent networks and see inside them.

The packages stand on floors (docs/architecture.md); a module imports from lower floors only.
"""

__version__ = "0.1.0"
