"""Ridge in portions is scikit-learn's ridge."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnviz import ridge
from rnnviz.ridge import ridge_path


@pytest.mark.parametrize("rows", [30, 200], ids=["wide", "long"])
def test_portions_give_what_scikit_learn_gives(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "_ROWS_AT_ONCE", 17)
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (250, 60)).astype(np.float32)
    x[:, 7] = 5  # a minute that is the same in everybody
    y, train, test = rng.normal(27, 4, 250), np.arange(rows), np.arange(200, 250)
    penalties = (1.0, 100.0, 1e4)
    for fit, penalty in zip(ridge_path(x.__getitem__, train, y, penalties), penalties, strict=True):
        other = make_pipeline(StandardScaler(), Ridge(alpha=penalty))
        other.fit(x[train].astype(np.float64), y[train])
        np.testing.assert_allclose(
            fit.predict(x.__getitem__, test), other.predict(x[test].astype(np.float64)), rtol=1e-9
        )
        assert len(fit.predict(x.__getitem__, test[:0])) == 0
