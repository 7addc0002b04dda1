"""What training, traces and pictures cost, as ratios within one run; the browser is app.py's part.

A and B take turns in one process, so that whatever else the machine does meanwhile slows both; the
median over the pairs is what counts. What is timed has a process of its own, with one thread, as a
trainer of the app has.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear, mse_loss

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.errors import RunError
from rnnviz.events import BatchEnded, Failed, Finished
from rnnviz.figures import VIEWS, Look
from rnnviz.figures.values import names_of
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record
from rnnviz.runs.local import ONE_THREAD
from rnnviz.runs.log import Reading
from rnnviz.runs.pump import pump
from rnnviz.runs.run import Run
from rnnviz.trace import LayerTrace, Trace
from rnnviz.train import Stream, fit
from rnnviz.ui.components.plot import message

PACKAGES = Path(__file__).resolve().parents[2]
HIDDEN, BATCH, CLIP = 64, 32, 1.0
MINUTES = 1440  # steps of the longest sequence
TURN = 900  # time steps that one turn of training reads at least, in whole batches
TURNS = 25  # of a trace and its rival


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; the texts are Markdown."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None  # None: no target, or not measured

    def __str__(self) -> str:
        """The line."""
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        return f"| {self.name} | {self.value} | {self.target} | {met} |"


class Pairs(NamedTuple):
    """Seconds of what took turns: ours[k] and rival[k] were measured one after the other."""

    ours: list[float]
    rival: list[float]

    def row(self, name: str, least: float, what: str) -> Row:
        """The median ratio and the middle half of the pairs; met is judged by the median."""
        low, middle, high = np.quantile(np.divide(self.rival, self.ours), [0.25, 0.5, 0.75])
        spread = f"half of {len(self.ours)} pairs {low:.2f} to {high:.2f}"
        return Row(
            name=name,
            value=f"{middle:.2f} times as fast ({spread}); {what}",
            target=f"at least {least:g}",
            met=bool(middle >= least),
        )


# -- fit beside a bare loop ------------------------------------------------------------------------


class Plain(nn.Module):
    """What one writes by hand: a batch first LSTM, and a linear head on its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        """From [B T 1] to [B 1]."""
        return self.head(self.lstm(x)[0][:, -1])


def plain_loop(inputs: Tensor, targets: Tensor, rate: float) -> Iterator[float]:
    """The bare loop over shuffled batches, without end: each batch's loss."""
    model = Plain()
    weights = list(model.parameters())
    optimiser = torch.optim.Adam(weights, lr=rate)
    while True:
        for rows in torch.randperm(len(inputs)).split(BATCH):
            loss = mse_loss(model(inputs[rows]), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, CLIP)
            optimiser.step()
            yield loss.item()


def noise(people: int, steps: int) -> SequenceDataset:
    """White noise, and its mean over time as the target."""
    inputs = np.random.default_rng(0).normal(size=(people, steps, 1)).astype(np.float32)
    return SequenceDataset(
        name="noise",
        inputs=inputs,
        targets=inputs.mean(axis=1) * steps**0.5,
        lengths=np.full(people, steps),
        times=np.arange(steps, dtype=np.float64),
        time_unit="step",
        features=(Variable("x"),),
        outputs=(Variable("y"),),
        ids=tuple(f"p{k}" for k in range(people)),
        covariates=np.zeros((people, 0), np.float32),
        groups={},
        task=Task.REGRESSION,
        source=Source(title="noise"),
    )


