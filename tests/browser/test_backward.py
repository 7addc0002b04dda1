"""Back through time in a real browser: the matrix is seen and clicked, a gradient is proved."""

import re

import numpy as np
import pytest
from driving import WAIT, arrive, button, by_and_by, plotted, run_of, says, selected, settled
from playwright.sync_api import Page, expect

from rnnviz.inside.matrix import loss_matrix
from rnnviz.inside.network import Network, sequence_of
from rnnviz.lockstep.settings import RUNNERS

DONE = "All epochs are done."
MATRIX = ".st-key-matrix"


def cells(page: Page) -> list[list[float]]:
    """The matrix as Plotly draws it, in exponents."""
    drawn = page.locator(f"{MATRIX} .js-plotly-plot")
    rows = "it => Array.from(it.data?.[0]?.z ?? []).map(row => Array.from(row))"
    return drawn.first.evaluate(rows) if drawn.count() else []


def test_the_matrix_is_seen_a_step_chosen_in_it_and_its_gradient_proved(page, server):
    arrive(page, "/?people=60&epochs=1&hidden_size=8&attention=none")
    button(page, "Train").click()
    says(page, DONE)
    run = run_of(page, server.home)
    arrive(page, f"/gradients?run={run.id}&back_view=Matrix")
    shown = np.array(by_and_by(page, lambda: cells(page), lambda z: len(z) == 144))
    trace, _ = run.trace(run.view().traced[-1])
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    norms = loss_matrix(network, sequence, network.run(sequence)).norms[0][0]
    top = np.ceil(np.log10(norms.max()))
    np.testing.assert_allclose(shown, np.log10(np.maximum(norms, 10.0 ** (top - 8))), rtol=1e-4)

    area = page.locator(f"{MATRIX} .nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    spot = (box["x"] + box["width"] * 99.5 / 144, box["y"] + box["height"] * (1 - 101.5 / 144))
    page.mouse.move(*spot)
    expect(page.locator(f"{MATRIX} .hovertext")).not_to_have_count(0, timeout=WAIT)
    page.mouse.click(*spot)
    selected(page, step=100)
    says(page, re.compile(r"Loss at step 102 .*state at step 100: norm"))
    says(page, re.compile(re.escape(f"{norms[101, 99]:.3g}")))

    page.get_by_test_id("stMain").get_by_text("Prove it", exact=True).click()
    says(page, "Proved: both agree as closely as a finite difference can.")
    settled(page)
    values = page.get_by_test_id("stMain").locator("table code").all_inner_texts()
    assert float(values[0]) == pytest.approx(norms[101, 99], rel=1e-6)
    assert float(values[1]) == pytest.approx(norms[101, 99], rel=1e-4)


def test_four_cells_race_and_their_losses_are_drawn(page, server):
    del server
    arrive(page, "/gradients?back_view=Lockstep&race_units=4&race_epochs=2")
    button(page, "Race").click()
    says(page, DONE)
    for name in RUNNERS:
        losses = by_and_by(
            page, lambda name=name: plotted(page, "race_losses", name), lambda y: len(y) == 2
        )
        assert all(value > 0 for value in losses)
