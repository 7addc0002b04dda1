"""What a screen can show of a large array, and how it travels: block means, extremes, few bytes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import orjson
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.io import to_json

ROWS, COLUMNS = 256, 720
MOST_CELLS = 93_000
"""Cells of one heat map: 256 x 360. As int16 that is 250 KB on the wire and in front of the eye a
cell of 3 to 4 pixels; int8 would allow 720 columns but leave two digits to hover over."""
EXACT_CELLS = 24_000
"""Up to here values travel as float32, as they are (144 x 166: at most 200 KB)."""
_THOUSANDTHS = 32.767  # the largest value that int16 holds in thousandths


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Means of blocks of a matrix; the last block of a row or column may be smaller."""

    values: Float[np.ndarray, "R C"]
    row_edges: Int[np.ndarray, " R+1"]  # blocks of rows begin here, the last ends there
    column_edges: Int[np.ndarray, " C+1"]

    @property
    def row_block(self) -> int:
        """Rows in one block."""
        return int(self.row_edges[1] - self.row_edges[0])

    @property
    def column_block(self) -> int:
        """Columns in one block."""
        return int(self.column_edges[1] - self.column_edges[0])


def _edges(count: int, most: int) -> Int[np.ndarray, " E"]:
    block = -(-count // most)
    return np.append(np.arange(0, count, block), count)


def to_pixels(
    matrix: Float[np.ndarray, "H T"],
    *,
    rows: int = ROWS,
    columns: int = COLUMNS,
    cells: int = MOST_CELLS,
) -> Pixels:
    """Means over the smallest equal blocks that fit into rows x columns and into so many cells."""
    row_edges = _edges(matrix.shape[0], rows)
    fits = min(columns, max(1, cells // (len(row_edges) - 1)))
    column_edges = _edges(matrix.shape[1], fits)
    sums = np.add.reduceat(matrix.astype(np.float64), row_edges[:-1], axis=0)
    sums = np.add.reduceat(sums, column_edges[:-1], axis=1)
    counts = np.outer(np.diff(row_edges), np.diff(column_edges))
    return Pixels(values=sums / counts, row_edges=row_edges, column_edges=column_edges)


def envelope(values: Float[np.ndarray, " T"], *, columns: int = COLUMNS) -> Int[np.ndarray, " P"]:
    """Which points to draw of a line so that no extreme is lost: ascending indices, 2 a column."""
    if len(values) <= 2 * columns:
        return np.arange(len(values))
    edges = _edges(len(values), columns)
    pairs = list(pairwise(edges))
    kept = {int(a + pick(values[a:b])) for a, b in pairs for pick in (np.argmin, np.argmax)}
    return np.array(sorted(kept | {0, len(values) - 1}))


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A heat map's values as they travel; a true value is z / per_unit."""

    z: Float[np.ndarray, "R C"] | Int[np.ndarray, "R C"]
    per_unit: int  # 1, or 1000 for thousandths
    hover: str  # shows the true value to three digits or decimals


def encode(values: Float[np.ndarray, "R C"], form: str = ".3f", *, exact: bool = False) -> Encoded:
    """float32 where that is small, else int16 in thousandths.

    Plotly can't divide in a hover text. Its thousands separator can: with separators ".." and
    zeros in front, 1234 thousandths are shown as 1.234 and -43 as -0.043.
    """
    if exact or values.size <= EXACT_CELLS or np.abs(values).max() > _THOUSANDTHS:
        return Encoded(z=values.astype(np.float32), per_unit=1, hover=f"%{{z:{form}}}")
    thousandths = np.round(values * 1000).astype(np.int16)
    return Encoded(z=thousandths, per_unit=1000, hover="%{z:05,d}")


def wire(figure: go.Figure) -> str:
    """The figure as JSON for a message or a file; never to be put into a page's markup.

    Plotly's to_json writes every "/" as six characters, for use inside of HTML. Arrays are base64,
    in which "/" is common: without it, a heat map of small negative numbers is a third of the size.
    """
    return orjson.dumps(orjson.loads(to_json(figure, engine="orjson", validate=False))).decode()
