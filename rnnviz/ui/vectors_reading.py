"""What is read off word vectors: the lookup, neighbours, analogies, the map."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.figures import vectors as figures
from rnnviz.figures.lookup import lookup
from rnnviz.figures.wordmap import word_map
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.vectoring import titles
from rnnviz.ui.vectors_subject import Subject
from rnnviz.ui.words import number
from rnnviz.vectors import grammar, told
from rnnviz.vectors.space import Neighbour, principal

LIKED = ("king", "queen", "paris", "cats", "warm", "good", "light", "lamp", "sea")  # to begin with
EXAMPLE = ("king", "man", "woman")  # plus, minus, plus
BEST = 5  # answers to an analogy
NUMBERS = 8  # of a vector that a table shows
MOST_RAYS = 8  # neighbours in the picture of angles
NONE = ""


def word_of(
    subject: Subject, key: str, label: str, *, usual: str = "", empty: bool = False, help: str = ""
) -> str:
    """A word that is typed or chosen; NONE where that is allowed."""
    words = [*([NONE] if empty else []), *subject.space.words]
    widgets.forget_unless(key, words)
    begin = usual if usual in words else NONE if empty else _first(subject)
    return str(
        st.selectbox(
            label,
            words,
            words.index(begin),
            key=key,
            format_func=lambda word: word if word.strip() else repr(word) if word else "none",
            bind="query-params",
            persist_state="session",
            help=help or None,
        )
    )


def _first(subject: Subject) -> str:
    known = subject.space.places
    return next((word for word in LIKED if word in known), subject.space.words[0])


def lookup_view(subject: Subject) -> None:
    """One-hot against embedding."""
    with st.container(horizontal=True):
        one = word_of(subject, "vectors_word", "Word")
        other = word_of(subject, "vectors_beside", "Beside it", usual="queen", empty=True)
    space = subject.space
    places = [space.places[word] for word in dict.fromkeys((one, other)) if word]
    count, d = space.vectors.shape
    plot(
        lookup(space.words, space.vectors, places, dark=widgets.dark()),
        key="vectors_lookup",
    )
    st.markdown(
        f"The one-hot vector has {count:,} numbers, all 0 but one. E has {d} rows and {count:,} "
        f"columns; multiplying it by a one-hot vector adds 0 times every column but one, so "
        "nothing is multiplied: the column is **looked up**. Shown are the columns around the "
        "chosen ones; words stand by falling frequency."
    )
    if len(places) == 2:
        cosine = space.cosine(one, other)
        angle = Neighbour(other, cosine).angle
        st.markdown(
            f"Between the one-hot vectors of two words the angle is always 90° (cosine 0): they "
            f"say nothing of what is alike. Between e of **{controls.escaped(one)}** and e of "
            f"**{controls.escaped(other)}** it is **{angle:.1f}°** (cosine {number(cosine, 3)})."
        )


def neighbours_view(subject: Subject) -> None:
    """The nearest words, as a list and by their angles."""
    with st.container(horizontal=True):
        word = word_of(subject, "vectors_word", "Word")
        most = len(subject.space.words) - 1
        widgets.keep_within("vectors_count", 1, min(30, most))
        count = st.number_input("Neighbours", 1, min(30, most), min(10, most), key="vectors_count")
    found = subject.space.neighbours(word, int(count))
    left, right = pair("vectors_near")
    with left:
        _list(_table(subject, found))
    with right:
        shown = [(n.word, n.angle) for n in found[:MOST_RAYS]]
        plot(figures.angles(word, shown, dark=widgets.dark()), key="vectors_angles")
        more = f" The picture shows the first {MOST_RAYS}." if len(found) > MOST_RAYS else ""
        d = subject.space.vectors.shape[1]
        st.caption(
            f"Two directions drawn by chance in {d} dimensions lie at 90° ± "
            f"{np.degrees(1 / np.sqrt(d)):.0f}° to each other (mean and standard deviation, "
            f"nearly).{more}"
        )


def _table(subject: Subject, found: tuple[Neighbour, ...]) -> pd.DataFrame:
    places = [subject.space.places[n.word] for n in found]
    return pd.DataFrame(
        {
            "word": [n.word if n.word.strip() else repr(n.word) for n in found],
            "cosine": [n.cosine for n in found],
            "angle [°]": [n.angle for n in found],
            "times in the text": [int(subject.counts[k]) for k in places],
        }
    )


def _list(rows: pd.DataFrame) -> None:
    numbers = {
        "cosine": st.column_config.NumberColumn(format="%.3f"),
        "angle [°]": st.column_config.NumberColumn(format="%.1f"),
    }
    st.dataframe(rows, width="stretch", hide_index=True, height="content", column_config=numbers)


# -- analogies -------------------------------------------------------------------------------------


def analogies_view(subject: Subject) -> None:
    """b - a + c with any words, and how many of the list are solved."""
    if subject.listed:
        _from_list(subject)
    plus, minus, also = _asked(subject)
    space, said = subject.space, controls.escaped
    wanted = space.analogy(plus, minus, also)
    best = space.nearest(wanted, BEST, without=tuple(dict.fromkeys((plus, minus, also))))
    if not best:
        st.info("There are too few words to answer with.")
        return
    listed = _answer_of(minus, plus, also) if subject.listed else ""
    st.markdown(
        f"**{said(minus)}** is to **{said(plus)}** as **{said(also)}** is to … "
        f"**{said(best[0].word)}**"
        + (f" {'✓' if listed == best[0].word else f'✗ (the list has {listed})'}" if listed else "")
    )
    left, right = pair("vectors_analogy")
    with left:
        _list(_table(subject, best).drop(columns="times in the text"))
        st.caption("The three words of the question are no answers.")
    with right:
        flat = principal(
            np.stack([*(space.units[space.places[w]] for w in (minus, plus, also)), wanted,
                      space.units[space.places[best[0].word]]])
        )  # fmt: skip
        names, right_one = (minus, plus, also, best[0].word), best[0].word == listed
        plot(
            figures.arithmetic(names, flat.places, right=right_one, dark=widgets.dark()),
            key="vectors_arithmetic",
        )
        st.caption(
            f"The plane that fits these five best ({flat.share:.0%} of their variance). Both "
            "arrows are the same vector, seen from the side."
        )
    _sum(subject, plus, minus, also, best[0].word)
    if subject.listed:
        _solved(subject)


def _asked(subject: Subject) -> tuple[str, str, str]:
    row = st.container(horizontal=True)
    labels = (("plus", "Word"), ("minus", "minus"), ("also", "plus"))
    words = []
    for (name, label), usual in zip(labels, EXAMPLE, strict=True):
        with row:
            words.append(word_of(subject, f"vectors_{name}", label, usual=usual))
    return words[0], words[1], words[2]


def _from_list(subject: Subject) -> None:
    """A question of the list, put into the three widgets."""
    known = set(subject.space.words)
    options = [""]
    for relation in grammar.RELATIONS.values():
        pairs = [p for p in relation.pairs if {p.first, p.second} <= known]
        options += [
            f"{a.first} : {a.second} :: {c.first} : {c.second}"
            for a, c in zip(pairs, pairs[1:] + pairs[:1], strict=True)
            if a is not c
        ]

    def take() -> None:
        chosen = widgets.held("vectors_listed", "")
        if chosen:
            a, b, c, _ = chosen.replace(" :: ", " : ").split(" : ")
            widgets.suggest({"vectors_plus": b, "vectors_minus": a, "vectors_also": c})

    st.selectbox(
        "Take one of the list",
        options,
        key="vectors_listed",
        format_func=lambda text: text or "choose",
        on_change=take,
        help="One of each pair of neighbours in the list; all others are counted as well.",
    )


def _answer_of(a: str, b: str, c: str) -> str:
    """What the list has for a : b :: c : ?; "" where it does not ask that.

    b - a + c is the same for a : c :: b : ?, so the way may be asked as well as the step.
    """
    known = grammar.groups()
    for one, other in ((b, c), (c, b)):
        if known.get(a) and _partner(a) == one and known.get(other, ("",))[0] == known[a][0]:
            same_side = known[other][1] == known[a][1]
            return _partner(other) if same_side and other != a else ""
    return ""


def _partner(word: str) -> str:
    """The other word of its pair."""
    name, side = grammar.groups()[word]
    pairs = grammar.RELATIONS[name].pairs
    return next(pair.side(1 - side) for pair in pairs if pair.side(side) == word)


def _sum(subject: Subject, plus: str, minus: str, also: str, best: str) -> None:
    """The arithmetic, for the first numbers of each vector."""
    space, shown = subject.space, min(NUMBERS, subject.space.vectors.shape[1])
    wanted = space.analogy(plus, minus, also)
    rows = [
        (f"{plus}", space.units[space.places[plus]]),
        (f"− {minus}", -space.units[space.places[minus]]),
        (f"+ {also}", space.units[space.places[also]]),
        ("= sum", wanted),
        (f"{best}, for comparison", space.units[space.places[best]]),
    ]
    st.table(
        pd.DataFrame(
            [[controls.escaped(number(float(v), 3)) for v in vector[:shown]] for _, vector in rows],
            index=[controls.escaped(name) for name, _ in rows],
            columns=[f"number {k}" for k in range(1, shown + 1)],
        )
    )
    st.caption(
        f"The first {shown} of {space.vectors.shape[1]} numbers; every vector is brought to length "
        f"1 before. The sum has length {number(float(np.linalg.norm(wanted)), 3)}; only its "
        "direction matters."
    )


def _solved(subject: Subject) -> None:
    if subject.run is None or subject.view is None:
        return
    view, dark = subject.view, widgets.dark()
    chances = told.curve(view, told.BY_CHANCE)[1]
    figure = partial(
        figures.solved,
        told.curves(view, told.SOLVED),
        told.mean(told.curves(view, told.NEAREST)),
        chances[0] if chances else 0.0,
        epochs=subject.run.config.training.epochs,
        titles=titles(),
        epoch=subject.epoch,
        dark=dark,
    )
    mark = (*subject.mark, dark, len(view.found))
    plot(widgets.kept_figure("vectors_list", mark, figure), key="vectors_list")
    asked = sum(len(q) for q in grammar.questions(subject.space.places).values())
    shares = told.solved(view, subject.epoch)
    st.caption(
        f"The list asks {asked:,} questions: in each relation every pair with every other one. "
        f"After epoch {subject.epoch}: "
        + ", ".join(f"{titles()[name]} {share:.0%}" for name, share in shares.items())
        + "."
    )


# -- the map ---------------------------------------------------------------------------------------


def map_view(subject: Subject) -> None:
    """Words on a plane."""
    kinds = list(subject.maps)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = kinds[0]
        if len(kinds) > 1:
            kind = st.segmented_control(
                "Map by", kinds, default=kinds[0], required=True, key="vectors_map",
                bind="query-params", persist_state="session",
            ) or kinds[0]  # fmt: skip
        word = word_of(subject, "vectors_word", "Find a word")
    flat = subject.maps[kind]()
    shown = subject.space.words[: len(flat.places)]
    near = [n.word for n in subject.space.neighbours(word, 5)]
    share = "" if flat.share is None else f", {flat.share:.0%} of the variance"
    figure = word_map(
        shown,
        flat.places.astype(np.float64),
        title=f"{kind} after epoch {subject.epoch}{share}",
        keeps=f"{kind} {subject.mark[0]}",
        reach=flat.reach,
        groups=subject.groups,
        chosen=word,
        near=near,
        dark=widgets.dark(),
    )
    plot(figure, key="vectors_word_map", on_click=partial(_clicked, subject, flat.places))
    missing = len(subject.space.words) - len(shown)
    st.caption(
        "Point at a mark to read its word; click to choose it; the wheel and two fingers zoom. "
        + (f"The {missing:,} rarest words are not shown. " if missing else "")
        + ("" if word in shown else f"{controls.escaped(word)} is one of them. ")
        + "The chosen word has a ring; its nearest ones in all dimensions are "
        + ", ".join(controls.escaped(n) for n in near)
        + "."
    )


def _clicked(subject: Subject, places: np.ndarray, at: Clicked) -> None:
    """Choose the word that was clicked."""
    if isinstance(at.x, str) or isinstance(at.y, str):
        return
    away = np.hypot(places[:, 0] - at.x, places[:, 1] - at.y)
    widgets.suggest({"vectors_word": subject.space.words[int(away.argmin())]})
