"""The Language page: a run's network speaks, token by token, and each decision can be looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from rnnviz.config import SUGGESTED, DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.errors import RnnvizError, TraceError
from rnnviz.inside import branching
from rnnviz.inside.branching import Branch, Branches
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import LONGEST, Plan, Spoken
from rnnviz.inside.sampling import speak as say
from rnnviz.inside.speaking import Speaker
from rnnviz.runs.run import new_id
from rnnviz.trace import Trace
from rnnviz.ui import controls, server, session, widgets
from rnnviz.ui.components.speak import Other, Said, said, speak
from rnnviz.ui.looking import Looking, looking
from rnnviz.ui.prompting import asked, begin_with
from rnnviz.ui.words import number

FORCED, AT = "said", "say_at"  # in the address: branches, and the place that is looked at


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A network, what it is to say, and what it said."""

    seen: Looking
    speaker: Speaker
    plan: Plan  # of the branch that is looked at
    branches: Branches
    spoken: Spoken
    place: int  # that is looked at, in prefix and text

    @property
    def dataset(self) -> SequenceDataset:
        """What the network learned from."""
        return self.seen.dataset

    @property
    def mark(self) -> tuple[object, ...]:
        """Names the network."""
        return mark_of(self.seen.run.id, self.seen.trace)

    def of(self, branch: Branch) -> Spoken:
        """The text of a branch."""
        return spoken(self.mark, planned(self.plan, branch), self.speaker)


# -- a network to begin with -----------------------------------------------------------------------


def looking_at_text() -> Looking | None:
    """The current run's selected trace, if it is of a language model; else what to do."""
    run = session.current()
    if run is None:
        st.info("There is no language model yet. Train one on a text: it takes under a minute.")
        _begin()
        return None
    seen = looking()
    if seen is None:
        if session.view(run).status == "failed":
            _begin()
        return None
    if seen.dataset.task is not Task.NEXT_TOKEN:
        st.info(
            f"The current run predicts {controls.escaped(seen.dataset.outputs[0].name)}, not the "
            "next token of a text, so it cannot speak. Train a network on a text, or choose such "
            "a run under **Other runs**."
        )
        _begin()
        return None
    return seen


# a text long enough that a network of half a minute knows more of it than counts of its tokens do
EXAMPLE: Mapping[str, Any] = {
    **SUGGESTED["text"],
    **{"source": "text", "sample": "log", "carried": True},
    **{"hidden_size": 128, "batch_size": 16, "epochs": 14},
}


def example() -> RunConfig:
    """A language model of characters that is worth looking at after half a minute."""

    def of(cls: type) -> dict[str, Any]:
        return {name: EXAMPLE[name] for name in controls.named(cls) if name in EXAMPLE}

    return RunConfig(
        data=DataConfig(**of(DataConfig)),
        model=ModelConfig(**of(ModelConfig)),
        training=TrainingConfig(**of(TrainingConfig)),
    )


def _begin() -> None:
    """Train one now, or look at the settings first."""
    row, run_id, config = st.container(horizontal=True), new_id(), example()

    def start() -> None:
        try:
            session.start(config, run_id)
        except RnnvizError as wrong:
            widgets.notice(str(wrong))

    row.button("Train one now", key="do_train_text", type="primary", on_click=start)
    if row.button("Set it up on the Train page", key="do_set_up_text"):
        widgets.suggest(dict(EXAMPLE))
        st.switch_page(server.home() / "pages" / "train.py")


# -- the experiment --------------------------------------------------------------------------------


def mark_of(run_id: str, trace: Trace) -> tuple[object, ...]:
    """Names a network: a run at an epoch."""
    return (run_id, trace.epoch, trace.step)


@st.cache_resource(show_spinner=False, max_entries=6)
def speaker_of(mark: tuple[object, ...], _trace: Trace) -> Speaker:
    """The network of a trace, ready to speak.

    Raises:
        TraceError: it cannot.
    """
    del mark
    return Speaker.of(Network.of(_trace))


@st.cache_resource(show_spinner=False, max_entries=24)
def spoken(mark: tuple[object, ...], plan: Plan, _speaker: Speaker) -> Spoken:
    """What a network says by a plan."""
    del mark
    return say(_speaker, plan)


