"""The five types of sequence mapping as small drawings: SVG texts, no Plotly."""

from collections.abc import Mapping
from typing import NamedTuple

from rnnviz.data.dataset import MappingType
from rnnviz.figures.theme import Quantity, colours, palette

_PITCH, _BOX, _GAP = 34, 18, 16  # [px]
_ROWS = (8, 8 + _BOX + _GAP, 8 + 2 * (_BOX + _GAP))  # tops of what is said, the state, what is read
WIDTH, HEIGHT = 6 * _PITCH, _ROWS[2] + _BOX + 8


class Wiring(NamedTuple):
    """Which of the steps read something, and which say something."""

    steps: int
    read: tuple[int, ...]
    said: tuple[int, ...]


WIRINGS: Mapping[MappingType, Wiring] = {
    MappingType.ONE_TO_ONE: Wiring(1, (0,), (0,)),
    MappingType.ONE_TO_MANY: Wiring(4, (0,), (0, 1, 2, 3)),
    MappingType.MANY_TO_ONE: Wiring(4, (0, 1, 2, 3), (3,)),
    MappingType.MANY_TO_MANY: Wiring(4, (0, 1, 2, 3), (0, 1, 2, 3)),
    MappingType.TRANSLATION: Wiring(5, (0, 1, 2), (3, 4)),
}


def wiring(mapping: MappingType, *, dark: bool = False) -> str:
    """The drawing: what is read below, states in the middle, what is said on top."""
    steps, read, said = WIRINGS[mapping]
    p = palette(dark)
    inks = (p.roles["network"], p.faint_text, colours(Quantity.ACTIVITY, dark)[12])
    left = (WIDTH - steps * _PITCH) / 2
    parts = []
    for t in range(steps):
        x = left + t * _PITCH + (_PITCH - _BOX) / 2
        middle = x + _BOX / 2
        for row, shown in enumerate((t in said, True, t in read)):
            if shown:
                parts.append(_box(x, _ROWS[row], inks[row]))
        if t in said:
            parts.append(_arrow(middle, _ROWS[1], middle, _ROWS[0] + _BOX, p.text))
        if t in read:
            parts.append(_arrow(middle, _ROWS[2], middle, _ROWS[1] + _BOX, p.text))
        if t + 1 < steps:
            y = _ROWS[1] + _BOX / 2
            parts.append(_arrow(x + _BOX, y, x + _PITCH, y, p.text))
    body = "".join(parts)
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>'


def _box(x: float, y: float, ink: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_BOX}" rx="4" fill="{ink}"/>'


def _arrow(x0: float, y0: float, x: float, y: float, ink: str) -> str:
    """A line with a head, upwards or to the right."""
    up = x0 == x
    head = f"{x - 3.5},{y + 6} {x + 3.5},{y + 6}" if up else f"{x - 6},{y - 3.5} {x - 6},{y + 3.5}"
    end = f'x2="{x}" y2="{y + 5}"' if up else f'x2="{x - 5}" y2="{y}"'
    return (
        f'<line x1="{x0}" y1="{y0}" {end} stroke="{ink}" stroke-width="1.4"/>'
        f'<polygon points="{x},{y} {head}" fill="{ink}"/>'
    )
