"""Colours by lightness, chroma and hue, so that a scale's steps look as even as its numbers are.

Pure arithmetic in OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab/). No Plotly.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_FROM_LAB = np.linalg.inv(_TO_LAB)


class Lch(NamedTuple):
    """Lightness in [0, 1], chroma (0 is grey) and hue in degrees."""

    lightness: float
    chroma: float
    hue: float


def _linear(colour: Lch) -> Float[np.ndarray, " 3"]:
    angle = math.radians(colour.hue)
    a, b = colour.chroma * math.cos(angle), colour.chroma * math.sin(angle)
    return _FROM_LMS @ (_FROM_LAB @ np.array([colour.lightness, a, b])) ** 3


def to_hex(colour: Lch) -> str:
    """The nearest displayable colour of the same lightness and hue: chroma gives way."""
    while colour.chroma > 0:
        rgb = _linear(colour)
        if rgb.min() >= -1e-4 and rgb.max() <= 1 + 1e-4:
            break
        colour = colour._replace(chroma=max(0.0, colour.chroma - 0.002))
    rgb = np.clip(_linear(colour), 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * float(v)):02x}" for v in encoded)


def to_rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue in 0 to 255 of '#rrggbb'."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def with_alpha(colour: str, alpha: float) -> str:
    """'rgba(...)' of '#rrggbb'."""
    red, green, blue = to_rgb(colour)
    return f"rgba({red}, {green}, {blue}, {alpha:.3g})"


def linear_rgb(colour: str) -> Float[np.ndarray, " 3"]:
    """Light of each primary in [0, 1]."""
    v = np.array(to_rgb(colour)) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def to_lch(colour: str) -> Lch:
    """The inverse of to_hex."""
    lightness, a, b = _TO_LAB @ np.cbrt(_TO_LMS @ linear_rgb(colour))
    hue = math.degrees(math.atan2(b, a)) % 360
    return Lch(float(lightness), math.hypot(float(a), float(b)), hue)


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminance, from 1 to 21, as WCAG 2 defines it."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear_rgb(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def ramp(anchors: Sequence[Lch], steps: int = 17) -> tuple[str, ...]:
    """Evenly spaced colours through the anchors."""
    at = np.linspace(0, len(anchors) - 1, steps)
    columns = [
        np.interp(at, np.arange(len(anchors)), values) for values in zip(*anchors, strict=True)
    ]
    return tuple(to_hex(Lch(*map(float, row))) for row in zip(*columns, strict=True))
