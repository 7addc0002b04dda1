"""What a training is asked between two of its events. Floor 0: plain values only."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Sent into the generator of a run; the usual one asks for nothing."""

    learning_rate: float | None = None  # from the next optimiser step on
    teacher_forcing: float | None = None  # the same, of a network that translates
    checkpoint: bool = False  # the very next event is to be a Checkpointed
