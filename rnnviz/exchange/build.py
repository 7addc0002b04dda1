"""Between a Stored and a living SequenceModel. Torch; no files."""

import io
from typing import Any

import numpy as np
import torch

from rnnviz import __version__
from rnnviz.batches import Prepared, prepare
from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import RunError
from rnnviz.exchange.stored import Meaning, Stored
from rnnviz.model import SequenceModel

ORIGIN = f"rnnviz {__version__}"


def model_of(stored: Stored) -> SequenceModel:
    """The model, ready to predict, to be traced, or to be trained on."""
    model = SequenceModel(
        stored.config,
        inputs=stored.inputs,
        outputs=stored.outputs,
        covariates=stored.covariates,
        task=stored.task,
        sizes=stored.sizes,
        dense=stored.dense,
    )
    # a copy: the arrays of a file are read-only
    model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in stored.weights.items()})
    return model


def stored_of(
    model: SequenceModel,
    *,
    meaning: Meaning | None = None,
    origin: str = ORIGIN,
    notes: tuple[str, ...] = (),
) -> Stored:
    """What is kept of a model.

    Raises:
        DataError: a weight is not finite.
    """
    return Stored(
        config=model.config,
        task=model.task,
        inputs=model.input_size,
        outputs=model.head.out_features,
        covariates=model.covariates,
        sizes=model.sizes,
        dense=model.dense_layers,
        weights={k: v.detach().numpy().copy() for k, v in model.state_dict().items()},
        meaning=meaning or Meaning(),
        origin=origin,
        notes=notes,
    )


def meaning_of(prepared: Prepared, *, covariates: bool, scale: str = "raw") -> Meaning:
    """What a model that learns from these data reads and gives.

    Args:
        covariates: whether it reads them.
        scale: what was done to the values before they became the data set; key of SCALES.
    """
    dataset = prepared.dataset
    regression = dataset.task.numeric
    return Meaning(
        features=dataset.features,
        outputs=dataset.outputs,
        covariates=dataset.covariate_names if covariates else (),
        classes=dataset.classes,
        vocabulary=dataset.vocabulary,
        scale=scale,
        input_scaler=None if dataset.vocabulary else prepared.input_scaler,
        covariate_scaler=prepared.covariate_scaler if covariates else None,
        target_scaler=prepared.target_scaler if regression else None,
    )


def stored_of_run(config: RunConfig, dataset: SequenceDataset, checkpoint: bytes) -> Stored:
    """The model of a run as it was last saved (Checkpointed.state).

    Raises:
        RunError: the checkpoint cannot be read.
        DataError: a weight is not finite.
    """
    prepared = prepare(dataset, config.training.seed)
    model = SequenceModel(
        config.model,
        inputs=dataset.input_size,
        outputs=dataset.output_size,
        covariates=dataset.covariates.shape[1],
        task=dataset.task,
    )
    try:
        held: Any = torch.load(io.BytesIO(checkpoint), weights_only=True)
        model.load_state_dict(held["model"])
    except Exception as wrong:
        raise RunError(
            f"the checkpoint cannot be read ({type(wrong).__name__}); start the run again"
        ) from wrong
    meaning = meaning_of(prepared, covariates=config.model.covariates, scale=config.data.scale)
    return stored_of(model, meaning=meaning)
