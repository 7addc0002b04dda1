"""Waves: noisy sines to be foretold, one sine from its angle, and a sine drawn from its frequency.

What is random in the targets is their noise alone, so its variance is the floor of the mean
squared error: 0 where there is none.
"""

import numpy as np
from jaxtyping import Float

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Known, SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import NOISE_FLOOR, SEED, everywhere, made

NOISE = 0.1  # standard deviation
PERIODS = (8.0, 32.0)  # [steps], the shortest and the longest


def forecast(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """`config.window` values of a noisy sine, and the one `config.horizon` steps later."""
    n, window, horizon = config.sequences, config.window, config.horizon
    rng = np.random.default_rng(seed)
    frequency, phase = _drawn(rng, n)
    steps = np.append(np.arange(window), window - 1 + horizon)
    values = np.sin(2 * np.pi * (frequency[:, None] * steps + phase[:, None]))
    noise = rng.normal(0, NOISE, values.shape)
    values = (values + noise).astype(np.float32)
    later = "1 step" if horizon == 1 else f"{horizon} steps"
    return made(
        title="Noisy sines to be foretold",
        inputs=values[:, :window, None],
        targets=values[:, window:],
        task=Task.REGRESSION,
        whose="waves",
        features=(Variable("value"),),
        outputs=(Variable(f"value {later} later"),),
        persistence=values[:, window - 1 : window],
        known=(_floor(noise[:, -1]),),
        notes=(
            f"Each wave has a period of {PERIODS[0]:g} to {PERIODS[1]:g} steps, a phase of its "
            f"own, and noise with a standard deviation of {NOISE:g} on every value.",
            f"The noise of the value that is foretold cannot be known: its variance, {NOISE**2:g}, "
            "is the least mean squared error that can be expected.",
        ),
    )


def one_value(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """A single step: an angle, and its sine with noise."""
    n, rng = config.sequences, np.random.default_rng(seed)
    angles = rng.uniform(-np.pi, np.pi, n).astype(np.float32)
    noise = rng.normal(0, NOISE, n)
    values = (np.sin(angles) + noise).astype(np.float32)
    return made(
        title="An angle and its sine",
        inputs=angles[:, None, None],
        targets=values[:, None],
        task=Task.REGRESSION,
        whose="angles",
        features=(Variable("angle", "rad"),),
        outputs=(Variable("sine with noise"),),
        known=(_floor(noise),),
        notes=(
            "One step only: nothing comes before it, so the recurrent weights have nothing to do, "
            "and the network is one with a hidden layer, as there is no time.",
            f"The noise has a variance of {NOISE**2:g}, the least mean squared error that can be "
            "expected. A straight line (ridge) cannot follow a sine.",
        ),
    )


def drawing(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """The first step gives frequency and phase, and all steps' values of the wave are asked for."""
    n, steps = config.sequences, config.window
    frequency, phase = _drawn(np.random.default_rng(seed), n)
    inputs = np.zeros((n, steps, 3), dtype=np.float32)
    turn = 2 * np.pi * phase
    inputs[:, 0] = np.stack((frequency, np.sin(turn), np.cos(turn)), axis=1)
    values = np.sin(2 * np.pi * (frequency[:, None] * np.arange(steps) + phase[:, None]))
    return made(
        title="A wave drawn from its frequency and phase",
        inputs=inputs,
        targets=values[:, :, None].astype(np.float32),
        given=1,
        standardise=True,
        task=Task.TRACKING,
        whose="waves",
        features=(
            Variable("frequency", "cycles per step"),
            Variable("sine of the phase"),
            Variable("cosine of the phase"),
        ),
        outputs=(Variable("wave"),),
        known=(everywhere(NOISE_FLOOR, n, 0.0, metric="mse", floor=True),),
        notes=(
            "The first step gives a frequency and a phase. After it the inputs are zeros: the "
            f"network itself has to draw {steps} values of the wave.",
            f"Periods are {PERIODS[0]:g} to {PERIODS[1]:g} steps. Nothing is random after the "
            "first step, so the error can be 0.",
        ),
    )


def _floor(noise: Float[np.ndarray, " N"]) -> Known:
    """The noise's variance, and what it came to on each row."""
    expected = np.full(len(noise), NOISE**2)
    return Known(name=NOISE_FLOOR, metric="mse", expected=expected, realised=noise**2, floor=True)


def _drawn(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [cycles per step] and phases [cycles]."""
    return rng.uniform(1 / PERIODS[1], 1 / PERIODS[0], n), rng.random(n)
