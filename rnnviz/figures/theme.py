"""What a colour means, on light and on dark: one scale for each quantity, one hue for each role.

A scale's end that stands for nothing (zero, closed, unattended) fades into the page, so that what
stands out is what is there. No figure picks a colour or a range of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from html import escape
from typing import Any

import plotly.graph_objects as go

from rnnviz.figures.colours import Lch, contrast, ramp, to_hex, to_lch, with_alpha


class Quantity(StrEnum):
    """What a coloured value is; each has one scale."""

    GATE = "gate"  # in [0, 1]
    STATE = "state"  # h, g, n, a in [-1, 1]; c and what ReLU gives within a limit of the trace
    PREACTIVATION = "preactivation"  # drawn in [-6, 6]
    ATTENTION = "attention"  # from 0 to the largest of the trace
    GRADIENT = "gradient"  # log10 of the magnitude, eight decades below the trace's largest
    ACTIVITY = "activity"  # from 0 on
    LOSS = "loss"  # from the least to nearly the largest of a surface
    DIFFERENCE = "difference"  # of two runs, around zero, within the largest there is
    ATTRIBUTION = "attribution"  # a step's share in a score, around zero, within the largest


PREACTIVATION_LIMIT = 6.0  # a sigmoid is within 0.0025 of its end there
DECADES = 8.0  # of gradients that are told apart

# Hue and chroma at the full end, and the hue near zero; lightness follows from the theme.
_SEQUENTIAL: Mapping[Quantity, tuple[float, float, float]] = {
    Quantity.GATE: (195, 0.11, 165),
    Quantity.ATTENTION: (305, 0.17, 320),
    Quantity.GRADIENT: (10, 0.17, 50),
    Quantity.ACTIVITY: (75, 0.12, 95),
    Quantity.LOSS: (155, 0.10, 130),
}
_BELOW_ZERO, _ABOVE_ZERO = 255.0, 50.0  # blue and orange: told apart by every kind of colour sight


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of one theme. Roles keep their hue on light and dark."""

    dark: bool
    page: str  # the page that figures stand on; they are transparent themselves
    text: str
    faint_text: str
    grid: str
    axis: str
    mark: str  # the selected step and unit
    roles: Mapping[str, str]  # "network", "mean", "train", "i", "h", ...
    groups: tuple[str, ...]  # for groups of people and for layers, in order

    def role(self, name: str) -> str:
        """The fixed colour of a part, a predictor, a gate or a state; grey for a stranger."""
        return self.roles.get(name, self.faint_text)


# Predictors and parts. What is compared in one figure differs in lightness as well as in hue.
_ROLES: Mapping[str, tuple[float, float]] = {
    "network": (255, 0.16),
    "corrected": (255, 0.16),
    "published": (50, 0.16),
    "train": (255, 0.16),
    "validation": (50, 0.16),
    "test": (330, 0.17),
    "mean": (255, 0.0),
    "unigram": (255, 0.0),
    "class shares": (255, 0.0),
    "ridge": (155, 0.12),
    "persistence": (330, 0.17),
    "target": (330, 0.17),
    "memoryless limit": (50, 0.16),
    "left-to-right limit": (330, 0.17),
    "chance": (50, 0.16),
    "always 1": (50, 0.16),
    "entropy floor": (305, 0.16),
    "noise floor": (305, 0.16),
    "present token": (155, 0.12),
    "bigram": (155, 0.12),
    "trigram": (85, 0.13),
    "window model": (330, 0.17),
    "bag of words": (155, 0.12),
    "covariates only": (305, 0.16),
    "i": (255, 0.15),
    "f": (50, 0.16),
    "o": (155, 0.12),
    "r": (50, 0.16),
    "z": (255, 0.15),
    "g": (330, 0.17),
    "n": (330, 0.17),
    "a": (155, 0.12),
    "c": (85, 0.13),
    "h": (255, 0.0),
}
_LIGHTNESS: Mapping[str, tuple[float, float]] = {  # (light, dark), where not the usual
    "validation": (0.58, 0.80),
    "corrected": (0.48, 0.70),
    "published": (0.58, 0.80),
    "train": (0.48, 0.70),
    "network": (0.48, 0.70),
    "covariates only": (0.45, 0.70),
    "ridge": (0.57, 0.80),
    "bigram": (0.57, 0.80),
    "trigram": (0.58, 0.84),
    "bag of words": (0.57, 0.80),
    "f": (0.60, 0.82),
    "r": (0.60, 0.82),
    "i": (0.45, 0.68),
    "z": (0.45, 0.68),
    "c": (0.58, 0.84),
    "h": (0.25, 0.93),
}
_GROUPS = ((0.45, 255), (0.62, 60), (0.55, 165), (0.50, 330), (0.66, 95), (0.40, 300))

DASHES: Mapping[str, str] = {
    "test": "dot",
    "mean": "dot",
    "unigram": "dot",
    "class shares": "dot",
    "ridge": "dash",
    "persistence": "longdash",
    "memoryless limit": "longdash",
    "left-to-right limit": "longdash",
    "chance": "longdash",
    "always 1": "longdash",
    "entropy floor": "solid",
    "noise floor": "solid",
    "present token": "dash",
    "bigram": "dash",
    "trigram": "dashdot",
    "window model": "longdash",
    "bag of words": "dash",
    "covariates only": "dashdot",
    "f": "dash",
    "r": "dash",
    "o": "dot",
    "g": "solid",
}


