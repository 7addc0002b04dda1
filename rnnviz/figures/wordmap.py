"""Words as points on a flat map, coloured by their group. Numbers in, figure out.

Only so many words are written beside their points as can be read; the others show at the pointer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame, note
from rnnviz.figures.theme import palette, plain, visible

PLOT_HEIGHT = 700  # [px]
LINE, LETTER = 14.0, 6.5  # a label's height, a letter's width [px]
AWAY, DOT = 7.0, 2.0  # a label from its point; half of a point that others keep off [px]
BESIDE = ("middle right", "middle left", "top center", "bottom center")  # in this order
_CLEAR = "\N{NO-BREAK SPACE}" * 2  # of the ring
SYMBOLS = ("circle", "diamond")
OTHERS = "other words"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Words that get one colour and sign.

    Attributes:
        title: in the legend.
        colour: place among the theme's colours for groups; None: grey.
        side: place in SYMBOLS.
    """

    title: str
    colour: int | None = None
    side: int = 0


def word_map(
    words: Sequence[str],
    places: Float[np.ndarray, "N 2"],
    *,
    title: str,
    keeps: str,
    reach: float,
    groups: Mapping[str, Group],
    chosen: str = "",
    near: Sequence[str] = (),
    dark: bool = False,
) -> go.Figure:
    """The map.

    Args:
        words: the most frequent ones first: they are written first.
        places: of the words.
        title: of the figure.
        keeps: zoom stays for as long as this stays the same.
        reach: the axes go so far on either side of 0.
        groups: of the words that are of one.
        chosen: a word that is marked; it and `near` are always written.
        near: words that are written next.
        dark: for a dark page.
    """
    kinds = list(dict.fromkeys(groups[w] for w in words if w in groups))
    kinds.sort(key=lambda g: (g.colour is None, g.colour or 0, g.side))
    shown = [*kinds, Group(title=OTHERS)] if kinds else [Group(title="words")]
    labels = [kind.title for kind in shown] if kinds else []
    figure = frame(title, dark=dark, plot_height=PLOT_HEIGHT, keeps=keeps, legend=labels, right=24)
    if not len(words):
        return note(figure, "There are no words to show.")
    rank = {word: k for k, word in enumerate((chosen, *near))}
    order = sorted(range(len(words)), key=lambda k: rank.get(words[k], len(rank) + k))
    written = readable(words, places * (PLOT_HEIGHT / (2.2 * reach)), order)
    rest = shown[-1]
    text = [visible(word) if k in written else "" for k, word in enumerate(words)]
    text = [_CLEAR + t if word == chosen else t for word, t in zip(words, text, strict=True)]
    for kind in shown:
        mine = [k for k, word in enumerate(words) if groups.get(word, rest) == kind]
        points = _points(words, places, mine, kind, dark)
        points.text = [text[k] for k in mine]
        points.textposition = [written.get(k, BESIDE[0]) for k in mine]
        figure.add_trace(points)
    if chosen in words:
        figure.add_trace(_ring(places[list(words).index(chosen)], dark))
    plain_axis = {"showgrid": False, "showticklabels": False, "ticks": "", "showline": False}
    figure.update_xaxes(range=[-1.1 * reach, 1.1 * reach], **plain_axis)
    figure.update_yaxes(range=[-1.1 * reach, 1.1 * reach], scaleanchor="x", **plain_axis)
    figure.update_layout(dragmode="pan")
    return figure


def readable(
    words: Sequence[str], pixels: Float[np.ndarray, "N 2"], order: Sequence[int]
) -> dict[int, str]:
    """Which words can be written so that they lie on no other and on no point, and on which side.

    Args:
        words: what is written.
        pixels: where the points are [px].
        order: who is asked first; the very first is written in any case.
    """
    boxes, written = np.empty((0, 4)), {}
    for k in order:
        width = LETTER * len(visible(words[k]))
        for side in BESIDE:
            box = _box(pixels[k], width, side)
            if _free(box, boxes, np.delete(pixels, k, axis=0)):
                boxes, written[k] = np.vstack([boxes, box]), side
                break
    return {order[0]: BESIDE[0], **written}


def _box(at: Float[np.ndarray, " 2"], width: float, side: str) -> Float[np.ndarray, " 4"]:
    """Left, right, bottom and top of a label [px]."""
    x, y = at
    if side.startswith("middle"):
        left = x + AWAY if side.endswith("right") else x - AWAY - width
        return np.array([left, left + width, y - LINE / 2, y + LINE / 2])
    bottom = y + AWAY if side.startswith("top") else y - AWAY - LINE
    return np.array([x - width / 2, x + width / 2, bottom, bottom + LINE])


def _free(
    box: Float[np.ndarray, " 4"],
    boxes: Float[np.ndarray, "M 4"],
    points: Float[np.ndarray, "N 2"],
) -> bool:
    left, right, bottom, top = box
    across = (boxes[:, 0] < right) & (boxes[:, 1] > left)
    if (across & (boxes[:, 2] < top) & (boxes[:, 3] > bottom)).any():
        return False
    x, y = points.T
    near = (x > left - DOT) & (x < right + DOT) & (y > bottom - DOT) & (y < top + DOT)
    return not near.any()


def _points(
    words: Sequence[str],
    places: Float[np.ndarray, "N 2"],
    mine: Sequence[int],
    kind: Group,
    dark: bool,
) -> go.Scatter:
    p = palette(dark)
    colour = p.faint_text if kind.colour is None else p.groups[kind.colour % len(p.groups)]
    names = [plain(words[k]) for k in mine]
    return go.Scatter(
        x=places[mine, 0],
        y=places[mine, 1],
        mode="markers+text",
        name=kind.title,
        textfont={"size": 12, "color": p.faint_text if kind.colour is None else p.text},
        customdata=names,
        hovertemplate=f"%{{customdata}}<extra>{plain(kind.title)}</extra>",
        marker={
            "size": 5 if kind.colour is None else 8,
            "symbol": SYMBOLS[kind.side],
            "color": colour,
            "opacity": 0.7 if kind.colour is None else 1.0,
        },
    )


def _ring(place: Float[np.ndarray, " 2"], dark: bool) -> go.Scatter:
    return go.Scatter(
        x=place[:1],
        y=place[1:],
        mode="markers",
        name="chosen",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "size": 15,
            "symbol": "circle-open",
            "color": palette(dark).mark,
            "line": {"width": 2.5},
        },
    )
