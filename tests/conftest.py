# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture so small that training on it takes a second."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cgc_addon.waiting_threads import let_threads_sleep

# Suites run side by side, on machines that do other things: time says nothing of an example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

let_threads_sleep(os.environ)  # before torch is imported


@pytest.fixture(autouse=True)
def hangups_as_usual() -> Iterator[None]:
    """Let programs that tests start hear of a hang-up, also where the tests run under `nohup`."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) is not signal.SIG_IGN:
        yield
        return
    signal.signal(hangup, signal.SIG_DFL)
    yield
    signal.signal(hangup, signal.SIG_IGN)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset folder: four coloured balls on a board, 12 photos of 48×36, masks, ids.

    Label ids are shuffled in every photo; ground truth ids agree.
    """
    from .tiny_dataset import write_tiny_dataset

    return write_tiny_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def engine_python() -> Path:
    """Return the interpreter with the engine's packages, for tests in Blender's Python."""
    here = Path(__file__).parents[1] / ".venv"
    places = [
        os.environ.get("CGC_PYTHON"),
        here / "bin" / "python",
        here / "Scripts" / "python.exe",
    ]
    found = next((Path(place) for place in places if place and Path(place).is_file()), None)
    if found is None:
        pytest.skip("needs an interpreter with the engine's packages, named in CGC_PYTHON")
    return found


@pytest.fixture(scope="session")
def mobilesam_files() -> tuple[Path, ...]:
    """Return MobileSAM's ONNX pair; skips where this machine has none."""
    from cgc_addon.errors import CgcError
    from cgc_addon.masks.models.weights import find_weights

    try:
        return find_weights("mobilesam", (Path(__file__).parents[1] / ".models",)).files
    except CgcError as error:
        pytest.skip(f"needs the weights of MobileSAM, which `dev.py test` fetches: {error}")
