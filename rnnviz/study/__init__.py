"""BMI from a day of activity, twice: as the R script has it, and as it should have been.

Nothing is loaded from here: the server takes what is free of torch, the worker the rest.
"""
