"""What all tests share: array shapes checked at every call, the real data, the browser."""

import os
import shutil
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

for library in ("OMP", "MKL", "OPENBLAS"):  # as in a worker; before any of them is loaded
    os.environ[f"{library}_NUM_THREADS"] = "1"
install_import_hook("rnnviz", "checking.check")  # has to come before the first import of rnnviz

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the real data are not here: there is no {SHARED / 'data'}")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; in CI a missing browser is a failure, not a reason to skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not installed; on Debian: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found
