"""Translate: whose fault wrong outputs are, greedy against beam, and BLEU."""

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from rnnviz.data.parallel.text import END
from rnnviz.translation import bleu
from rnnviz.translation.errors import MODEL, RIGHT, SEARCH, Counts, Judged, counted, judged, within
from rnnviz.ui import controls, widgets
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_beam import choose_search
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import number

EVERY, SECONDS = 0.3, 0.3  # between two parts of the count, and of one [s]
_EXAMPLES = 12  # wrong outputs that are listed
_GRAMS = 12  # n-grams of each length that are listed
_WORDS = {RIGHT: "right", SEARCH: "the search's", MODEL: "the network's"}


class Counting:
    """A count over the held-out sentences that goes on a little at each drawing."""

    def __init__(self, seen: Looked, width: int, alpha: float) -> None:
        some = kept.held_out(seen.run).pairs
        self.sentences = len(some.sources)
        self.found: tuple[Judged, ...] = ()
        self._parts: Iterator[tuple[Judged, ...]] = judged(
            seen.network, some, width=width, alpha=alpha, longest=kept.longest(seen.text)
        )

    @property
    def done(self) -> bool:
        """Whether all are counted."""
        return len(self.found) >= self.sentences

    def go_on(self) -> None:
        """More sentences, for a little while."""
        self.found = (*self.found, *within(self._parts, SECONDS))


def errors(seen: Looked) -> None:
    """The count with its progress, then BLEU."""
    width, alpha = choose_search()
    mark = (seen.run.id, seen.epoch, width, alpha)
    count = widgets.kept_figure("translate_count", mark, lambda: Counting(seen, width, alpha))

    def once() -> None:
        if not count.done:
            count.go_on()
        done = count.done
        share = len(count.found) / max(1, count.sentences)
        said = f"{len(count.found):,} of {count.sentences:,} held-out sentences are searched"
        st.progress(min(1.0, share), text=said)
        _counts(counted(count.found), width)
        _of_set(seen, count.found)
        with st.empty().container():  # a fragment keeps its number of elements
            _examples(seen, count.found)
        if done and not finished:
            st.rerun()

    finished = count.done
    key = "translate_count_" + "_".join(map(str, mark))
    st.fragment(once, run_every=None if finished else EVERY, key=key)()
    _bleu(seen)
    about("errors")


def _counts(found: Counts, width: int) -> None:
    """A table of who is right, and one of the faults."""
    total = max(1, found.sentences)
    both = found.right - found.won
    neither = found.sentences - found.right - found.lost
    left, right = st.columns(2)
    with left:
        st.markdown(f"##### Wrong outputs of beam search, B = {width}")
        wrong = max(1, found.search + found.model)
        st.table(
            pd.DataFrame(
                {
                    "sentences": [found.search, found.model],
                    "of the wrong ones": [
                        f"{found.search / wrong:.0%}",
                        f"{found.model / wrong:.0%}",
                    ],
                },
                index=["P(y*) > P(ŷ): the search's fault", "P(y*) ≤ P(ŷ): the network's fault"],
            )
        )
    with right:
        st.markdown("##### Greedy against beam")
        st.table(
            pd.DataFrame(
                {
                    "beam right": [both, found.won, f"{found.right / total:.1%}"],
                    "beam wrong": [found.lost, neither, f"{1 - found.right / total:.1%}"],
                    "together": [
                        f"{found.greedy / total:.1%}",
                        f"{1 - found.greedy / total:.1%}",
                        found.sentences,
                    ],
                },
                index=["greedy right", "greedy wrong", "together"],
            ).astype(str)
        )


