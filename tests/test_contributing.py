"""What a token did for another's log-probability: autograd's slope, and removal by brute force."""

import numpy as np
import pytest
import torch
from speaking_samples import V, language_model, recorded, sequence, speaker

from rnnviz.cells import CELLS
from rnnviz.config import ATTENTIONS
from rnnviz.inside.contributing import (
    Asked,
    gradient_times_input,
    rivals,
    with_others,
    without_each,
)
from rnnviz.inside.network import Network
from rnnviz.inside.speaking import Speaker
from rnnviz.model import Batch

TOKENS = np.random.default_rng(3).integers(V, size=8)
EVERY_KIND = pytest.mark.parametrize(
    ("cell", "layers", "attention"),
    [
        *((cell, 2, "none") for cell in CELLS),
        *(("lstm", 1, attention) for attention in ATTENTIONS),
        ("gru-before", 3, "additive"),
    ],
)


@EVERY_KIND
def test_gradient_times_input_is_that_of_autograd(cell, layers, attention):
    model = language_model(cell, layers=layers, attention=attention)
    network = Network.of(recorded(model))
    one_hot = torch.nn.functional.one_hot(torch.tensor(TOKENS), V).double()[:, None]
    one_hot.requires_grad_()
    blank = torch.zeros(1, 0).double()
    outputs = model(Batch(one_hot, None, blank, torch.zeros(1, len(TOKENS)).long())).outputs
    for target in (0, 4):
        (slope,) = torch.autograd.grad(
            outputs[0, -1].log_softmax(0)[target], one_hot, retain_graph=True
        )
        theirs = (slope * one_hot).sum(dim=2)[:, 0].detach().numpy()
        found = gradient_times_input(network, Asked(TOKENS, target))
        np.testing.assert_allclose(found, theirs, atol=1e-9)
        assert np.abs(found).max() > 1e-3


def log_p(network, asked):
    return np.log(network.run(asked).outputs[-1])


@EVERY_KIND
@pytest.mark.parametrize("first", [0, 5])
def test_occlusion_is_what_running_again_gives(cell, layers, attention, first):
    one = speaker(cell, layers=layers, attention=attention)
    asked, steps = Asked(TOKENS, 2), range(first, len(TOKENS))
    whole = log_p(one.network, sequence(TOKENS))[2]
    blank = [log_p(one.network, sequence(TOKENS, blank=[s]))[2] for s in steps]
    np.testing.assert_allclose(without_each(one, asked, first), whole - np.array(blank), atol=1e-9)
    others = rivals(one, TOKENS)[first:]
    replaced = []
    for s, other in zip(steps, others, strict=True):
        changed = TOKENS.copy()
        changed[s] = other
        replaced.append(log_p(one.network, sequence(changed))[2])
    found = with_others(one, asked, others, first)
    np.testing.assert_allclose(found, whole - np.array(replaced), atol=1e-9)


def test_a_rival_is_the_likeliest_token_that_was_not_read():
    one = speaker()
    whole = one.network.run(sequence(TOKENS)).outputs
    found = rivals(one, TOKENS)
    assert found[0] == (TOKENS[0] + 1) % V
    for place in range(1, len(TOKENS)):
        order = np.argsort(-whole[place - 1])
        assert found[place] == order[order != TOKENS[place]][0]


def test_both_agree_where_a_network_is_nearly_linear():
    """Of small weights the slope is the difference."""
    one = Speaker.of(Network.of(recorded(language_model("rnn", gain=0.05))))
    asked = Asked(TOKENS, 1)
    slope, removed = gradient_times_input(one.network, asked), without_each(one, asked)
    np.testing.assert_allclose(slope, removed, atol=1e-2 * np.abs(removed).max())
