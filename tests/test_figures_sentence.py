"""Pictures of a sentence's scores, and of calibration: the numbers are those that went in."""

import numpy as np
import orjson
import pytest

from rnnviz.calibration import interval, reliability
from rnnviz.figures.calibration import reliability_diagram
from rnnviz.figures.clock import Clock
from rnnviz.figures.predictions import confusion
from rnnviz.figures.sentence import after_each, attribution_over_time, without_each
from rnnviz.figures.theme import palette, template
from rnnviz.trace import Survey
from rnnviz.ui.components.tags import Tagged, kind_of, message

DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
WORDS = ("the", "<b>plot</b>", "was", "not", "good")


@DARK
def test_bars_lead_from_the_whole_sentence_to_the_one_without_the_word(dark):
    scores = np.array([1.0, -2.0, 0.5, 4.0, 1.5])
    figure = without_each(scores, 1.0, WORDS, name="<i>good</i>", chosen=3, dark=dark)
    bars, whole, even = figure.data
    np.testing.assert_allclose(bars.base + np.asarray(bars.y), scores)
    np.testing.assert_allclose(whole.y, 1.0)
    np.testing.assert_allclose(even.y, 0.0)
    raised, lowered = bars.marker.color[3], bars.marker.color[1]
    assert raised != lowered
    assert figure.layout.xaxis.ticktext[1] == "&lt;b&gt;plot&lt;/b&gt;"
    assert "&lt;i&gt;" in figure.layout.title.text
    assert figure.layout.template == template(dark)
    assert figure.layout.shapes[0].x0 == 4


@DARK
def test_a_probability_follows_each_word(dark):
    figure = after_each(np.linspace(0, 1, 5), WORDS, name="good", even=0.5, dark=dark)
    line, even = figure.data
    np.testing.assert_allclose(line.y, np.linspace(0, 1, 5))
    np.testing.assert_allclose(even.y, 0.5)
    assert figure.layout.yaxis.range[0] < 0 < 1 < figure.layout.yaxis.range[1]


def test_words_that_would_run_into_each_other_are_slanted():
    many = tuple(f"word{k}" for k in range(20))
    slanted = after_each(np.zeros(20), many, name="good", even=0.5)
    plain = after_each(np.zeros(5), WORDS, name="good", even=0.5)
    assert slanted.layout.xaxis.tickangle == -50
    assert plain.layout.xaxis.tickangle == 0
    assert slanted.layout.height > plain.layout.height


@pytest.mark.parametrize(("steps", "kind"), [(30, "bar"), (600, "scatter")])
def test_shares_over_time_are_bars_while_there_is_room(steps, kind):
    values = np.random.default_rng(0).normal(size=steps)
    figure = attribution_over_time(values, title="t", unit="kg", clock=Clock.steps(steps))
    assert figure.data[0].type == kind
    np.testing.assert_allclose(figure.data[0].y, values, rtol=1e-6)
    assert figure.layout.yaxis.title.text == "share [kg]"


@DARK
def test_a_reliability_diagram_has_its_bins_their_counts_and_intervals(dark):
    sure = np.array([0.55, 0.58, 0.95, 0.96, 0.97, 0.99])
    found = reliability(np.stack((1 - sure, sure), 1), np.array([1, 0, 1, 1, 1, 0]))
    points, ideal, counts = reliability_diagram(found, dark=dark).data
    np.testing.assert_allclose(points.x, [0.565, 0.9675])
    np.testing.assert_allclose(points.y, [0.5, 0.75])
    assert list(counts.y) == [0, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert list(counts.text) == ["", "", "", "", "", "2", "", "", "", "4"]
    low, high = interval(3, 4)
    assert points.error_y.array[1] == pytest.approx(high - 0.75)
    assert points.error_y.arrayminus[1] == pytest.approx(0.75 - low)
    assert (list(ideal.x), list(ideal.y)) == ([0, 1], [0, 1])


def survey(classes):
    values = np.arange(classes, dtype=np.float32).repeat(3)
    said = values.copy()
    said[0] = classes - 1
    return Survey(
        sequences=np.arange(len(values)), targets=values, predictions=said, attention=None
    )


def test_a_confusion_matrix_says_counts_and_on_demand_their_shares():
    with_shares = confusion(survey(3), "abc", shares=True)
    assert [note.text for note in with_shares.layout.annotations][:3] == [
        *("2<br>66.7%", "0<br>0.0%", "1<br>33.3%"),
    ]
    assert confusion(survey(3), "abc").layout.annotations[0].text == "2"
    many = confusion(survey(12), [f"class {k}" for k in range(12)], shares=True)
    assert many.layout.annotations[0].text == "2"  # no room for more
    assert many.layout.xaxis.title.standoff > 20
    assert many.layout.margin.b > with_shares.layout.margin.b


# --- tags -----------------------------------------------------------------------------------------

TAGS = ("O", "B-PER", "I-PER", "B-LOC")


def test_tags_travel_with_what_is_wrong_and_the_colour_of_their_kind():
    words = (
        Tagged("Jordan", "B-PER", "B-LOC", "hint"),
        Tagged("lies", "O", "O", "hint"),
        Tagged("<b>", "I-PER", None, "hint"),
    )
    sent = orjson.loads(message(words, TAGS, dark=False, selected=7))
    assert [it["wrong"] for it in sent["words"]] == [True, False, False]
    assert [it["tag"] for it in sent["words"]] == ["B-PER", "", "I-PER"]
    assert [it["name"] for it in sent["kinds"]] == ["outside", "PER", "LOC"]
    assert [it["kind"] for it in sent["words"]] == [1, 0, 1]
    assert sent["words"][2]["token"] == "<b>"
    assert sent["selected"] is None
    assert {kind_of("B-PER"), kind_of("I-PER")} == {"PER"}
    assert kind_of("3") == "3"


@DARK
def test_kinds_have_colours_of_their_own_and_letters_that_can_be_read(dark):
    from rnnviz.figures.colours import contrast

    words = (Tagged("x", "O", None, ""),)
    kinds = orjson.loads(message(words, (*TAGS, "B-ORG", "B-DATE"), dark=dark, selected=0))["kinds"]
    assert len({it["colour"] for it in kinds}) == len(kinds) == 5
    assert kinds[0]["colour"] == palette(dark).grid
    assert all(contrast(it["colour"], it["ink"]) > 4 for it in kinds)
