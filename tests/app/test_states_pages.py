"""The pages that search in the states of all sequences, driven without a browser."""

from pathlib import Path

import numpy as np
import pytest
from driven import EXAMPLES, opened, page, press, ready
from streamlit.testing.v1 import AppTest

from rnnviz.data.sources import load
from rnnviz.exchange import own
from rnnviz.runs.run import Run
from rnnviz.states.asked import stored_of_trace
from rnnviz.states.match import find_spans, units_on
from rnnviz.states.store import digest, open_states


def read(run: Run, at: str, **address: str) -> AppTest:
    """A page after all sequences of a run are read, by whichever test was first."""
    app = opened(at, run=run.id, **address)
    unread = "do_states" in [button.key for button in app.button]
    return press(app, "states") if unread else app


def kept(run: Run, home: Path, symbol: str):
    trace, _ = run.trace(run_epoch(run))
    dataset = load(run.config.data, home)
    model = own.save(stored_of_trace(trace, run.config.model, dataset))
    return trace, open_states(home, digest(model, run.config.data, symbol))


def run_epoch(run: Run) -> int:
    return max(int(path.stem) for path in run.traces.glob("*.npz"))


SEARCHED = [
    *(("lstm with attention", "h"), ("gru of two ways", "h"), ("relu", "h"), ("characters", "h")),
    *(("random walk", "h"), ("lstm with attention", "c"), ("characters", "c"), ("pieces", "h")),
]


@pytest.mark.parametrize(("name", "symbol"), SEARCHED)
def test_a_marked_span_is_found_in_other_sequences(name, symbol, trained, shared_home):
    run = trained(name)
    app = read(run, "match", match_state=symbol)
    trace, states = kept(run, shared_home, symbol)
    row = states.place(int(trace.sequences[0]))
    length = int(states.lengths[row])
    h = states.h[0][:, row, :length]
    level = float(np.quantile(np.abs(h), 0.3))
    threshold = float(np.clip(np.round(level / 0.05) * 0.05, 0.05, 0.95))
    key = "match_threshold" if np.abs(h).max() <= 1 else "match_threshold_wide"
    widget = app.slider(key=key) if key == "match_threshold" else app.number_input(key=key)
    app = widget.set_value(threshold).run()
    start, stop = length // 2, length // 2 + 2
    app = app.slider(key="match_span").set_value((start + 1, stop)).run()
    assert not app.exception
    on = units_on(h, start, stop, threshold)[:4]
    if not on:
        assert "No unit is on" in app.info[0].value
        return
    signed = tuple((one.unit, one.sign) for one in on)
    spans = find_spans(
        states.h[0],
        states.lengths,
        signed,
        threshold,
        least=len(signed),
        like=stop - start,
        without=row,
    )
    said = next(one.value for one in app.markdown if "spans in" in one.value)
    assert f"{spans.total:,} spans in {len(spans.within):,} of " in said


@pytest.mark.parametrize(
    "name", ["lstm with attention", "characters", "words", "pieces", "covariates"]
)
def test_units_are_ranked_for_every_property(name, trained):
    app = read(trained(name), "units")
    names = app.selectbox(key="property").options
    assert len(names) >= 2
    for one in names[:4]:
        app = app.selectbox(key="property").set_value(one).run()
        assert not app.exception
        said = " ".join(m.value for m in app.markdown)
        assert "tells most" in said or "of one class" in " ".join(i.value for i in app.info)


def test_a_cell_with_one_state_leaves_no_choice(trained):
    app = read(trained("gru of two ways"), "match", match_state="c")
    assert "match_state" not in [group.key for group in app.button_group]
    assert any("|h|" in widget.label for widget in (*app.slider, *app.number_input))


def test_without_a_run_the_pages_say_where_to_go():
    for at in ("match", "units"):
        app = opened(at)
        assert "Go to **Train**" in app.info[0].value


def test_the_button_says_how_much_is_kept():
    app = page(press(ready(EXAMPLES["lstm with attention"]), "train"), "match")
    assert app.button(key="do_states").label == "Read all 60 sequences"
    assert "138 kB on the server" in " ".join(m.value for m in app.markdown)
