"""Word vectors: skip-gram, CBOW and GloVe learned in view, and what can be read off the vectors."""

from rnnviz.ui import vectoring, vectors_views

vectors_views.show(*vectoring.train(vectoring.choose()))
