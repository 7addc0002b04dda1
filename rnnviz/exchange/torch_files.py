"""PyTorch's .pt files: weights and nothing else, in and out. Reading is for the sandbox's child.

Such a file is a pickle, which can name any code. torch's restricted reader takes weights alone; it
had holes before, so nothing that it gives is trusted: neither its kind, nor its size, nor indices.
"""

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnviz.errors import DataError
from rnnviz.exchange.keras_layers import Array
from rnnviz.exchange.stored import MOST_WEIGHTS, Stored
from rnnviz.exchange.torch_layout import ALLOWED, from_names, to_names

MOST_UNPACKED, MOST_MEMBERS = 500_000_000, 10_000
MOST_RATIO, SMALL = 100, 10_000_000
INSIDE = ("state_dict", "model_state_dict", "model")  # where checkpoints keep the weights


def read_pt(path: Path, name: str, into: Path) -> Stored:  # noqa: ARG001 - every reader has it
    """The model whose state_dict torch.save wrote.

    Raises:
        DataError: it is no such file, or holds more than weights of layers that are known.
    """
    _check_archive(path, name)
    return from_names(_arrays(_state(_loaded(path, name), name), name), "PyTorch")


def write_pt(stored: Stored) -> bytes:
    """A file for torch.load(..., weights_only=True).

    Raises:
        DataError: torch has no layers for this model.
    """
    state = {name: torch.from_numpy(np.array(a)) for name, a in to_names(stored).items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _check_archive(path: Path, name: str) -> None:
    """What can be told without unpacking."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise _damaged(name) from None
    if any(member.filename.endswith("constants.pkl") for member in members):
        raise DataError(
            f"{name} is a TorchScript program; save model.state_dict() and give that file"
        )
    size, packed = (sum(getattr(m, k) for m in members) for k in ("file_size", "compress_size"))
    swollen = size > SMALL and size > MOST_RATIO * packed
    if size > MOST_UNPACKED or len(members) > MOST_MEMBERS or swollen:
        raise DataError(
            f"{name} unpacks from {packed / 1e6:,.1f} to {size / 1e6:,.0f} MB in {len(members):,} "
            f"parts; at most {MOST_UNPACKED / 1e6:.0f} MB, {MOST_RATIO} times and "
            f"{MOST_MEMBERS:,} parts are read"
        )


def _loaded(path: Path, name: str) -> Any:
    try:
        with torch.sparse.check_sparse_tensor_invariants(True):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"{name} holds more than weights, and so could run code; save model.state_dict() and "
            "give that file"
        ) from None
    except MemoryError:
        raise
    except Exception as wrong:  # torch's reader gives way with errors of every kind
        if "allocate" in str(wrong):
            raise MemoryError from None
        raise _damaged(name) from None


def _damaged(name: str) -> DataError:
    return DataError(
        f"{name} is no file of weights by PyTorch 1.6 or newer, or is cut off or damaged; save "
        "model.state_dict() again and give that file"
    )


def _state(held: Any, name: str) -> Mapping[Any, Any]:
    """The mapping of names to tensors, also inside of a checkpoint."""
    if isinstance(held, dict):
        for key in INSIDE:
            if isinstance(held.get(key), dict):
                return held[key]
        if held:
            return held
    raise DataError(f"{name} holds no weights by name; save model.state_dict() and give that file")


def _arrays(state: Mapping[Any, Any], name: str) -> dict[str, Array]:
    arrays, total = {}, 0
    for key, value in state.items():
        label = repr(key)[:80]
        if type(key) is not str or type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise DataError(
                f"{name} holds {label}, which is no weight; save model.state_dict() and give that "
                "file"
            )
        total += _checked(value, label, name)
        if total > MOST_WEIGHTS:
            raise DataError(
                f"{name} holds more than {MOST_WEIGHTS // 10**6} million weights, the most that is "
                "read; take a smaller model"
            )
        arrays[key] = value.detach().to(torch.float32).contiguous().numpy()
    return arrays


def _checked(value: torch.Tensor, label: str, name: str) -> int:
    """How many numbers a tensor has, after making sure that all of them are there."""
    plain = value.layout is torch.strided and value.device.type == "cpu"
    if not plain or not value.is_floating_point() or not 1 <= value.dim() <= 3:
        raise DataError(
            f"{name} holds {label}, which is no plain array of floating point numbers; allowed are "
            f"{ALLOWED}"
        )
    count = value.numel()
    if not count or count * value.element_size() > value.untyped_storage().nbytes():
        raise DataError(
            f"{name} does not store all of the {count:,} numbers of {label}; save it again, whole"
        )
    return count
