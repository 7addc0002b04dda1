"""The theme: ends and evenness of scales, contrast, and colours that all eyes tell apart."""

import numpy as np
import pytest
from figures_samples import trace

from rnnviz.figures.colours import Lch, contrast, linear_rgb, ramp, to_hex, to_lch, with_alpha
from rnnviz.figures.text import ColouredToken, background, coloured_text
from rnnviz.figures.theme import (
    Quantity,
    colour_at,
    colour_scale,
    colours,
    ink_on,
    palette,
    plain,
    template,
    visible,
)
from rnnviz.figures.values import limit_of, names_of, range_in, values_of

DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
SEQUENTIAL = [
    Quantity.GATE,
    Quantity.ATTENTION,
    Quantity.GRADIENT,
    Quantity.ACTIVITY,
    Quantity.LOSS,
]
DIVERGING = [
    Quantity.STATE,
    Quantity.PREACTIVATION,
    Quantity.DIFFERENCE,
    Quantity.ATTRIBUTION,
]
# What red-blind and green-blind eyes make of linear RGB: Vienot, Brettel and Mollon 1999.
BLIND = {
    "protan": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deutan": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    "none": np.eye(3),
}


def seen_as(colour, sight):
    """A place in OKLab for one kind of sight."""
    rgb = np.clip(BLIND[sight] @ linear_rgb(colour), 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    lch = to_lch("#" + "".join(f"{round(255 * float(v)):02x}" for v in encoded))
    angle = np.radians(lch.hue)
    return np.array([lch.lightness, lch.chroma * np.cos(angle), lch.chroma * np.sin(angle)])


def test_a_colour_survives_the_way_there_and_back():
    lch = to_lch("#336699")
    assert to_hex(lch) == "#336699"
    assert to_lch("#ffffff").lightness == pytest.approx(1, abs=1e-3)


def test_what_no_screen_can_show_keeps_its_lightness():
    assert to_lch(to_hex(Lch(0.5, 0.4, 150))).lightness == pytest.approx(0.5, abs=0.01)


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert with_alpha("#ff8000", 0.5) == "rgba(255, 128, 0, 0.5)"


def test_a_ramp_ends_at_its_anchors():
    ends = ramp((to_lch("#112233"), to_lch("#ddeeff")), 5)
    assert (ends[0], ends[-1], len(ends)) == ("#112233", "#ddeeff", 5)


@DARK
@pytest.mark.parametrize("quantity", SEQUENTIAL)
def test_sequential_scales_leave_the_page_in_even_steps(quantity, dark):
    lightness = np.array([to_lch(c).lightness for c in colours(quantity, dark)])
    steps = np.diff(lightness) * (1 if dark else -1)
    assert colours(quantity, dark)[0] == palette(dark).page
    assert steps.min() > 0
    assert steps.max() < 1.5 * steps.mean()


@DARK
@pytest.mark.parametrize("quantity", DIVERGING)
def test_diverging_scales_are_symmetric_around_the_page(quantity, dark):
    stops = colours(quantity, dark)
    lightness = np.array([to_lch(c).lightness for c in stops])
    assert stops[len(stops) // 2] == palette(dark).page
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.01)


@pytest.mark.parametrize("sight", BLIND)
@DARK
def test_below_and_above_zero_differ_for_everyone(sight, dark):
    stops = colours(Quantity.STATE, dark)
    assert np.linalg.norm(seen_as(stops[0], sight) - seen_as(stops[-1], sight)) > 0.15


COMPARED = [
    ("train", "validation", "mean", "ridge", "covariates only"),
    ("train", "validation", "mean", "ridge", "persistence"),
    ("train", "validation", "test"),
    ("unigram", "bigram", "train", "validation"),
    ("unigram", "bigram", "trigram", "window model", "entropy floor", "train", "validation"),
    ("class shares", "bag of words", "train", "validation"),
    ("i", "f", "o"),
    ("g", "h"),
    ("r", "z"),
    ("n", "h"),
]


@pytest.mark.parametrize("sight", BLIND)
@DARK
@pytest.mark.parametrize("names", COMPARED, ids=" ".join)
def test_lines_of_one_figure_can_be_told_apart(names, dark, sight):
    """By colour for every kind of sight, or by their dashes."""
    from rnnviz.figures.theme import DASHES

    places = {name: seen_as(palette(dark).roles[name], sight) for name in names}
    for a in names:
        for b in names:
            near = np.linalg.norm(places[a] - places[b]) < 0.08
            assert a == b or not near or DASHES.get(a) != DASHES.get(b), (a, b)


@DARK
def test_lines_and_letters_stand_out_from_the_page(dark):
    p = palette(dark)
    assert contrast(p.text, p.page) > 10
    assert contrast(p.faint_text, p.page) > 4.5
    for colour in (*p.roles.values(), *p.groups):
        assert contrast(colour, p.page) > 3


@DARK
def test_numbers_on_cells_can_be_read(dark):
    for share in np.linspace(0, 1, 11):
        behind = colour_at(Quantity.GATE, share, 0, 1, dark)
        assert contrast(behind, ink_on(behind, dark)) > 4


def test_values_beyond_a_range_take_its_end():
    ends = colours(Quantity.STATE, False)
    assert colour_at(Quantity.STATE, -9, -1, 1, False) == ends[0]
    assert colour_at(Quantity.STATE, 9, -1, 1, False) == ends[-1]
    assert [stop[0] for stop in colour_scale(Quantity.STATE, False)][::8] == [0, 0.5, 1]


@DARK
def test_the_template_is_our_own_and_transparent(dark):
    layout = template(dark).layout
    assert layout.paper_bgcolor == "rgba(0, 0, 0, 0)"
    assert layout.font.color == palette(dark).text


def test_a_persons_text_is_never_markup_or_a_field():
    assert plain("<a href='x'>%{y}$</a>") == "&lt;a href='x'&gt;%&#123;y}&#36;&lt;/a&gt;"
    assert len(plain("x" * 100)) == 60
    assert visible(" ") == "␣"
    assert visible("\n") == "↵"


# ---- ranges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest", "limit"), [(0.2, 1), (1.0, 1), (1.7, 2), (2.1, 5), (7, 10), (13, 20), (420, 500)]
)
def test_a_limit_climbs_a_ladder_of_few_steps(largest, limit):
    assert limit_of(np.linspace(-largest, largest, 10_001)) == pytest.approx(limit)


