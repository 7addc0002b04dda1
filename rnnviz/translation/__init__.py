"""A network that reads a text to its end and then says another: sequence to sequence."""
