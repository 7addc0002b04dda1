"""Pictures of single sequences and of the five mappings hold the data and nothing else."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from training_samples import make_dataset

from rnnviz.config import DataConfig
from rnnviz.data.dataset import MappingType, Task, split_of
from rnnviz.data.worlds import WORLDS, adding, echo, waves
from rnnviz.errors import DataError
from rnnviz.figures.data import target_histogram
from rnnviz.figures.mappings import WIRINGS, wiring
from rnnviz.figures.sequence import drawn_by_step, points, sequence


def config(**settings: object) -> DataConfig:
    return DataConfig(source="world", sequences=60, window=9, **settings)


def test_inputs_are_drawn_at_the_steps_that_are_given() -> None:
    dataset = waves.drawing(config())
    *read, asked = sequence(dataset, 3).data
    for k, line in enumerate(read):
        np.testing.assert_array_equal(line.y, dataset.inputs[3, :1, k])
    np.testing.assert_array_equal(asked.y, dataset.targets[3, :, 0])
    assert read[0].name == "read: frequency [cycles per step]"


def test_targets_are_drawn_at_the_steps_that_count() -> None:
    dataset = echo.load(config(delay=3))
    figure = sequence(dataset, 5, step=4)
    (asked,) = figure.data
    np.testing.assert_array_equal(asked.x, np.arange(4, 10))
    np.testing.assert_array_equal(asked.y, dataset.targets[5, 3:])
    assert list(figure.layout.yaxis.ticktext) == ["0", "1"]
    assert list(figure.layout.xaxis.ticktext) == [str(bit) for bit in dataset.inputs[5]]
    assert figure.layout.shapes[0].x0 == 5


def test_a_single_target_stands_at_the_end() -> None:
    dataset = adding.load(config())
    number, mark, asked = sequence(dataset, 0).data
    np.testing.assert_array_equal(number.y, dataset.inputs[0, :, 0])
    np.testing.assert_array_equal(mark.y, dataset.inputs[0, :, 1])
    assert (list(asked.x), list(asked.y)) == ([9], [dataset.targets[0, 0]])
    with pytest.raises(DataError, match="there is no row 61"):
        sequence(dataset, 60)


def test_too_many_inputs_have_no_lines() -> None:
    dataset = adding.load(config())
    wide = dataclasses.replace(
        dataset, inputs=np.zeros((60, 9, 5), np.float32), features=dataset.features[:1] * 5
    )
    with pytest.raises(DataError, match="5 inputs are too many"):
        sequence(wide, 0)
    assert not drawn_by_step(wide)
    assert not drawn_by_step(make_dataset())


def test_one_to_one_is_drawn_as_points_of_the_three_parts() -> None:
    dataset = waves.one_value(config())
    split = split_of(dataset, 0)
    for line, rows in zip(
        points(dataset, split).data, (split.train, split.validation, split.test), strict=True
    ):
        np.testing.assert_array_equal(line.x, dataset.inputs[rows, 0, 0])
        np.testing.assert_array_equal(line.y, dataset.targets[rows, 0])
    with pytest.raises(DataError, match="only one input and one number"):
        points(make_dataset(), split)


@pytest.mark.parametrize("task", [Task.TAGGING, Task.TRACKING])
def test_shares_of_targets_count_the_steps_that_count(task: Task) -> None:
    dataset = make_dataset(task)
    figure = target_histogram(dataset, split_of(dataset, 0))
    assert figure.layout.yaxis.title.text == "share of steps"
    for line in figure.data:
        assert sum(line.y) == pytest.approx(1)


@pytest.mark.parametrize("mapping", MappingType)
@pytest.mark.parametrize("dark", [False, True])
def test_the_small_drawing_has_a_box_for_all_that_is_read_kept_and_said(
    mapping: MappingType, dark: bool
) -> None:
    drawn = ET.fromstring(wiring(mapping, dark=dark))
    steps, read, said = WIRINGS[mapping]
    boxes = drawn.findall("{*}rect")
    assert len(boxes) == steps + len(read) + len(said)
    assert len(drawn.findall("{*}line")) == len(read) + len(said) + steps - 1
    assert len({box.get("fill") for box in boxes}) == 3


def test_worlds_and_drawings_agree_on_what_is_read_and_said() -> None:
    for world in WORLDS.values():
        dataset = world.make(config(delay=8))
        steps, read, said = WIRINGS[dataset.mapping]
        assert (steps == 1) == (dataset.steps == 1)
        assert (len(read) == 1) == (int(dataset.read.max()) == 1)
        assert (len(said) > 1) == dataset.task.every_step