def _examples(seen: Looked, found: Sequence[Judged]) -> None:
    wrong = [one for one in found if one.fault != RIGHT][:_EXAMPLES]
    if not wrong:
        st.caption("No wrong output so far.")
        return
    rows = kept.held_out(seen.run).rows
    escaped = controls.escaped
    st.table(
        pd.DataFrame(
            {
                "source": [escaped(seen.text.source_texts[rows[one.row]]) for one in wrong],
                "true y*": [escaped(seen.text.target_texts[rows[one.row]]) for one in wrong],
                "found ŷ": [escaped(seen.text_of(one.beam)) for one in wrong],
                "score of y*": [number(one.true_score) for one in wrong],
                "score of ŷ": [number(one.found_score) for one in wrong],
                "fault": [_WORDS[one.fault] for one in wrong],
            },
            index=[one.row + 1 for one in wrong],
        )
    )
    st.caption("The first wrong ones, by their number in the list of held-out sentences.")


# -- BLEU ------------------------------------------------------------------------------------------


def _bleu(seen: Looked) -> None:
    st.markdown("##### BLEU of the sentence above, number by number")
    if not seen.answer:
        st.caption("Its true answer is not known, so it has no BLEU.")
        return
    found = bleu.of_sentence(seen.named(seen.output.text), seen.named(seen.answer[:-1]))
    st.markdown(
        f"**{found.score:.2f}** of 100. The penalty for brevity, with {found.written} tokens "
        f"written and {found.reference} in the true answer, is {_penalty(found)}."
    )
    if not found.orders:
        st.caption("Nothing was written.")
        return
    _orders(found)
    smoothed = any(order.matches == 0 for order in found.orders)
    st.caption(
        f"By sacrebleu, on the network's own {seen.text.tokens} (tokenize none). One sentence is "
        f"smoothed (exp){': here a precision without a match' if smoothed else ''}; a set is not. "
        f"Signature: {controls.escaped(found.signature)}"
    )


def _orders(found: bleu.Bleu) -> None:
    """The clipped precisions, and the score as their formula has it."""
    st.table(
        pd.DataFrame(
            {
                "matches, clipped": [order.matches for order in found.orders],
                "written": [order.total for order in found.orders],
                "precision pₙ": [f"{order.precision:.2f} %" for order in found.orders],
                "matching, written × (counted)": [_grams(order) for order in found.orders],
            },
            index=[f"{order.n}-grams" for order in found.orders],
        )
    )
    if found.score > 0:
        logs = " + ".join(f"ln {order.precision / 100:.4f}" for order in found.orders)
        st.markdown(
            controls.escaped(
                f"BLEU = {found.penalty:.4f} · exp(1/{len(found.orders)} · ({logs})) · 100 = "
                f"{found.score:.2f}"
            )
        )


def _of_set(seen: Looked, found: Sequence[Judged]) -> None:
    pairs = kept.held_out(seen.run).pairs
    truths = [seen.named(pairs.answer(one.row)[:-1]) for one in found]
    scores = {
        name: bleu.of_set([seen.named(_text(out)) for out in outputs], truths)
        for name, outputs in (
            ("beam", [one.beam for one in found]),
            ("greedy", [one.greedy for one in found]),
        )
    }
    said = ", ".join(f"**{score.score:.2f}** by {name}" for name, score in scores.items())
    st.markdown(f"BLEU of these {len(found):,} sentences together, not smoothed: {said}.")


def _text(tokens: tuple[int, ...]) -> tuple[int, ...]:
    return tokens[:-1] if tokens[-1:] == (END,) else tokens


def _penalty(found: bleu.Bleu) -> str:
    if found.written >= found.reference:
        return "1, as it is not too short"
    if not found.written:
        return "0"
    return f"exp(1 − {found.reference}/{found.written}) = {found.penalty:.4f}"


def _grams(order: bleu.Order) -> str:
    """The n-grams that count, and those that were clipped."""
    some = [gram for gram in order.grams if gram.counted]
    parts = [
        f"{' '.join(t if t.strip() else '␣' for t in gram.tokens)}"
        + (f" ×{gram.written} ({gram.counted})" if gram.written > 1 else "")
        for gram in some[:_GRAMS]
    ]
    more = f", and {len(some) - _GRAMS} more" if len(some) > _GRAMS else ""
    return controls.escaped(", ".join(parts) + more) or "none"