@cache
def palette(dark: bool) -> Palette:
    """The colours for a dark or a light page."""
    usual = (0.50, 0.76)
    roles = {
        name: to_hex(Lch(_LIGHTNESS.get(name, usual)[dark], chroma, hue))
        for name, (hue, chroma) in _ROLES.items()
    }
    lift = 0.26 if dark else 0.0
    groups = tuple(to_hex(Lch(min(light + lift, 0.84), 0.14, hue)) for light, hue in _GROUPS)
    grey = ("#0e1117", "#e8eaf0", "#a3a9b8", "#262b36", "#5b6273", "#ffffff") if dark else (
        "#ffffff", "#1f2430", "#5f6677", "#e9ebf0", "#9aa1b1", "#111111"
    )  # fmt: skip
    page, text, faint, grid, axis, mark = grey
    return Palette(
        dark=dark,
        page=page,
        text=text,
        faint_text=faint,
        grid=grid,
        axis=axis,
        mark=mark,
        roles=roles,
        groups=groups,
    )


@cache
def colours(quantity: Quantity, dark: bool) -> tuple[str, ...]:
    """Evenly spaced colours of a quantity's scale, from its low end to its high end."""
    page = to_lch(palette(dark).page)
    full = 0.90 if dark else 0.36
    if quantity in _SEQUENTIAL:
        hue, chroma, start = _SEQUENTIAL[quantity]
        middle = Lch((page.lightness + full) / 2, chroma, (hue + start) / 2)
        end = Lch(full, chroma * (0.75 if dark else 0.9), hue)
        return (palette(dark).page, *ramp((page._replace(hue=start), middle, end))[1:])
    side = 0.78 if dark else 0.46
    half = Lch((page.lightness + side) / 2, 0.11, 0)
    arms = [
        ramp((page._replace(hue=hue), half._replace(hue=hue), Lch(side, 0.15, hue)), 9)
        for hue in (_BELOW_ZERO, _ABOVE_ZERO)
    ]
    return (*arms[0][:0:-1], palette(dark).page, *arms[1][1:])


def colour_scale(quantity: Quantity, dark: bool) -> list[list[float | str]]:
    """The scale as Plotly takes it: positions in [0, 1] with their colours."""
    stops = colours(quantity, dark)
    return [[k / (len(stops) - 1), colour] for k, colour in enumerate(stops)]


def colour_at(quantity: Quantity, value: float, low: float, high: float, dark: bool) -> str:
    """The scale's colour for one value; values beyond the range take its end's colour."""
    stops = colours(quantity, dark)
    share = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    return stops[round(share * (len(stops) - 1))]


def ink_on(behind: str, dark: bool) -> str:
    """The page's colour or the text's, whichever is easier to read on a coloured cell."""
    p = palette(dark)
    return max((p.page, p.text), key=lambda ink: contrast(behind, ink))


def plain(text: str, longest: int = 60) -> str:
    """A person's text for a figure: shown as it is, never read as markup or as a hover field."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return escape(short, quote=False).replace("%{", "%&#123;").replace("$", "&#36;")


def visible(token: str) -> str:
    """A token as an axis or a hover text shows it; blanks get a sign."""
    return plain(token, 12).replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")


FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'


def _axis(p: Palette) -> dict[str, Any]:
    """What both axes share."""
    return {
        "gridcolor": p.grid,
        "linecolor": p.axis,
        "tickcolor": p.axis,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickfont": {"color": p.faint_text, "size": 12},
        "title": {"font": {"color": p.text, "size": 13}, "standoff": 6},
    }


@cache
def template(dark: bool) -> go.layout.Template:
    """The look that all figures share; neither Plotly's nor Streamlit's own."""
    p = palette(dark)
    clear = "rgba(0, 0, 0, 0)"
    layout = go.Layout(
        font={"family": FONT, "size": 13, "color": p.text},
        title={"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15, "color": p.text}},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        colorway=list(p.groups),
        xaxis={
            **_axis(p),
            "showgrid": False,
            "showline": True,
            "spikecolor": p.faint_text,
            "spikethickness": 1,
            "spikedash": "dot",
        },
        yaxis={**_axis(p), "showline": False},
        hoverlabel={
            "bgcolor": "#1c2230" if dark else "#ffffff",
            "bordercolor": p.axis,
            "font": {"family": FONT, "size": 13, "color": p.text},
        },
        legend={
            **{"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "tracegroupgap": 0},
            "bgcolor": clear,
            "font": {"size": 12, "color": p.text},
        },
        annotationdefaults={"font": {"size": 12, "color": p.text}, "showarrow": False},
        dragmode="zoom",
        hovermode="closest",
    )
    return go.layout.Template(layout=layout)


def faint(colour: str, dark: bool) -> str:
    """A colour for a band or an area behind lines."""
    return with_alpha(colour, 0.30 if dark else 0.22)
