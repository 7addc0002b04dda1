"""What a language model is to say: the prefix and how it is drawn, as controls of the address."""

from typing import Any

import numpy as np
import streamlit as st

from rnnviz.data import text
from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import DataError, RnnvizError
from rnnviz.inside.sampling import LONGEST, MOST_PREFIX, Plan
from rnnviz.inside.shaping import Shaping
from rnnviz.ui import controls, widgets
from rnnviz.ui.looking import Looking

USUAL_PREFIX = 12  # characters of the text that a prefix has to begin with; of other tokens 4
HOTTEST = 2.0  # temperature; beyond, all tokens are nearly alike
MOST_SEED = 2**31 - 1
IN_ADDRESS: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def asked(seen: Looking) -> Plan | None:
    """What the controls say, without branches; None where it cannot be, which is said."""
    given = st.text_area(
        "Prefix",
        begin_with(seen),
        max_chars=MOST_PREFIX,
        height=90,
        key="say_prefix",
        help="What the network reads before it speaks. Ctrl+Enter, or a click elsewhere, takes it.",
        **IN_ADDRESS,
    )
    shaping = _shaping(len(seen.dataset.vocabulary))
    length = st.slider("Tokens", 10, LONGEST, 200, key="say_length", **IN_ADDRESS)
    seed = st.number_input(
        "Seed of the draws",
        0,
        MOST_SEED,
        0,
        key="say_seed",
        help="The same seed draws the same number at the same place, whatever the rest is.",
        **IN_ADDRESS,
    )
    try:
        prefix = read_prefix(given or "", seen.dataset)
        return Plan(prefix=prefix, length=length, shaping=shaping, seed=seed)
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return None


def _shaping(tokens: int) -> Shaping:
    temperature = st.slider(
        "Temperature",
        0.0,
        HOTTEST,
        1.0,
        0.05,
        key="say_temperature",
        help="The scores are divided by it before the softmax. Below 1 the likely gets likelier; "
        "0 takes the likeliest token always.",
        **IN_ADDRESS,
    )
    widgets.keep_within("say_top_k", 0, tokens)
    top_k = st.number_input(
        "Top-k (0: all)",
        0,
        tokens,
        0,
        key="say_top_k",
        help=f"Only so many of the {tokens} tokens, the likeliest, are drawn from.",
        **IN_ADDRESS,
    )
    top_p = st.slider(
        "Top-p",
        0.0,
        1.0,
        1.0,
        0.01,
        key="say_top_p",
        help="Only the fewest of the likeliest tokens that together hold this probability, at "
        "least one: the nucleus. It is taken after temperature and top-k.",
        **IN_ADDRESS,
    )
    return Shaping(temperature=temperature, top_k=top_k, top_p=top_p)


def begin_with(seen: Looking) -> str:
    """The beginning of a sequence that the network was not trained on."""
    row, dataset = int(seen.trace.sequences[0]), seen.dataset
    count = USUAL_PREFIX if max(map(len, dataset.vocabulary)) == 1 else USUAL_PREFIX // 3
    tokens = dataset.inputs[row, : min(count, int(dataset.lengths[row]))]
    return written(tokens.tolist(), dataset)


def read_prefix(given: str, dataset: SequenceDataset) -> tuple[int, ...]:
    """The tokens of a text, by their places in the vocabulary.

    Raises:
        DataError: it is empty, or the network never saw some of it.
    """
    if not given:
        raise DataError("the prefix is empty; the network needs at least one token to begin with")
    found = _signs(given, dataset) if _is_world(dataset) else text.encode(given, dataset)
    if not len(found):
        raise DataError("the prefix holds no token, only blanks; write at least one word")
    return tuple(int(token) for token in found)


def written(tokens: list[int], dataset: SequenceDataset) -> str:
    """Tokens as a text."""
    if _is_world(dataset):
        return "".join(dataset.vocabulary[token] for token in tokens)
    return text.decode(np.array(tokens), dataset)


def _is_world(dataset: SequenceDataset) -> bool:
    """Whether tokens are the signs of a small world, which no text is cut into."""
    return dataset.features[0].unit in ("letter", "symbol")


def _signs(given: str, dataset: SequenceDataset) -> list[int]:
    strange = sorted(set(given) - set(dataset.vocabulary))
    if strange:
        raise DataError(
            f"the network never saw {', '.join(map(repr, strange[:5]))}; use only "
            f"{' '.join(dataset.vocabulary)}"
        )
    return [dataset.vocabulary.index(sign) for sign in given]
