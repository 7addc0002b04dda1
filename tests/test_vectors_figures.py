"""Pictures of word vectors, by their data."""

import math

import numpy as np
import pytest

from rnnviz.figures.lookup import LEFT_OUT, limit_of_vectors, lookup, shown_columns
from rnnviz.figures.theme import palette
from rnnviz.figures.vectors import angles, arithmetic, losses, solved
from rnnviz.figures.wordmap import OTHERS, Group, readable, word_map

WORDS = tuple(f"word{k}" for k in range(100))
VECTORS = np.random.default_rng(0).normal(0, 0.1, (100, 6))


def texts(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("dark", [False, True])
def test_losses_have_a_line_where_all_scores_are_zero(dark: bool) -> None:
    curve, parts = ([1, 2], [3.0, 2.0]), ([0.5, 1.0, 1.5, 2.0], [3.2, 2.8, 2.1, 1.9])
    figure = losses(curve, parts, epochs=5, what="loss [nats]", untaught=4.16, dark=dark)
    by_name = {line.name: line for line in figure.data}
    assert list(by_name["epoch"].y) == [3.0, 2.0]
    assert list(by_name["part of one"].x) == [0.5, 1.0, 1.5, 2.0]
    assert list(by_name["all scores 0"].y) == [4.16, 4.16]
    assert figure.layout.yaxis.title.text == "loss [nats]"
    without = losses(curve, parts, epochs=5, what="loss", untaught=None, dark=dark)
    assert [line.name for line in without.data] == ["part of one", "epoch"]


def test_before_the_first_part_a_sentence_stands_there() -> None:
    figure = losses(([], []), ([], []), epochs=5, what="loss", untaught=1.0)
    assert not figure.data
    assert texts(figure) == ["The curve begins with the first part of the text."]


def test_analogies_are_in_percent_beside_chance_and_the_nearest_word() -> None:
    curves = {"one": ([0, 1], [0.0, 0.5]), "two": ([0, 1], [0.1, 1.0])}
    figure = solved(
        curves, ([0, 1], [0.0, 0.2]), 0.01, epochs=3, titles={"one": "One", "two": "Two"}, epoch=1
    )
    assert {line.name: list(line.y) for line in figure.data} == {
        "One": [0, 50],
        "Two": [10, 100],
        "nearest to c alone": [0, 20],
        "chance": [1, 1],
    }
    assert figure.layout.shapes[0].x0 == 1
    none = solved({}, ([], []), 0.0, epochs=3, titles={})
    assert "This text has no list" in texts(none)[0]


# -- the lookup ------------------------------------------------------------------------------------


def test_columns_around_the_chosen_words_are_shown_and_gaps_are_marked() -> None:
    assert shown_columns(30, [5]) == [*range(18), LEFT_OUT]
    assert shown_columns(100, [50]) == [LEFT_OUT, *range(38, 63), LEFT_OUT]
    assert shown_columns(100, [99]) == [LEFT_OUT, *range(87, 100)]
    both = shown_columns(100, [20, 60])
    assert both == [LEFT_OUT, *range(8, 33), LEFT_OUT, *range(48, 73), LEFT_OUT]
    assert shown_columns(10, [2, 3]) == list(range(10))


@pytest.mark.parametrize("places", [[50], [50, 3]])
def test_the_lit_column_is_the_vector_that_comes_out(places: list[int]) -> None:
    figure = lookup(WORDS, VECTORS, places)
    (matrix,) = figure.data
    columns = shown_columns(len(WORDS), places)
    for number, place in enumerate(places):
        at = columns.index(place)
        np.testing.assert_array_equal(matrix.z[:, at], VECTORS[place])
        out = len(columns) + 1 + 4 * number
        for x in range(out, out + 3):
            np.testing.assert_array_equal(matrix.z[:, x], VECTORS[place])
        numbers = [n.text for n in figure.layout.annotations if n.x == out + 1]
        assert numbers == [f"{v:.2f}".replace("-", "−") for v in VECTORS[place]]
        frames = [s for s in figure.layout.shapes if s.x0 in (at - 0.5, out - 0.5)]
        assert len(frames) == 2
    ones = [n for n in figure.layout.annotations if n.text == "<b>1</b>"]
    assert [n.x for n in ones] == [columns.index(place) for place in places]
    zeros = [n for n in figure.layout.annotations if n.text == "0"]
    shown = [c for c in columns if c is not LEFT_OUT]
    assert len(zeros) == (len(shown) - 1) * len(places)


def test_many_numbers_are_not_written_into_rows_that_are_too_low() -> None:
    wide = np.random.default_rng(0).standard_normal((20, 128))
    figure = lookup(WORDS[:20], wide, [3])
    assert not [t for t in texts(figure) if "." in t]
    assert figure.layout.height < 1100


@pytest.mark.parametrize(("scale", "limit"), [(0.01, 0.05), (0.1, 0.5), (1.0, 5.0), (0.0, 1.0)])
def test_colours_reach_as_far_as_the_numbers(scale: float, limit: float) -> None:
    normal = np.random.default_rng(0).standard_normal((400, 10)) * scale
    assert limit_of_vectors(normal) == pytest.approx(limit)


# -- angles and analogies --------------------------------------------------------------------------


def test_a_ray_lies_at_its_angle_and_words_stand_apart() -> None:
    near = [("a", 30.0), ("b", 31.0), ("c", 120.0)]
    figure = angles("w", near)
    for name, degrees in [("w", 0.0), *near]:
        ray = next(line for line in figure.data if line.name == name)
        assert math.degrees(math.atan2(ray.y[1], ray.x[1])) == pytest.approx(degrees)
        assert math.hypot(ray.x[1], ray.y[1]) == pytest.approx(1)
    written = [n for n in figure.layout.annotations if n.xanchor == "left"]
    assert [n.text for n in written] == ["w 0°", "a 30°", "b 31°", "c 120°"]
    heights = [n.y for n in written]
    assert min(np.diff(heights)) > 0.1


@pytest.mark.parametrize("right", [True, False])
def test_both_arrows_of_an_analogy_are_the_same(right: bool) -> None:
    a, b, c = np.array([0.0, 0]), np.array([1.0, 2]), np.array([3.0, 0])
    flat = np.stack([a, b, c, c + b - a, np.array([4.1, 2.2])])
    figure = arithmetic(("man", "king", "woman", "queen"), flat, right=right)
    arrows = [n for n in figure.layout.annotations if n.showarrow]
    moves = [(n.x - n.ax, n.y - n.ay) for n in arrows]
    assert moves[0] == pytest.approx(moves[1]) == (1.0, 2.0)
    assert figure.layout.title.text == "king − man + woman"
    assert list(figure.data[0].text) == ["man", "king", "woman", "sum", "queen"]
    p = palette(False)
    wanted = p.roles["ridge"] if right else p.roles["validation"]
    assert figure.data[0].marker.color[-1] == wanted


# -- the map ---------------------------------------------------------------------------------------

FIRST, SECOND = Group(title="cold", colour=1), Group(title="warm", colour=1, side=1)


def mapped(**more):
    places = np.random.default_rng(1).uniform(-1, 1, (100, 2))
    settings = {"title": "map", "keeps": "map", "reach": 1.0, "groups": {}}
    return places, word_map(WORDS, places, **{**settings, **more})


def test_every_word_has_its_point_and_groups_their_colour_and_sign() -> None:
    groups = {"word1": FIRST, "word2": SECOND, "word3": SECOND}
    places, figure = mapped(groups=groups)
    by_name = {points.name: points for points in figure.data}
    assert set(by_name) == {"cold", "warm", OTHERS}
    np.testing.assert_array_equal(by_name["warm"].x, places[[2, 3], 0])
    assert by_name["cold"].marker.color == by_name["warm"].marker.color == palette(False).groups[1]
    assert by_name["cold"].marker.symbol != by_name["warm"].marker.symbol
    assert sum(len(points.x) for points in figure.data) == 100
    assert list(by_name["warm"].customdata) == ["word2", "word3"]


def test_the_chosen_word_has_a_ring_and_is_written_with_its_neighbours() -> None:
    places, figure = mapped(chosen="word77", near=("word5", "word6"))
    ring = figure.data[-1]
    assert (ring.x[0], ring.y[0]) == tuple(places[77])
    written = {text.strip() for points in figure.data[:-1] for text in points.text if text}
    assert "word77" in written
    assert len(written) > 10
    _, absent = mapped(chosen="elsewhere")
    assert all(points.name != "chosen" for points in absent.data)


def test_written_words_lie_on_no_other_and_on_no_point() -> None:
    rng = np.random.default_rng(2)
    pixels = rng.uniform(0, 300, (100, 2))
    written = readable(WORDS, pixels, range(100))
    assert 5 < len(written) < 100
    boxes = []
    for k, side in written.items():
        x, y = pixels[k]
        width = 6.5 * len(WORDS[k])
        left = {"middle right": x + 7, "middle left": x - 7 - width}.get(side, x - width / 2)
        low = {"top center": y + 7, "bottom center": y - 21}.get(side, y - 7)
        boxes.append((k, left, left + width, low, low + 14))
    for n, (k, left, right, low, high) in enumerate(boxes):
        if k == 0:
            continue  # the first is written whatever is there
        others = np.delete(pixels, k, axis=0)
        inside = (others[:, 0] > left) & (others[:, 0] < right)
        assert not (inside & (others[:, 1] > low) & (others[:, 1] < high)).any()
        for _, a, b, c, d in boxes[:n]:
            assert b <= left or a >= right or d <= low or c >= high


def test_words_are_never_markup() -> None:
    figure = word_map(("<b>x</b>", "%{x}"), np.eye(2), title="map", keeps="m", reach=1.0, groups={})
    shown = [*figure.data[0].customdata, *(t for t in figure.data[0].text if t)]
    assert not any("<b>" in text or "%{" in text for text in shown)
