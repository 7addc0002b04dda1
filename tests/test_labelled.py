"""Texts with labels become padded tokens with a class, and padding changes nothing."""

import numpy as np
import pandas as pd
import pytest
import torch

from rnnviz.batches import prepare
from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import SequenceDataset, Task, split_of
from rnnviz.data.labelled import find_labelled, sequences
from rnnviz.data.text import tokens_of
from rnnviz.errors import DataError
from rnnviz.evaluate import baselines
from rnnviz.model import SequenceModel
from rnnviz.record import record
from rnnviz.train import fit

WORDS = DataConfig(source="file", tokens="words", window=8)


def films(rows: int = 60) -> pd.DataFrame:
    """The label is the one word that tells; where it stands differs."""
    rng = np.random.default_rng(1)
    filler = np.array(["the", "film", "was", "long", "tonight"])
    labels = rng.integers(0, 2, rows)
    texts = []
    for k, label in enumerate(labels):
        told = [*rng.choice(filler, rng.integers(4, 7)), f"n{k}"]
        told.insert(rng.integers(0, 4), ("Bad", "Good")[label])
        texts.append(" ".join(told))
    return pd.DataFrame({"sentence": texts, "label": labels})


def found(frame: pd.DataFrame, config: DataConfig = WORDS) -> SequenceDataset:
    labelled = find_labelled(frame, config, "films.tsv")
    assert labelled is not None
    return sequences(labelled, config)


# --- tables ---------------------------------------------------------------------------------------


def test_texts_and_labels_are_recognised() -> None:
    frame = films()
    labelled = find_labelled(frame, DataConfig(), "films.tsv")
    assert labelled is not None
    ones = int(frame.label.sum())
    assert labelled.summary == f"60 texts in sentence, label label ({60 - ones} 0, {ones} 1)"
    assert (labelled.text, labelled.target, labelled.classes) == ("sentence", "label", ("0", "1"))
    np.testing.assert_array_equal(labelled.labels, frame.label)


def test_the_column_named_like_a_label_is_taken_and_another_can_be_chosen() -> None:
    frame = films().assign(fold=np.arange(60) % 3, Sentiment=["a", "b"] * 30).drop(columns="label")
    labelled = find_labelled(frame, DataConfig(), "t")
    assert labelled is not None
    assert (labelled.target, labelled.targets) == ("Sentiment", ("fold", "Sentiment"))
    other = find_labelled(frame, DataConfig(target="fold"), "t")
    assert other is not None
    assert other.classes == ("0", "1", "2")
    with pytest.raises(DataError, match="sentence cannot be the label: choose one of fold, Sent"):
        find_labelled(frame, DataConfig(target="sentence"), "t")


@pytest.mark.parametrize(
    "frame",
    [
        films().drop(columns="label"),
        films().assign(label=np.arange(60)),
        films().assign(label=1),
        films().assign(label=np.arange(60) % 3 / 2),
        films().assign(sentence=["yes", "no"] * 30),
        films().assign(
            sentence=[f"2001-01-01 00:00:{k:02d}.000 +01:00" for k in range(60)],
        ),
        films().head(19),
        films().assign(**{f"H{k}": 1.0 for k in range(24)}),
    ],
    ids=["no label", "all different", "one label", "no classes", "words", "dates", "short", "wide"],
)
def test_other_tables_are_not_taken_for_texts(frame: pd.DataFrame) -> None:
    assert find_labelled(frame, DataConfig(), "t") is None


def test_short_texts_are_taken_where_the_table_is_called_one_of_texts() -> None:
    frame = films().assign(sentence=[f"w{k}" for k in range(60)])
    assert find_labelled(frame, DataConfig(), "t") is None
    assert find_labelled(frame, DataConfig(layout="labelled"), "t") is not None


def test_rows_without_text_or_label_are_left_out_and_counted() -> None:
    frame = films().astype({"label": "object"})
    frame.loc[3, "sentence"] = None
    frame.loc[4, "sentence"] = "  "
    frame.loc[5, "label"] = None
    labelled = find_labelled(frame.astype({"label": "Int64"}), DataConfig(), "t")
    assert labelled is not None
    assert (labelled.rows, labelled.missing) == (57, 3)
    assert labelled.notes == ("3 rows without sentence or label left out.",)


