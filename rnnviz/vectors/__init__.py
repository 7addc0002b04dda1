"""Words as vectors: skip-gram, CBOW and GloVe in NumPy, and what can be read off the vectors."""
