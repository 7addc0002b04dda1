"""What the view of a generated text is told, and what of a browser's answers is believed."""

import numpy as np
import orjson
import pytest
from speaking_samples import V, speaker

from rnnviz.inside.sampling import Forced, Plan, speak
from rnnviz.inside.shaping import Shaping, choice
from rnnviz.ui.components.speak import MOST, ROWS, Other, message, read_other, said

NAMES = ("a", "<b>", " ", "\n", "e", "f", "\u202eg")


def plan(**more):
    usual = {"prefix": (1, 4), "length": 12, "shaping": Shaping(top_k=4, top_p=0.8), "seed": 2}
    return Plan(**{**usual, **more})


def arrays(sent):
    """A message's header, its arrays in their places."""
    length = int.from_bytes(sent[:4], "little")
    header = orjson.loads(sent[4 : 4 + length])
    floats = np.frombuffer(sent[4 + length :], "<f4")

    def resolved(value):
        if isinstance(value, dict) and "at" in value:
            size = int(np.prod(value["shape"]))
            return floats[value["at"] : value["at"] + size].reshape(value["shape"])
        return value

    return {name: resolved(value) for name, value in header.items()}


def test_all_places_travel_with_their_likeliest_tokens():
    text = speak(speaker(), plan(forced=(Forced(3, 6),)))
    told = arrays(message(said(text, NAMES), place=5, vocabulary=V, dark=False, key="a"))
    assert told["tokens"] == [NAMES[t] for t in text.tokens]
    assert (told["given"], told["forced"], told["place"]) == (2, [5], 5)
    np.testing.assert_allclose(told["bits"][1:], text.bits[1:], rtol=1e-5)
    for place in range(1, len(text.tokens)):
        found = choice(text.scores_at(place), text.plan.shaping)
        row = place - 1
        names = [told["names"][int(k)] for k in told["ids"][row] if k >= 0]
        assert names == [NAMES[t] for t in found.order]
        np.testing.assert_allclose(told["plain"][row][:V], found.plain[found.order], rtol=1e-5)
        np.testing.assert_allclose(told["shaped"][row][:V], found.shaped[found.order], atol=1e-6)
        assert told["kept"][row].tolist() == [found.after_k, found.after_p]
        assert found.order[int(told["ranks"][row])] == text.tokens[place]
        begin, end = told["stretch"][row]
        assert end - begin == pytest.approx(found.shaped[text.tokens[place]], abs=1e-6)
        if place >= 2 and place != 5:
            assert begin - 1e-6 <= told["luck"][place] <= end + 1e-6


def test_a_token_beyond_the_likeliest_has_a_row_of_its_own():
    text = speak(speaker(tokens=40, gain=1.0), plan(shaping=Shaping(temperature=2.0)))
    shown = said(text, tuple(f"t{k}" for k in range(40)))
    assert shown.ids.shape[1] == ROWS == MOST + 1
    rare = shown.ranks >= MOST
    assert rare.any()
    assert not rare.all()
    np.testing.assert_array_equal(shown.ids[rare, MOST], text.tokens[1:][rare])
    assert (shown.ids[~rare, MOST] == -1).all()
    own = np.exp(text.log_p[1:])
    np.testing.assert_allclose(shown.plain[rare, MOST], own[rare], rtol=1e-9)
    at = np.arange(len(rare))[~rare]
    np.testing.assert_allclose(shown.plain[at, shown.ranks[~rare]], own[~rare], rtol=1e-9)


def test_the_message_changes_its_id_with_the_text_only():
    shown = said(speak(speaker(), plan()), NAMES)
    sent = [arrays(message(shown, place=p, vocabulary=V, dark=False, key="a")) for p in (1, 4)]
    assert sent[0]["id"] == sent[1]["id"]
    other = said(speak(speaker(), plan(seed=3)), NAMES)
    assert arrays(message(other, place=1, vocabulary=V, dark=False, key="a"))["id"] != sent[0]["id"]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "2",
        [],
        {},
        {"place": 5},
        {"place": 1, "row": 0},  # of the prefix
        {"place": 14, "row": 0},
        {"place": -1, "row": 0},
        {"place": 5, "row": V},  # no token there
        {"place": 5, "row": 99},
        {"place": True, "row": 0},
        {"place": 5.0, "row": 0},
        {"place": "5", "row": "0"},
    ],
)
def test_what_a_browser_must_not_send_is_nothing(sent):
    assert read_other(sent, said(speak(speaker(), plan()), NAMES)) is None


def test_a_row_is_the_token_that_was_shown_there():
    text = speak(speaker(), plan())
    order = choice(text.scores_at(5), text.plan.shaping).order
    found = read_other({"place": 5, "row": 3}, said(text, NAMES))
    assert found == Other(place=5, token=int(order[3]))
