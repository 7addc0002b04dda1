"""Which hours of a day moved a prediction: integrated gradients, checked by occlusion. Torch."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnnviz.batches import Prepared
from rnnviz.model import Batch, SequenceModel
from rnnviz.study.attributed import HOURS, PERSON, Attributed

STEPS = 50  # of the integral, by Gauss and Legendre
AT_ONCE = 256  # sequences
MOST = 60  # people


def chosen_rows(prepared: Prepared) -> Int[np.ndarray, " M"]:
    """The first test row of each person; of many people some, spread evenly over the target."""
    test, ids = prepared.split.test, prepared.dataset.ids
    firsts = {ids[row]: row for row in reversed(test)}
    rows = np.array(sorted(firsts.values()), dtype=np.int64)
    if len(rows) <= MOST:
        return rows
    rows = rows[np.argsort(prepared.dataset.targets[rows, 0], kind="stable")]
    return np.sort(rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)])


class _Point(NamedTuple):
    """What the network reads, batch first."""

    inputs: Float[Tensor, "B T F"]
    covariates: Float[Tensor, "B C"]


def attribute(
    model: SequenceModel, prepared: Prepared, rows: Int[np.ndarray, " M"]
) -> tuple[Attributed, ...]:
    """Each row's hours and covariates, against the mean day of the training part."""
    batch = prepared.batch(rows)
    here, mean = _Point(batch.inputs.transpose(0, 1), batch.covariates), _mean_day(prepared)
    by_step, by_covariate, errors = _integrated(model, here, mean)
    with torch.no_grad():
        said, reference = _predict(model, *here), _predict(model, *mean)
        without = _occluded(model, here, mean)
        attended = model(batch).attended
    looked = torch.zeros(by_step.shape) if attended is None else attended.weights[:, 0]
    unit, zero = float(prepared.target_scaler.sd[0]), float(prepared.target_scaler.mean[0])
    hours, attention, occluded = _by_hour(by_step), _by_hour(looked), said[:, None] - without
    names = [name for name, _ in prepared.dataset.covariate_names] if model.covariates else []
    return tuple(
        Attributed(
            about=f"{PERSON}{prepared.dataset.ids[row]}",
            people=1,
            true=float(prepared.dataset.targets[row, 0]),
            predicted=said[k].item() * unit + zero,
            reference=reference.item() * unit + zero,
            error=abs(errors[k].item()) * unit,
            hours=hours[k].double().numpy() * unit,
            occluded=occluded[k].double().numpy() * unit,
            attention=attention[k].double().numpy(),
            covariates={
                name: by_covariate[k, place].item() * unit for place, name in enumerate(names)
            },
        )
        for k, row in enumerate(rows)
    )


def _predict(model: SequenceModel, inputs: Tensor, covariates: Tensor) -> Float[Tensor, " B"]:
    targets = inputs[:, 0, :1]  # of no concern here, but a batch has them
    return model(Batch(inputs.transpose(0, 1), None, covariates, targets)).outputs[:, 0, 0]


def _integrated(
    model: SequenceModel, here: _Point, mean: _Point
) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B C"], Float[Tensor, " B"]]:
    """Shares of steps and of covariates, and by how much they fail to add up.

    The integral of the gradient along the straight line from the mean day to the row's, times the
    difference of both (Sundararajan et al. 2017); captum's implementation.
    """
    from captum.attr import IntegratedGradients  # takes a second: not where nothing is attributed

    read = 2 if model.covariates else 1  # no gradient goes to what is not read

    def predict(inputs: Tensor, *covariates: Tensor) -> Float[Tensor, " B"]:
        return _predict(model, inputs, covariates[0] if covariates else inputs[:, 0, :0])

    shares, errors = IntegratedGradients(predict).attribute(
        tuple(here[:read]),
        baselines=tuple(mean[:read]),
        n_steps=STEPS,
        internal_batch_size=AT_ONCE,
        return_convergence_delta=True,
    )
    of_covariates = shares[1].detach() if read == 2 else here.covariates[:, :0]
    return shares[0].detach().sum(dim=2), of_covariates, errors


def _by_hour(values: Float[Tensor, "B T"]) -> Float[Tensor, "B 24"]:
    return values.reshape(len(values), HOURS, -1).sum(dim=2)


def _mean_day(prepared: Prepared) -> _Point:
    """The training part's mean at each step, and its mean covariates, as the network reads them."""
    train = prepared.split.train
    inputs = torch.from_numpy(prepared.inputs(train)).mean(dim=0)
    return _Point(inputs[None], prepared.covariates[torch.from_numpy(train)].mean(dim=0)[None])


def _occluded(model: SequenceModel, here: _Point, mean: _Point) -> Float[Tensor, "B 24"]:
    """What is predicted where one hour of the day is that of the mean day."""
    per_hour = here.inputs.shape[1] // HOURS
    said = []
    for hour in range(HOURS):
        inputs = here.inputs.clone()
        steps = slice(hour * per_hour, (hour + 1) * per_hour)
        inputs[:, steps] = mean.inputs[:, steps]
        said.append(_predict(model, inputs, here.covariates))
    return torch.stack(said, dim=1)
