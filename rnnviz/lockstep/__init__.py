"""Several cells learn one task in lockstep, an epoch each in turn, and are compared."""
