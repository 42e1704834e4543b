# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask generator, which lies beside the scripts that use it and not in a package."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def masks_module() -> Iterator[ModuleType]:
    path = Path(__file__).with_name("inconsistent_masks.py")
    spec = importlib.util.spec_from_file_location("inconsistent_masks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
