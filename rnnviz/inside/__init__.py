"""A recorded network done over in NumPy: replayed, differentiated in closed form, intervened in.

The server holds no torch; a trace carries the weights, so that all of this needs no model.
"""
