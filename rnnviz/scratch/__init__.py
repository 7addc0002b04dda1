"""A recurrent network in NumPy alone, from the first weights to the last gradient."""
