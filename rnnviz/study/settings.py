"""Both studies as settings of a run. No torch."""

from dataclasses import replace

from rnnviz.config import DataConfig, ModelConfig, RunConfig, StudyConfig, TrainingConfig
from rnnviz.study.written import BATCH_SIZE, EPOCHS, LEARNING_RATE, SEED, UNITS

MOST_EPOCHS, PATIENCE = 40, 8  # of the corrected study's LSTM
AS_WRITTEN, CORRECTED = "NHANES study, as written", "NHANES study, corrected"  # titles of the runs
PROGRAMS = {
    AS_WRITTEN: "rnnviz.study.as_written:fit_stored",
    CORRECTED: "rnnviz.study.corrected:fit_stored",
}


def as_written_on(data: DataConfig, epochs: int = EPOCHS) -> RunConfig:
    """The script's settings; its epochs may be others."""
    return RunConfig(
        data=data,
        model=ModelConfig(cell="lstm-relu", hidden_size=UNITS, attention="none"),
        training=TrainingConfig(
            optimiser="adam",
            learning_rate=LEARNING_RATE,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            clip_norm=0.0,
            seed=SEED,
        ),
    )


def corrected_on(
    data: DataConfig, epochs: int = MOST_EPOCHS, splits: int = StudyConfig().splits
) -> RunConfig:
    """The whole day in 144 steps, covariates joined after the LSTM, stopped by validation.

    Args:
        epochs: of each training, at most.
        splits: by person.

    With attention, because the last state alone has forgotten most of the day: without it,
    attribution finds next to nothing before the last hour.
    """
    return RunConfig(
        data=replace(data, blocks="144x1", scale="log1p+standard"),
        model=ModelConfig(cell="lstm", hidden_size=32, attention="additive", covariates=True),
        training=TrainingConfig(epochs=epochs, patience=PATIENCE, seed=SEED),
        study=StudyConfig(splits=splits),
    )
