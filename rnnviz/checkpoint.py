"""Where a training stands, as bytes and back: weights, optimiser, and what is held beside."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rnnviz.errors import RunError


def packed(model: nn.Module, optimiser: torch.optim.Optimizer, held: Mapping[str, Any]) -> bytes:
    """The state as bytes; `held` holds numbers and tensors."""
    buffer = io.BytesIO()
    of_torch = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**held, **of_torch}, buffer)
    return buffer.getvalue()


def load_weights(state: bytes, model: nn.Module) -> None:
    """The model is set to what it was; all else of the state is let be.

    Raises:
        RunError: the state cannot be read, or is of another model.
    """
    try:
        model.load_state_dict(torch.load(io.BytesIO(state), weights_only=True)["model"])
    except Exception as wrong:
        raise _unreadable(wrong) from wrong


def unpacked(state: bytes, model: nn.Module, optimiser: torch.optim.Optimizer) -> Mapping[str, Any]:
    """What was held; the model and the optimiser are set to what they were.

    Raises:
        RunError: the state cannot be read, or is of another model.
    """
    try:
        held = torch.load(io.BytesIO(state), weights_only=True)
        model.load_state_dict(held["model"])
        optimiser.load_state_dict(held["optimiser"])
    except Exception as wrong:
        raise _unreadable(wrong) from wrong
    return held


def _unreadable(wrong: Exception) -> RunError:
    return RunError(f"the checkpoint cannot be read ({type(wrong).__name__}); start the run again")
