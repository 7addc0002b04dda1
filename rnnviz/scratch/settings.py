"""The two networks from scratch as settings of a run. No torch, nothing that costs time to load."""

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig

BACKPROP_NAMES = ("corrected", "published")  # the networks of a run, in this order
TITLE = "From scratch"  # of the runs
PROGRAMS = {TITLE: "rnnviz.scratch.run:fit_stored"}

HIDDEN, MOST_HIDDEN = 64, 128
EPOCHS, MOST_EPOCHS = 400, 1000
RATE = 2e-2
MOST_KEPT = 50  # epochs whose weights a run keeps, beside those before training


def settings(*, seed: int = 0, hidden: int = HIDDEN, epochs: int = EPOCHS) -> RunConfig:
    """Those of the article, but for what can be chosen."""
    return RunConfig(
        data=DataConfig(source="phrases", tokens="words"),
        model=ModelConfig(cell="rnn", hidden_size=hidden, attention="none"),
        training=TrainingConfig(
            optimiser="sgd",
            learning_rate=RATE,
            batch_size=1,
            epochs=epochs,
            clip_norm=0.0,  # by value instead: rnnviz.scratch.lockstep.CLIP
            seed=seed,
        ),
    )


def stride(epochs: int) -> int:
    """Weights are kept after every so many epochs."""
    return -(-epochs // MOST_KEPT)
