"""What a survey keeps of a test part: every class's probability, within a bound."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from rnnviz import evaluate, stepwise
from rnnviz.batches import prepare
from rnnviz.data.dataset import Task
from rnnviz.model import SequenceModel
from rnnviz.runs import arrays
from rnnviz.trace import Survey
from tests.training_samples import make_config, make_dataset

LENGTHS = np.tile([12, 5, 2, 9, 12], 12)


def surveyed(task: Task, n: int = 60, **model: object) -> Survey | None:
    data = make_dataset(task, n=n, lengths=np.resize(LENGTHS, n))
    settings = make_config(**model).model
    network = SequenceModel(
        settings,
        inputs=data.input_size,
        outputs=data.output_size,
        covariates=2,
        task=task,
        seed=1,
    )
    return evaluate.evaluate(network, prepare(data, 0), "test")[1]


def test_the_probabilities_are_those_that_the_predictions_are_the_likeliest_of() -> None:
    for task in (Task.CLASSIFICATION, Task.TAGGING):
        found = surveyed(task)
        assert found is not None
        assert found.probabilities is not None
        assert found.probabilities.shape == (len(found.sequences), 2)
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(found.probabilities.argmax(axis=1), found.predictions)


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.TRACKING])
def test_numbers_have_none(task: Task) -> None:
    found = surveyed(task)
    assert found is not None
    assert found.probabilities is None


def test_they_are_bounded_and_a_tagged_sequence_is_never_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluate, "MOST_SURVEYED", 4)
    monkeypatch.setattr(evaluate, "MOST_NUMBERS", 7 * (12 + 2))
    found = surveyed(Task.CLASSIFICATION, attention="dot")
    assert found is not None
    assert found.attention is not None
    assert len(found.sequences) == len(found.attention) == len(found.probabilities) == 7
    whole = surveyed(Task.TAGGING)
    monkeypatch.setattr(stepwise, "MOST_TAGGED", 20)
    cut = surveyed(Task.TAGGING)
    assert whole is not None
    assert cut is not None
    assert 20 - 12 < len(cut.sequences) <= 20 < len(whole.sequences)
    assert whole.sequences[len(cut.sequences)] != cut.sequences[-1]
    np.testing.assert_array_equal(whole.probabilities[: len(cut.sequences)], cut.probabilities)


def test_attention_lies_on_no_padding_and_adds_up_to_one() -> None:
    for kind in ("dot", "general", "additive"):
        found = surveyed(Task.CLASSIFICATION, attention=kind, bidirectional=True)
        assert found is not None
        assert found.attention is not None
        np.testing.assert_allclose(found.attention.sum(axis=1), 1, rtol=1e-5)
        beyond = np.arange(12) >= LENGTHS[found.sequences][:, None]
        assert beyond.any()
        assert (found.attention[beyond] == 0).all()


def test_what_an_earlier_version_kept_still_loads(tmp_path: Path) -> None:
    found = surveyed(Task.CLASSIFICATION)
    assert found is not None
    path = tmp_path / "1.npz"
    arrays.save_trace(path, None, found)
    _, again = arrays.load_trace(path)
    assert again is not None
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    kept = arrays.load_arrays(path)
    shape = json.loads(str(kept[arrays.SHAPE]))
    del shape["survey"]["fields"]["probabilities"], kept["survey.probabilities"]
    arrays.save_arrays(path, {**kept, arrays.SHAPE: np.array(json.dumps(shape))})
    _, earlier = arrays.load_trace(path)
    assert earlier is not None
    assert earlier.probabilities is None
    for field in dataclasses.fields(Survey):
        if field.name != "probabilities":
            mine, theirs = getattr(found, field.name), getattr(earlier, field.name)
            np.testing.assert_array_equal(mine, theirs)