@st.cache_resource(show_spinner=False, max_entries=12)
def _said(mark: tuple[object, ...], plan: Plan, _spoken: Spoken, _names: tuple[str, ...]) -> Said:
    del mark, plan
    return said(_spoken, _names)


def experiment(seen: Looking) -> Experiment | None:
    """What the controls and the address ask for; None where the prefix cannot be read."""
    mark = mark_of(seen.run.id, seen.trace)
    speaker = speaker_of(mark, seen.trace)
    _of_other_tokens(seen)
    plan = asked(seen)
    if plan is None:
        return None
    branches = _branches(speaker)
    plan = planned(plan, branches[0])
    found = spoken(mark, plan, speaker)
    return Experiment(
        seen=seen,
        speaker=speaker,
        plan=plan,
        branches=branches,
        spoken=found,
        place=_place(found),
    )


def planned(plan: Plan, branch: Branch) -> Plan:
    """The plan of another branch."""
    return replace(plan, forced=branch)


def _of_other_tokens(seen: Looking) -> None:
    """What was asked of a network with other tokens makes no sense for this one."""
    now = hash(seen.dataset.vocabulary)
    if widgets.replaced("say_words", now) not in (None, now):
        widgets.suggest({"say_prefix": begin_with(seen), "say_top_k": 0})
        widgets.note(FORCED, "")
        widgets.note(AT, "")


def _branches(speaker: Speaker) -> Branches:
    """Of the address; what cannot be is left out, and said."""
    try:
        found = branching.read(widgets.noted(FORCED))
        if any(one.token >= speaker.vocabulary for branch in found for one in branch):
            raise TraceError(f"a token is beyond the {speaker.vocabulary} that the network knows")
    except TraceError as wrong:
        st.warning(controls.escaped(f"The branches of the link are left out: {wrong}"))
        widgets.note(FORCED, "")
        return branching.read("")
    return found


def _place(found: Spoken) -> int:
    """The place of the address, else the last."""
    last, wanted = len(found.tokens) - 1, widgets.noted(AT)
    named = re.fullmatch(r"[1-9]\d{0,4}", wanted, re.ASCII)
    return min(int(wanted) - 1, last) if named else last


# -- the text --------------------------------------------------------------------------------------


def generated(done: Experiment) -> None:
    """The text beside what might have stood at the chosen place."""
    dataset = done.dataset
    speak(
        _said(done.mark, done.plan, done.spoken, dataset.vocabulary),
        place=done.place,
        vocabulary=len(dataset.vocabulary),
        dark=done.seen.look.dark,
        key="speak",
        on_place=look_at,
        on_other=lambda other: branch_off(done, other),
        on_more=lambda: one_more(done.plan.length),
    )
    _what_is_known(done)


def _what_is_known(done: Experiment) -> None:
    """What the text is worth, and where the network is out of its depth."""
    seen, found = done.seen, done.spoken
    sentence = (
        f"{done.plan.length} tokens after a prefix of {found.given}: log-probability "
        f"{number(found.total)} nats, perplexity {number(found.perplexity)}, by what the network "
        "says before temperature, top-k and top-p."
    )
    window = seen.dataset.steps
    if seen.run.config.model.attention != "none" and len(found.tokens) > window:
        sentence += (
            f" Attention looks back over all {len(found.tokens)} tokens here; in training it saw "
            f"at most {window}."
        )
    st.caption(sentence)


def look_at(place: int) -> None:
    """Choose a place, in a callback."""
    widgets.note(AT, str(place + 1))


def branch_off(done: Experiment, other: Other) -> None:
    """Go on from a place with another token, in a callback."""
    position = other.place - done.spoken.given
    parent = branching.before(done.branches[0], position)
    drawn = done.of(parent).tokens[other.place]
    try:
        if int(drawn) == other.token:  # what would stand there anyway is no choice
            found = branching.looked_at(done.branches, parent)
        else:
            found = branching.chosen(done.branches, position, other.token)
    except TraceError as wrong:
        widgets.notice(str(wrong))
        return
    widgets.note(FORCED, branching.written(found))
    look_at(other.place)


def one_more(length: int) -> None:
    """Draw one token more, in a callback."""
    if length >= LONGEST:
        widgets.notice(f"a text holds at most {LONGEST} tokens; write what it says into the prefix")
        return
    widgets.suggest({"say_length": length + 1})
    widgets.note(AT, "")
