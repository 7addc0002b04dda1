"""What is done to an output as text for the address, and what a browser may send."""

import numpy as np
import orjson
import pytest

from rnnviz.data.parallel.text import END
from rnnviz.errors import TraceError
from rnnviz.translation.beam import CUT, ENDED, KEPT, Node, Tree
from rnnviz.translation.hands import (
    LONGEST,
    given_text,
    read_given,
    read_rows,
    rows_text,
    whole_parts,
)
from rnnviz.ui.components import attending, links, tree
from rnnviz.ui.components.links import Row, read_row


def test_rows_come_back_as_they_were_given_to_the_thousandth():
    rows = {2: np.array([0.0, 0.75, 0.0, 0.25]), 0: np.full(4, 0.25)}
    text = rows_text(rows)
    assert text == "3_2.750-4.250~1_1.250-2.250-3.250-4.250"
    back = read_rows(text, 4)
    assert list(back) == [2, 0]  # the order in which they were given
    for step, row in rows.items():
        np.testing.assert_allclose(back[step], row)


def test_thousandths_always_sum_to_a_thousand():
    rng = np.random.default_rng(0)
    for size in (1, 3, 7, 120):
        row = rng.random(size)
        parts = whole_parts(row / row.sum())
        assert sum(parts) == 1000
        assert np.abs(np.array(parts) / 1000 - row / row.sum()).max() < 0.001


def test_given_tokens_come_back():
    assert given_text((4, 11, 2)) == "5-12-3"
    assert read_given("5-12-3", 15, 10) == (4, 11, 2)
    assert read_given("", 15, 10) == ()


HOSTILE = ["x", "0", "1-", "-1", "99999999", "1-2-3-4", "1 2", "<b>", "5" * 5000, "½", "1_2"]


@pytest.mark.parametrize("text", [*HOSTILE, "16", "0-1"])
def test_a_text_that_gives_no_tokens_is_told_of(text):
    with pytest.raises(TraceError, match="names no tokens"):
        read_given(text, 15, 3)


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "1_5.10",
        "1_0.10",
        "0_1.10",
        "1_1.0",
        "1_1.10~",
        "~",
        "1_1",
        "1_1.10-2",
        "1_1.99999",
    ],
)
def test_a_text_that_gives_no_rows_is_told_of(text):
    with pytest.raises(TraceError, match="gives no weights"):
        read_rows(text, 4)


def test_more_rows_than_an_address_holds_are_refused():
    rows = {t: np.full(100, 0.01) for t in range(3)}
    assert len(rows_text({0: rows[0]})) < LONGEST
    with pytest.raises(TraceError, match="do not fit"):
        rows_text(rows)


GOOD = {"step": 1, "weights": [0.5, 0.25, 0.25]}


@pytest.mark.parametrize(
    "sent",
    [
        None, [], "x", {}, {"step": 1}, {**GOOD, "step": 9}, {**GOOD, "step": True},
        {**GOOD, "weights": [1, 0]}, {**GOOD, "weights": [0, 0, 0]},
        {**GOOD, "weights": [-1, 1, 1]}, {**GOOD, "weights": [float("nan"), 0, 1]},
        {**GOOD, "weights": ["1", 0, 0]}, {**GOOD, "weights": [True, 0, 0]},
        {**GOOD, "weights": [2, 0, 0]},
    ],
)  # fmt: skip
def test_what_is_no_row_is_taken_for_none(sent):
    assert read_row(sent, steps=4, places=3) is None


def test_a_row_that_is_sent_sums_to_1():
    assert read_row(GOOD, steps=4, places=3) == Row(1, (0.5, 0.25, 0.25))
    sent = read_row({"step": 0, "weights": [0.5, 0, 0.3]}, steps=4, places=3)
    assert sent == Row(0, pytest.approx((0.625, 0, 0.375)))


def test_what_travels_holds_the_numbers_as_they_are():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), 2)
    linked = links.Linked(
        source=("<b>", "2", " "), output=("1", "END"), weights=weights, computed=weights[1], step=1
    )
    sent = orjson.loads(links.message(linked, dark=False, editable=True))
    assert sent["source"] == ["<b>", "2", " "]
    np.testing.assert_allclose(sent["weights"], weights)
    assert sent["editable"]
    seen = attending.Attending(
        source=("a", "b", "c"),
        output=("1", "END"),
        step=1,
        token=END,
        kind="dot",
        scores=np.log(weights[1]),
        computed=weights[1],
        weights=weights[1],
        states=rng.normal(size=(3, 40)) / 3,
        query=rng.normal(size=40) / 3,
        context=rng.normal(size=40) / 3,
        probabilities=rng.dirichlet(np.ones(12)),
        vocabulary=tuple("abcdefghijkl"),
    )
    sent = orjson.loads(attending.message(seen, dark=True))
    assert not sent["changed"]
    assert END in [choice["index"] for choice in sent["choices"]]
    assert len(sent["choices"]) == attending.MOST_CHOICES
    places = np.array(sent["places"]) - 1
    assert np.abs(seen.context).argmax() in places
    np.testing.assert_allclose(sent["states"], seen.states[:, places])
    raised = np.exp(np.array(sent["scores"]))
    np.testing.assert_allclose(sent["weights"], raised / raised.sum())


def test_a_tree_travels_with_who_is_alive_at_each_step():
    nodes = (
        Node(0, 1, 0.0, 0.0, -1, KEPT),
        Node(1, 4, -0.1, -0.1, 0, KEPT),
        Node(1, 5, -1.0, -1.0, 0, KEPT),
        Node(1, 6, -2.0, -2.0, 0, CUT),
        Node(2, END, -0.2, -0.3, 1, ENDED),
        Node(2, 4, -0.4, -0.5, 1, KEPT),
    )
    searched = Tree(nodes=nodes, width=2, longest=2)
    names = ("PAD", "START", "END", "UNK", "a", "b", "c")
    sent = orjson.loads(tree.message(searched, names, winner=4, given=0, dark=False))
    assert sent["alive"] == [[0], [0, 1, 2], [0, 1, 4, 5]]
    assert (sent["left"], sent["parents"]) == ([2, 2, 1], [0, 1, 2])
    assert sent["winner"] == [4, 1, 0]
    assert [node["row"] for node in sent["nodes"]] == [0, 0, 1, 2, 0, 1]
    other = orjson.loads(tree.message(searched, names, winner=5, given=0, dark=False))
    assert other["id"] == sent["id"]  # another ranking is no other search
