"""Attribution over the clock: it adds up, agrees with occlusion, and comes back from the log."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from rnnviz.batches import Prepared, prepare
from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data import nhanes
from rnnviz.data.days import as_sequences
from rnnviz.events import RunView
from rnnviz.figures.attribution import by_hour
from rnnviz.model import SequenceModel
from rnnviz.runs.codec import decode, encode
from rnnviz.study import attribution
from rnnviz.study.attributed import (
    Attributed,
    account,
    agreement,
    attributed,
    checked,
    mean_of,
)
from rnnviz.study.attribution import attribute, chosen_rows
from rnnviz.study.settings import corrected_on


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    config = corrected_on(DataConfig(people=60, days=2))
    return prepare(as_sequences(nhanes.simulate(60, 2, seed=3), config.data), seed=0)


def network(prepared: Prepared, **settings) -> SequenceModel:
    dataset = prepared.dataset
    model = ModelConfig(hidden_size=6, covariates=True, **settings)
    return SequenceModel(
        model, inputs=1, outputs=1, covariates=dataset.covariates.shape[1], task=dataset.task
    )


@pytest.fixture(scope="module")
def people(prepared: Prepared) -> tuple[Attributed, ...]:
    return attribute(network(prepared), prepared, chosen_rows(prepared))


def test_each_person_is_taken_apart_once(prepared: Prepared, monkeypatch) -> None:
    rows = chosen_rows(prepared)
    ids = [prepared.dataset.ids[row] for row in rows]
    assert sorted(ids) == sorted({prepared.dataset.ids[row] for row in prepared.split.test})
    monkeypatch.setattr(attribution, "MOST", 4)
    few = chosen_rows(prepared)
    assert len(few) == 4
    targets = prepared.dataset.targets[:, 0]
    assert {targets[rows].min(), targets[rows].max()} <= set(targets[few])


def test_hours_and_covariates_add_up_to_the_prediction(
    people: tuple[Attributed, ...], prepared: Prepared
) -> None:
    for one in people:
        whole = one.hours.sum() + sum(one.covariates.values())
        assert whole == pytest.approx(one.predicted - one.reference, abs=1e-3)
        assert one.error < 1e-3
        assert one.attention.sum() == pytest.approx(1, abs=1e-5)
    assert len({one.reference for one in people}) == 1
    assert set(people[0].covariates) == {name for name, _ in prepared.dataset.covariate_names}


def test_predictions_are_those_of_the_network(
    people: tuple[Attributed, ...], prepared: Prepared
) -> None:
    rows = chosen_rows(prepared)
    with torch.no_grad():
        outputs = network(prepared)(prepared.batch(rows)).outputs[:, 0].numpy()
    expected = prepared.target_scaler.invert(outputs)[:, 0]
    assert [one.predicted for one in people] == pytest.approx(expected.tolist(), rel=1e-5)
    assert [one.true for one in people] == pytest.approx(prepared.dataset.targets[rows, 0].tolist())


def test_of_covariates_alone_hours_have_no_share(prepared: Prepared) -> None:
    model = network(prepared, attention="none")
    with torch.no_grad():
        model.head.weight[:, :6] = 0  # nothing of the recurrent state gets through
    for one in attribute(model, prepared, chosen_rows(prepared)[:3]):
        assert np.abs(one.hours).max() == 0
        assert np.abs(one.occluded).max() < 1e-6
        weights = model.head.weight[0, 6:].detach().numpy()
        assert sum(one.covariates.values()) == pytest.approx(
            one.predicted - one.reference, abs=1e-4
        )
        assert len(weights) == len(one.covariates)
        assert one.attention.sum() == 0


def test_without_covariates_hours_are_all_there_is(prepared: Prepared) -> None:
    dataset = prepared.dataset
    bare = dataclasses.replace(
        dataset, covariates=dataset.covariates[:, :0].copy(), covariate_names=()
    )
    alone = prepare(bare, seed=0)
    for one in attribute(network(alone), alone, chosen_rows(alone)[:3]):
        assert one.covariates == {}
        assert one.hours.sum() == pytest.approx(one.predicted - one.reference, abs=1e-3)


def test_gradients_and_occlusion_agree_where_hours_hardly_interact(
    people: tuple[Attributed, ...],
) -> None:
    assert agreement(people) > 0.9
    assert math.isnan(agreement(()))


def test_it_comes_back_from_the_log(people: tuple[Attributed, ...]) -> None:
    events = [mean_of("mean over all", people).to_event(4, 2), *(o.to_event(4, 2) for o in people)]
    view = RunView()
    for number, event in enumerate(reversed(events), 1):
        found = decode(encode(event, number))
        assert found is not None
        view = view.after(found.event)
    known = attributed(view)
    assert next(iter(known)) == "mean over all"
    for one in people:
        again = dataclasses.asdict(known[one.about])
        for name, value in dataclasses.asdict(one).items():
            assert np.array_equal(again[name], value), name


def test_a_mean_is_that_of_its_people(people: tuple[Attributed, ...]) -> None:
    mean = mean_of("mean over all", people)
    assert mean.hours == pytest.approx(np.mean([one.hours for one in people], axis=0))
    assert mean.error == max(one.error for one in people)
    assert (mean.people, people[0].people) == (len(people), 1)
    assert account(mean, "kg/m²").startswith(f"Mean of {len(people)} people: from the mean day's")
    assert mean.hours.sum() + sum(mean.covariates.values()) == pytest.approx(
        mean.predicted - mean.reference, abs=1e-3
    )


def test_the_account_says_how_the_shares_add_up(people: tuple[Attributed, ...]) -> None:
    one = dataclasses.replace(
        people[0], reference=26.0, predicted=27.5, true=30.0, error=2e-6, covariates={"age": -0.5}
    )
    one = dataclasses.replace(one, hours=np.full(24, 2 / 24))
    assert account(one, "kg/m²") == (
        "From the mean day's 26.00 to 27.50 kg/m² (true: 30.00): activity +2.00, covariates "
        "−0.50; completeness error 2.0e−06."
    )


def test_the_check_tells_error_and_agreement(people: tuple[Attributed, ...]) -> None:
    worst = dataclasses.replace(people[0], error=2e-5)
    told = checked((worst, *people[1:]), "kg/m²")
    assert f"of {len(people)} test people" in told
    assert "completeness error at most 2.0e−05 kg/m²; " in told
    assert told.endswith(f"r = {agreement(people):.3f}.")


@pytest.mark.parametrize("dark", [False, True])
def test_the_figure_holds_the_hours(people: tuple[Attributed, ...], dark: bool) -> None:
    one = people[0]
    figure = by_hour(one.hours, one.occluded, one.attention, title="S1", unit="kg/m²", dark=dark)
    for trace, values in zip(figure.data, (one.hours, one.occluded, one.attention), strict=True):
        assert trace.y == pytest.approx(values, abs=1e-6)
    assert figure.layout.yaxis.title.text == "effect [kg/m²]"
