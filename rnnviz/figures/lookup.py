"""A matrix times a one-hot vector, drawn as a column that is looked up. Numbers in, figure out."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame
from rnnviz.figures.heat import colour_bar
from rnnviz.figures.theme import Quantity, colour_at, colour_scale, ink_on, palette, plain, visible
from rnnviz.figures.values import Range, limit_of

AROUND = 12  # columns shown on each side of a chosen word
ROW, LEAST_HEIGHT, MOST_HEIGHT = 17, 200, 900  # [px]
READABLE = 11  # least height of a row whose number is written [px]
ONE_HOT = 1.2  # the height of a one-hot vector, in rows
ROOM = 56  # for the words below the columns, beside the usual [px]
WIDE = 3  # columns that a vector which comes out takes, so that its numbers can be read
LEFT_OUT = None  # in place of a word


def lookup(
    words: Sequence[str],
    vectors: Float[np.ndarray, "V D"],
    places: Sequence[int],
    *,
    symbol: str = "E",
    dark: bool = False,
) -> go.Figure:
    """E times a one-hot vector: the column that the 1 stands over, taken out.

    Args:
        words: of the columns of E.
        vectors: the columns of E, as rows.
        places: of one word, or of two.
        symbol: of the matrix.
        dark: for a dark page.
    """
    columns, d = shown_columns(len(words), places), vectors.shape[1]
    height = min(max(ROW * (d + 3), LEAST_HEIGHT), MOST_HEIGHT)
    title = f"{symbol} o = e: the 1 stands over the column that comes out"
    figure = frame(title, dark=dark, plot_height=height, keeps="lookup", right=96)
    limit = limit_of_vectors(vectors)
    drawn = {x: place for x, place in enumerate(columns) if place is not LEFT_OUT}
    names = {float(x): visible(words[place]) for x, place in drawn.items()}
    for number, place in enumerate(places):
        x = len(columns) + 1 + (WIDE + 1) * number  # of the vector that comes out
        drawn |= dict.fromkeys(range(x, x + WIDE), place)
        middle = x + (WIDE - 1) / 2
        names[middle] = visible(words[place])
        y = -1.0 - ONE_HOT * number
        _one_hot(figure, columns, place, y, dark)
        said = f"o of {visible(words[place])}"
        figure.add_annotation(x=len(columns), y=y, text=said, xanchor="left")
        _lit(figure, columns.index(place), 0.5, d, number, dark)
        _lit(figure, middle, WIDE / 2, d, number, dark)
        if height / (d + 3) >= READABLE:
            _numbers(figure, vectors[place], middle, limit, dark)
    figure.add_trace(_matrix(words, vectors, drawn, limit, dark))
    _axes(figure, names, max(drawn), d, len(places))
    return figure


def shown_columns(count: int, places: Sequence[int]) -> list[int | None]:
    """The columns around the chosen ones; LEFT_OUT where there are more."""
    around = {k for p in places for k in range(max(0, p - AROUND), min(count, p + AROUND + 1))}
    found: list[int | None] = []
    for k in sorted(around):
        if k and k - 1 not in around:
            found.append(LEFT_OUT)
        found.append(k)
    return found if count - 1 in around else [*found, LEFT_OUT]


def limit_of_vectors(vectors: Float[np.ndarray, "V D"]) -> float:
    """The end of the colours: of 1, 2, 5, 10, ... such that nearly all numbers are inside.

    Vectors may be small everywhere, so the range follows them below 1 as well.
    """
    reach = float(np.quantile(np.abs(vectors), 0.995)) if vectors.size else 0.0
    if reach >= 1 or reach == 0:
        return limit_of(vectors)
    decade = 10.0 ** np.floor(np.log10(reach))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= reach * 0.999))


def _matrix(
    words: Sequence[str],
    vectors: Float[np.ndarray, "V D"],
    drawn: dict[int, int],
    limit: float,
    dark: bool,
) -> go.Heatmap:
    z = np.full((vectors.shape[1], max(drawn) + 1), np.nan)
    names = np.full(z.shape, "", dtype=object)
    for x, place in drawn.items():
        z[:, x], names[:, x] = vectors[place], plain(words[place])
    span = Range(quantity=Quantity.STATE, low=-limit, high=limit)
    return go.Heatmap(
        z=z,
        x=np.arange(z.shape[1]),
        y=np.arange(1, z.shape[0] + 1),
        customdata=names,
        zmin=-limit,
        zmax=limit,
        zauto=False,
        colorscale=colour_scale(Quantity.STATE, dark),
        colorbar=colour_bar(span, 1, "number"),
        hoverongaps=False,
        hovertemplate="%{customdata}<br>number %{y}: %{z:.4f}<extra></extra>",
    )


def _one_hot(
    figure: go.Figure, columns: Sequence[int | None], place: int, y: float, dark: bool
) -> None:
    """A one-hot vector above the matrix: each number over its column."""
    p = palette(dark)
    for x, column in enumerate(columns):
        one = column == place
        text = "…" if column is LEFT_OUT else "<b>1</b>" if one else "0"
        font = {"size": 14 if one else 11, "color": p.text if one else p.faint_text}
        figure.add_annotation(x=x, y=y, text=text, font=font)


def _numbers(
    figure: go.Figure, vector: Float[np.ndarray, " D"], x: float, limit: float, dark: bool
) -> None:
    for k, value in enumerate(vector):
        behind = colour_at(Quantity.STATE, float(value), -limit, limit, dark)
        font = {"size": 11, "color": ink_on(behind, dark)}
        text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
        figure.add_annotation(x=x, y=k + 1, text=text, font=font)


def _lit(figure: go.Figure, x: float, wide: float, d: int, number: int, dark: bool) -> None:
    """A frame around a column."""
    p = palette(dark)
    line = {"color": p.roles["target"] if number else p.mark, "width": 2}
    figure.add_shape(
        type="rect", x0=x - wide, x1=x + wide, y0=0.5, y1=d + 0.5, line=line, layer="above"
    )


def _axes(figure: go.Figure, names: dict[float, str], last: int, d: int, one_hots: int) -> None:
    figure.update_xaxes(
        range=[-0.7, last + 0.7],
        tickvals=list(names),
        ticktext=list(names.values()),
        tickangle=-60,
        tickfont={"size": 11},
        showgrid=False,
        showline=False,
        ticks="",
    )
    step = next(s for s in (1, 2, 5, 10, 20) if d / s <= 14 or s == 20)
    figure.update_yaxes(
        range=[d + 0.6, -1.0 - ONE_HOT * (one_hots - 0.4)],
        autorange=False,
        tickvals=sorted({1, *range(step, d + 1, step)}),
        title_text="numbers of a vector",
        showgrid=False,
    )
    margin = figure.layout.margin.b + ROOM
    figure.update_layout(margin_b=margin, height=figure.layout.height + ROOM)
