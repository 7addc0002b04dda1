"""A sequence-to-sequence network: encoder, attention, decoder; and what it writes."""
