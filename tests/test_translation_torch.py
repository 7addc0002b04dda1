"""The NumPy network against the model that is trained."""

import numpy as np
import pytest
import torch
from test_translation_network import KINDS, padded
from translation_samples import SOURCES, TARGETS, config

from rnnviz.data.parallel.text import END
from rnnviz.translation.attribution import gradients
from rnnviz.translation.decoding import chances, write_many
from rnnviz.translation.model import Translator, losses_of, true_before
from rnnviz.translation.network import Network

WANTED = {**KINDS, "hard": ({"cell": "lstm-hard"}, {})}
WANTED["one network"] = ({"layers": 2}, {"shared_weights": True, "decoder_reads": "all"})
del WANTED["one network, one-hot"]  # which the model refuses


@pytest.fixture(params=WANTED.values(), ids=WANTED)
def both(request):
    settings = config(*request.param)
    model = Translator(
        settings.model, settings.translation, source_size=SOURCES, target_size=TARGETS, seed=3
    )
    arrays = {name: weights.detach().numpy() for name, weights in model.named_parameters()}
    return model, Network.of(arrays, settings, SOURCES)


def test_the_same_chances_and_the_same_attention(both):
    model, net = both
    tokens, lengths = padded()
    targets = np.array([[4, 5, END, 0], [6, END, 0, 0], [5, 5, 5, END]])
    encoded = net.encode(tokens, lengths)
    theirs = model.encode(torch.from_numpy(tokens.T), torch.from_numpy(lengths))
    np.testing.assert_allclose(encoded.annotations, theirs.annotations.detach().numpy(), atol=1e-6)
    wanted = torch.from_numpy(targets.T)
    done = model.decode(theirs, true_before(wanted))
    losses = losses_of(done.logits, wanted).detach().numpy().sum(axis=1)
    np.testing.assert_allclose(chances(net, encoded, targets), -losses, atol=3e-6)
    step = net.step(encoded, encoded.last, np.ones(3, dtype=int))
    np.testing.assert_allclose(step.logits, done.logits[:, 0].detach().numpy(), atol=1e-6)
    if done.attended is not None:
        ours = np.nan_to_num(step.scores, neginf=-99.0)
        said = np.nan_to_num(done.attended.scores[:, 0].detach().numpy(), neginf=-99.0)
        np.testing.assert_allclose(ours, said, atol=1e-6)
        np.testing.assert_allclose(
            step.weights, done.attended.weights[:, 0].detach().numpy(), atol=1e-6
        )


def test_the_same_greedy_output(both):
    model, net = both
    tokens, lengths = padded()
    theirs = model.greedy(model.encode(torch.from_numpy(tokens.T), torch.from_numpy(lengths)), 7)
    ours = write_many(net, net.encode(tokens, lengths), longest=7)
    np.testing.assert_array_equal(ours, theirs.numpy().T)


def test_the_same_gradients_by_autograd(both):
    model, net = both
    if not model.config.embedding:
        return  # a one-hot has no vector that torch could differentiate by
    model = model.double()
    source, written = np.array([4, 5, 8, 3, 6]), (5, 4, END)
    found = gradients(net, source, written)
    kept = []
    model.source_embedding.register_forward_hook(lambda *it: kept.append(it[2]))
    encoded = model.encode(torch.from_numpy(source)[:, None], torch.tensor([5]))
    kept[0].retain_grad()
    targets = torch.tensor(written)[:, None]
    losses = losses_of(model.decode(encoded, true_before(targets)).logits, targets)[0]
    for t, loss in enumerate(losses):
        kept[0].grad = None
        (-loss).backward(retain_graph=True)
        np.testing.assert_allclose(found.vectors[t], kept[0].grad[:, 0].numpy(), atol=1e-9)