# --- sequences ------------------------------------------------------------------------------------


def test_tokens_spell_the_text_up_to_its_length_and_zeros_follow() -> None:
    frame = films()
    dataset = found(frame)
    assert dataset.task is Task.CLASSIFICATION
    assert dataset.output_size == 2
    for row, text in enumerate(frame.sentence):
        assert " ".join(tokens_of(dataset, row)) == " ".join(text.lower().split()[:8])
        assert not dataset.inputs[row, dataset.lengths[row] :].any()
    assert len(set(dataset.lengths.tolist())) > 1


@pytest.mark.parametrize("tokens", ["characters", "words"])
def test_what_is_cut_and_capped_is_said(tokens: str) -> None:
    frame = pd.DataFrame(
        {"t": [f"{'w' * 30} " * 5 + f"x{k}" for k in range(3000)], "y": [0, 1] * 1500}
    )
    dataset = found(frame, DataConfig(source="file", tokens=tokens, window=8))
    vocabulary = "The vocabulary is that of all texts, those of the test part too"
    assert any(note.startswith(vocabulary) for note in dataset.notes)
    assert len(dataset.vocabulary) <= 2000
    cut = any(
        note == "Of 3,000 longer texts the first 8 characters are read." for note in dataset.notes
    )
    assert cut == (tokens == "characters")
    assert any("rarest of 3,001 different words" in n for n in dataset.notes) == (tokens == "words")


def test_texts_that_are_alike_fall_into_one_part() -> None:
    frame = pd.concat([films(), films()], ignore_index=True)
    dataset = found(frame)
    split = split_of(dataset, seed=0)
    for rows in (split.train, split.validation, split.test):
        assert {row % 60 for row in rows} == {row % 60 for row in rows if row < 60}
        assert len(rows) % 2 == 0
    assert any(note.startswith("60 texts repeat an earlier one") for note in dataset.notes)


# --- learning -------------------------------------------------------------------------------------


def test_padding_changes_neither_outputs_nor_loss_nor_gradients() -> None:
    dataset = found(films())
    prepared = prepare(dataset, seed=0)
    config = ModelConfig(hidden_size=5, bidirectional=True, attention="additive")
    model = SequenceModel(
        config, inputs=dataset.input_size, outputs=2, covariates=0, task=dataset.task
    )
    rows = np.arange(6)
    together = record(model, prepared.batch(rows), rows)
    for b in rows:
        n = int(dataset.lengths[b])
        batch = prepared.batch(np.array([b]))
        alone = record(model, batch._replace(inputs=batch.inputs[:n], lengths=None), np.array([b]))
        np.testing.assert_allclose(together.outputs[b], alone.outputs[0], atol=1e-6)
        np.testing.assert_allclose(together.loss[b], alone.loss[0], atol=1e-6)
        np.testing.assert_allclose(together.attention[b, :, :n], alone.attention[0], atol=1e-6)
        for padded, whole in zip(together.layers, alone.layers, strict=True):
            np.testing.assert_allclose(padded.state_grads[b, :n], whole.state_grads[0], atol=1e-6)


def test_the_bag_of_words_finds_the_word_that_tells_and_class_shares_do_not() -> None:
    scores = {
        (s.predictor, s.part): s.metrics for s in baselines(prepare(found(films(200)), seed=0))
    }
    assert {name for name, _ in scores} == {"class shares", "bag of words"}
    assert scores["bag of words", "test"]["accuracy"] == 1
    assert scores["class shares", "test"]["loss"] == pytest.approx(np.log(2), abs=0.05)


def test_a_network_learns_the_word_that_tells() -> None:
    torch.manual_seed(0)
    config = RunConfig(
        data=WORDS,
        model=ModelConfig(hidden_size=8, attention="dot"),
        training=TrainingConfig(epochs=12, batch_size=16, learning_rate=0.02),
    )
    *_, finished = fit(config, found(films(200)))
    (test,) = [score for score in finished.scorecard if score.part == "test"]
    assert test.metrics["accuracy"] > 0.95
