"""Arrays and a header in one message of bytes, as the browser's decode() reads it.

A message is: the header's length (4 bytes, little endian), the header as JSON, padding to a
multiple of 4, and all arrays as float32.
"""

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from jaxtyping import Float

from rnnviz.figures.colours import to_rgb
from rnnviz.figures.theme import colours
from rnnviz.figures.values import Range
from rnnviz.ui.components.places import Order


class Packing:
    """Collects the arrays of a message."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []
        self._size = 0

    def aside(self, array: Float[np.ndarray, "..."] | None) -> dict[str, Any] | None:
        """Put an array behind the header; what stands for it in the header."""
        if array is None:
            return None
        at = self._size
        self._arrays.append(array)
        self._size += array.size
        return {"at": at, "shape": array.shape}

    def message(self, picture: dict[str, Any], order: Order, key: str, **more: Any) -> bytes:
        """The bytes; "id" changes with the picture, and not with the order or with `more`."""
        parts = [np.ascontiguousarray(array, "<f4").tobytes() for array in self._arrays]
        body = b"".join(parts)
        digest = hashlib.blake2b(orjson.dumps(picture) + body, digest_size=8).hexdigest()
        front = {"id": digest, "key": key, "order": asdict(order), **more}
        header = orjson.dumps({**front, **picture})
        header += b" " * (-len(header) % 4)
        return len(header).to_bytes(4, "little") + header + body


def scale(range_: Range, dark: bool) -> dict[str, Any]:
    """A colour scale with the values at its ends."""
    stops = [to_rgb(colour) for colour in colours(range_.quantity, dark)]
    return {"low": range_.low, "high": range_.high, "stops": stops}