def fit_in_turns(config: RunConfig, home: Path, state: bytes | None) -> Stream:
    """A run's program: fit, with a turn of the bare loop after every few batches.

    What the pump does with an event is counted as fit's; what fit does between two epochs is not.
    """
    steps = int(config.data.blocks.partition("x")[0])
    dataset = noise(config.data.people, steps)
    rows = slice(round(0.64 * config.data.people))  # as many as fit trains on
    inputs = torch.from_numpy(dataset.inputs[rows].copy())
    targets = torch.from_numpy(dataset.targets[rows].copy())
    plain = plain_loop(inputs, targets, config.training.learning_rate)
    yield from beside(fit(config, dataset, state), plain, max(1, TURN // steps), home)


def beside(stream: Stream, plain: Iterator[float], turn: int, home: Path) -> Stream:
    """A training's events, with as many steps of a bare loop after every `turn` batches.

    Writes the seconds of both to home/pairs.json.
    """
    next(plain)  # the first step of either is not counted
    pairs = Pairs([], [])
    event, began, batches = next(stream), 0.0, -1
    while not isinstance(event, Finished | Failed):
        wishes = yield event
        now = time.perf_counter()
        batches = batches + 1 if isinstance(event, BatchEnded) else -1
        if batches == turn:
            pairs.ours.append(now - began)
            for _ in range(turn):
                next(plain)
            pairs.rival.append(time.perf_counter() - now)
        if batches in (0, turn):
            began, batches = time.perf_counter(), 0
        event = stream.send(wishes)
    (home / "pairs.json").write_text(json.dumps(pairs))
    yield event


def pairs_of(config: RunConfig, program: str) -> Pairs:
    """What a program that takes turns has measured in a run of the app's.

    Raises:
        RunError: the run broke off.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run = Run.create(home, config, owner="bench", now=time.time(), program=program)
        outcome = pump(run, clock=time.time, lease=3600.0)
        if outcome.kind != "finished":
            raise RunError(
                f"the run to be measured broke off: {run.follow(Reading()).view.message}"
            )
        return Pairs(*json.loads((home / "pairs.json").read_text()))


def training(name: str, blocks: str, people: int, epochs: int, least: float) -> Row:
    """fit with its events taken as the app takes them, beside the bare loop."""
    config = RunConfig(
        data=DataConfig(people=people, blocks=blocks),
        model=ModelConfig(hidden_size=HIDDEN, attention="none"),
        training=TrainingConfig(epochs=epochs, batch_size=BATCH, clip_norm=CLIP),
    )
    pairs = pairs_of(config, f"{__name__}:fit_in_turns")
    rows = BATCH * max(1, TURN // int(blocks.partition("x")[0]))
    ours, rival = (rows / float(np.median(seconds)) for seconds in pairs)
    return pairs.row(name, least, f"{ours:,.0f} against {rival:,.0f} samples/s")


# -- a trace beside a step loop --------------------------------------------------------------------


class Steps(NamedTuple):
    """What a step loop keeps of one sequence."""

    gates: Tensor  # [T 1 G H]
    states: Tensor  # [T 1 S H]
    grads: Tensor | None  # [T 1 S H]


def step_loop(cell: nn.LSTMCell, head: nn.Linear, batch: Batch, *, gradients: bool) -> Steps:
    """All gates, states and gradients of an LSTM by a loop, as one writes it by hand.

    nn.LSTMCell does not say its gates, and to compute them beside it would cost the product with
    its weights twice; so the step is written out with the cell's weights, which is faster.
    """
    h = c = torch.zeros(1, HIDDEN)
    gates, states = [], []
    for x in batch.inputs.unbind(0):
        z = linear(x, cell.weight_ih, cell.bias_ih) + linear(h, cell.weight_hh, cell.bias_hh)
        i, f, g, o = z.chunk(4, dim=1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        if gradients:
            h.retain_grad()
            c.retain_grad()
        gates.append(torch.stack((i, f, g, o), dim=1).detach())
        states.append((h, c))
    grads = None
    if gradients:
        mse_loss(head(h), batch.targets).backward()
        grads = torch.stack([torch.stack([_grad(state) for state in pair], 1) for pair in states])
    kept = torch.stack([torch.stack(pair, 1) for pair in states]).detach()
    return Steps(torch.stack(gates), kept, grads)


def _grad(state: Tensor) -> Tensor:
    return torch.zeros_like(state) if state.grad is None else state.grad


def one_sequence() -> tuple[SequenceModel, nn.LSTMCell, nn.Linear, Batch]:
    """A network, the same weights as a cell and a head, and one sequence of 1440 minutes."""
    config = ModelConfig(hidden_size=HIDDEN, attention="none")
    task = Task.REGRESSION
    model = SequenceModel(config, inputs=1, outputs=1, covariates=0, task=task)
    weights = {name: values for name, values in model.state_dict().items() if "layers" in name}
    cell = nn.LSTMCell(1, HIDDEN)
    cell.load_state_dict({k.split(".")[-1].removesuffix("_l0"): v for k, v in weights.items()})
    inputs = torch.randn(MINUTES, 1, 1, generator=torch.Generator().manual_seed(0))
    return model, cell, model.head, Batch(inputs, None, torch.zeros(1, 0), torch.ones(1, 1))


def tracing(name: str, *, gradients: bool) -> Row:
    """record() of one sequence of 1440 x 1 beside a step loop that keeps the same."""
    model, cell, head, batch = one_sequence()

    def ours() -> None:
        record(model, batch, np.zeros(1, np.int64), gradients=gradients)

    def rival() -> None:
        with torch.set_grad_enabled(gradients):
            step_loop(cell, head, batch, gradients=gradients)

    pairs = in_turns(ours, rival)
    first, second = (1e3 * float(np.median(seconds)) for seconds in pairs)
    return pairs.row(name, 4, f"{first:.0f} against {second:.0f} ms")


def in_turns(ours: Callable[[], None], rival: Callable[[], None]) -> Pairs:
    """Seconds of both, after one turn that is not counted."""
    pairs = Pairs([], [])
    for turn in range(TURNS + 1):
        began = time.perf_counter()
        ours()
        between = time.perf_counter()
        rival()
        if turn:
            pairs.ours.append(between - began)
            pairs.rival.append(time.perf_counter() - between)
    return pairs


# -- a heat map on the wire ------------------------------------------------------------------------


def noisy_trace(steps: int, units: int) -> Trace:
    """A trace of an LSTM whose every number is noise: nothing in it can be left out."""
    rng = np.random.default_rng(0)

    def made(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, shape).astype(np.float32)

    layer = LayerTrace(
        cell="lstm",
        layer=0,
        reverse=False,
        gate_names=("i", "f", "g", "o"),
        state_names=("h", "c"),
        inputs=made(1, steps, 1),
        gates=np.abs(made(1, steps, 4, units)),
        preactivations=5 * made(1, steps, 4, units),
        states=made(1, steps, 2, units),
        state_grads=10 ** (4 * made(1, steps, 2, units) - 5),
        input_weights=made(4, units, 1),
        recurrent_weights=made(4, units, units),
        input_bias=made(4, units),
        recurrent_bias=made(4, units),
    )
    outputs = made(1, 1, 1)
    return Trace(
        epoch=0,
        step=0,
        sequences=np.zeros(1, np.int64),
        lengths=np.full(1, steps),
        inputs=layer.inputs,
        outputs=outputs,
        targets=outputs,
        loss=made(1),
        layers=(layer,),
        scores=None,
        attention=None,
    )


def heat_map(name: str) -> Row:
    """The longest message among the heat maps of all gates, states and gradients."""
    trace, most = noisy_trace(MINUTES, 256), 400_000
    sizes = {}
    for shown in names_of(trace.layers[0]):
        figure = VIEWS["gates"].draw(trace, Look(name=shown, step=0, marked_unit=0))
        sizes[shown] = len(message(figure, height=figure.layout.height or 400, clickable=True))
    largest = max(sizes, key=sizes.__getitem__)
    return Row(
        name=name,
        value=f"{sizes[largest] / 1e3:.0f} KB ({largest}, the largest of {len(sizes)})",
        target=f"less than {most / 1e3:.0f} KB",
        met=sizes[largest] < most,
    )


# -- the rows --------------------------------------------------------------------------------------

HEAT_MAP = "heat map of 1440 steps x 256 units, on the wire"
TIMED: Mapping[str, Callable[[str], Row]] = {
    "fit beside a bare torch loop, T = 144": lambda name: training(name, "144x1", 1000, 20, 0.95),
    "fit beside a bare torch loop, T = 1440": lambda name: training(name, "1440x1", 250, 8, 1.2),
    "trace of 1440 steps beside a step loop": lambda name: tracing(name, gradients=False),
    "trace with gradients beside a step loop": lambda name: tracing(name, gradients=True),
}


def alone(name: str, where: str = __name__) -> Row:
    """Measures one of a module's TIMED in a process of its own, with one thread."""
    code = f"from {where} import TIMED; from {__name__} import tell; tell(TIMED)"
    path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path}
    command = [sys.executable, "-P", "-c", code, name]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return Row(name=name, value=f"failed with status {done.returncode}; see above", met=False)
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def tell(timed: Mapping[str, Callable[[str], Row]]) -> None:
    """What that process does: measures what its argument names, and prints the row as JSON."""
    name = sys.argv[1]
    print(json.dumps(asdict(timed[name](name))))
