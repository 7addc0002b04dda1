"""Models in and out, as a visitor does it: save a run's, bring one of Keras, look at its gates."""

import re
import tempfile
from pathlib import Path

import numpy as np
from driving import (
    WAIT,
    arrive,
    button,
    by_and_by,
    in_memory,
    run_of,
    runs_in,
    says,
    selected,
    settled,
    slider,
    turn_to,
    upload,
)
from model_files import make_model, replayed
from playwright.sync_api import Page, expect

from rnnviz.applying import stored_of as stored_of_run
from rnnviz.config import Dense
from rnnviz.data.sources import load as load_data
from rnnviz.exchange import own
from rnnviz.exchange.build import stored_of
from rnnviz.exchange.keras_files import write_h5
from rnnviz.exchange.reading import model_sandbox, read_model

MODELS, OWN_FILE = "Of Keras", "An R file"  # the uploaders, by their labels
INSIDE = "Look inside on these data"
APPLIED = re.compile("nothing was trained")


def days_of_people(rows: int = 12) -> bytes:
    """A table of days by the minute, with a BMI each."""
    rng = np.random.default_rng(0)
    head = ["BMI", *(f"MIN{k}" for k in range(1, 1441))]
    days = np.column_stack([25 + rng.integers(9, size=rows), rng.integers(0, 500, (rows, 1440))])
    return "\n".join(",".join(map(str, row)) for row in [head, *days.tolist()]).encode()


def keras_lstm():
    """A network that reads an hour at each of 24 steps."""
    return make_model(inputs=60, outputs=1, sizes=(6,), dense=(Dense(4, "tanh"),))


def heat(page: Page) -> np.ndarray:
    """The heat map of a gate [H T] as Plotly has it; it is sent as whole thousandths."""
    drawn = page.locator(".st-key-heat .js-plotly-plot")
    if not drawn.count():
        return np.empty((0, 0))
    read = "it => [it.data[0].z.map(row => Array.from(row)), it.data[0].zmax]"
    rows, one = drawn.first.evaluate(read)
    return np.array(rows, dtype=np.float64) / one


def test_a_trained_model_is_downloaded_as_keras_has_it(page, server, tmp_path):
    arrive(page, "/?people=60&hidden_size=4&epochs=1&attention=none")
    button(page, "Train").click()
    says(page, "All epochs are done.")
    run = run_of(page, server.home)
    turn_to(page, "Models")
    page.get_by_test_id("stMain").get_by_role("radio", name=".h5", exact=True).click()
    settled(page)
    button(page, "Prepare the file").click()
    says(page, re.compile("loads PyTorch first, which takes a few seconds"))
    ready = page.get_by_test_id("stDownloadButton").get_by_role("button")
    expect(ready).to_have_text(f"Download lstm-{run.id[:6]}.h5", timeout=WAIT)
    with page.expect_download() as download:
        ready.click()
    file, again = tmp_path / download.value.suggested_filename, tmp_path / "again.h5"
    download.value.save_as(file)
    again.write_bytes(write_h5(stored_of_run(run)))
    with model_sandbox() as sandbox:
        found, expected = (read_model(path, path.name, sandbox) for path in (file, again))
    assert found.weights.keys() == expected.weights.keys()
    for name, weights in expected.weights.items():
        np.testing.assert_array_equal(found.weights[name], weights)


def test_a_keras_model_shows_its_gates_on_the_visitors_own_days(page, server):
    model = keras_lstm()
    arrive(page, "/models?source=My+own+file&scale=log%281+%2B+x%29")
    upload(page, in_memory("act.h5", write_h5(stored_of(model))), MODELS)
    says(page, re.compile("predicts 1 number after the last step"))
    upload(page, in_memory("days.csv", days_of_people()), OWN_FILE)
    says(page, "12 people, 24 steps of 60 values; BMI is predicted")  # as the model needs them
    button(page, INSIDE).click()
    says(page, APPLIED)
    expect(button(page, INSIDE)).to_be_disabled()
    run = run_of(page, server.home)
    assert run.title == "act.h5: My own file"
    turn_to(page, "Gates")
    data, (trace, _) = load_data(run.config.data, server.home), run.trace(0)
    expected = replayed(model, data.inputs[trace.sequences[0]])["f"]
    shown = by_and_by(page, lambda: heat(page), lambda z: z.shape == expected.shape)
    np.testing.assert_allclose(shown, expected, atol=1e-3)
    slider(page, "Step").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    selected(page, step=2)
    turn_to(page, "Inside")
    says(page, "Unit 1 of layer 1 at step 2: all gates")


def test_looking_inside_again_after_a_reload_makes_no_second_run(page, server):
    arrive(page, "/models?people=40")
    upload(page, in_memory("act.h5", write_h5(stored_of(keras_lstm()))), MODELS)
    says(page, re.compile("40 people, 24 steps"))
    before = runs_in(server.home).keys()
    button(page, INSIDE).click()
    says(page, APPLIED)
    first = run_of(page, server.home)
    page.goto(re.sub(r"&?run=[0-9a-f]+", "", page.url))  # a visit without the run
    says(page, re.compile("40 people, 24 steps"))
    expect(page.get_by_text(APPLIED)).to_have_count(0)
    button(page, INSIDE).click()
    says(page, APPLIED)
    assert run_of(page, server.home).id == first.id
    page.reload()
    says(page, APPLIED)
    expect(button(page, INSIDE)).to_be_disabled()
    assert runs_in(server.home).keys() - before == {first.id}


def own_bomb() -> bytes:
    """A file of our own kind whose header says that far more follows than does."""
    data = own.save(stored_of(keras_lstm()))
    return (1 << 60).to_bytes(8, "little") + data[8:]


WITNESS = Path(tempfile.gettempdir()) / "rnnviz-was-here"  # of code in a file that was run
HOSTILE = {
    "text.h5": lambda: b"no model at all",
    "short.h5": lambda: write_h5(stored_of(keras_lstm()))[:-2000],
    "pickle.pt": lambda: f"cos\nsystem\n(S'touch {WITNESS}'\ntR.".encode(),
    "bomb.safetensors": own_bomb,
}


def test_a_hostile_file_gets_one_sentence_and_nothing_is_lost(page, server):
    arrive(page, "/models?people=40")
    upload(page, in_memory("good.h5", write_h5(stored_of(keras_lstm()))), MODELS)
    says(page, re.compile("40 people, 24 steps"))
    button(page, INSIDE).click()
    says(page, APPLIED)
    run = run_of(page, server.home)
    address = page.url
    for name, make in HOSTILE.items():
        upload(page, in_memory(name, make()), MODELS)
        alert = page.get_by_test_id("stMain").get_by_test_id("stAlert").filter(has_text=name)
        expect(alert).to_have_count(1, timeout=WAIT)
        expect(page.get_by_test_id("stMain").get_by_test_id("stAlert")).to_have_count(1)
        told = alert.inner_text()
        assert "Traceback" not in told
        assert "\n" not in told.strip()
        assert len(told) < 300
        settled(page)
        says(page, "good.h5")
        says(page, APPLIED)
        assert page.url == address
    assert run_of(page, server.home).id == run.id
    assert not WITNESS.exists()