def test_one_wild_value_does_not_set_the_limit():
    values = np.zeros(10_000)
    values[0] = 1e6
    assert limit_of(values) == 1


@pytest.mark.parametrize(
    ("cell", "name", "ends"),
    [
        ("lstm", "f", (0, 1)),
        ("lstm", "g", (-1, 1)),
        ("lstm", "h", (-1, 1)),
        ("gru", "n", (-1, 1)),
        ("gru", "pre z", (-6, 6)),
        ("rnn", "h", (-1, 1)),
        ("lstm-relu", "i", (0, 1)),
    ],
)
def test_a_squash_sets_the_range(cell, name, ends):
    span = range_in(trace(cell, steps=20), name)
    assert (span.low, span.high) == ends


def test_the_whole_trace_sets_the_memorys_range():
    found = trace("lstm", steps=60, layers=2, gain=6.0)
    span = range_in(found, "c")
    memories = [np.abs(layer.state("c")).ravel() for layer in found.layers]
    assert span.high == limit_of(*memories)
    assert span.low == -span.high


def test_gradients_span_eight_decades_below_the_largest():
    found = trace("lstm", steps=30)
    largest = max(np.abs(layer.state_grads[:, :, 0]).max() for layer in found.layers)
    span = range_in(found, "dL/dh")
    assert span.high - 1 < np.log10(largest) <= span.high
    assert span.high - span.low == 8


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_name_has_values(cell):
    layer = trace(cell, steps=5).layers[0]
    assert all(values_of(layer, name).shape == (2, 5, 12) for name in names_of(layer))


# ---- coloured text ----------------------------------------------------------------------------


def test_coloured_text_keeps_tokens_as_they_are():
    records = coloured_text(("<b>", " ", "a"), (-1.0, 0.0, 0.5), -1, 1)
    assert [record.token for record in records] == ["<b>", " ", "a"]
    assert [record.value for record in records] == [-1.0, 0.0, 0.5]
    assert records[1].background.endswith(" 0.000)")
    assert isinstance(records[0], ColouredToken)


@DARK
@pytest.mark.parametrize("value", [-1, -0.5, 0.5, 1])
def test_coloured_text_can_be_read(value, dark):
    red, green, blue, alpha = (float(v) for v in background(value, -1, 1, dark)[5:-1].split(","))
    page = [int(palette(dark).page[k : k + 2], 16) for k in (1, 3, 5)]
    mixed = [alpha * c + (1 - alpha) * p for c, p in zip((red, green, blue), page, strict=True)]
    behind = "#" + "".join(f"{round(v):02x}" for v in mixed)
    assert contrast(palette(dark).text, behind) > 4.5


def test_coloured_text_says_which_side_of_zero():
    below, above = background(-1, -1, 1, False), background(1, -1, 1, False)
    assert below.split(",")[:3] != above.split(",")[:3]
    assert background(5, 0, 1, False) == background(1, 0, 1, False)
