# SPDX-License-Identifier: GPL-3.0-or-later
"""A graphics context without a window, where this Blender and this computer can make one."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def graphics() -> None:
    """Skip the test where nothing can be drawn."""
    import gpu

    initialise = getattr(gpu, "init", None)
    if initialise is None:
        pytest.skip("this Blender draws in windows only")
    try:
        initialise()
    except Exception as error:  # of what is missing on this computer
        pytest.skip(f"there is no graphics context: {error}")
