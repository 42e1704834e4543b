# SPDX-License-Identifier: GPL-3.0-or-later
"""Half of the kernels compiled by a second process, since Numba compiles one at a time.

It leaves them in Numba's cache, from where this process loads them. Whatever becomes of it, what is
not there is compiled here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .kernels.backward import differentiate


def on_disk() -> bool:
    """Return whether kernels of this version for this processor were compiled before."""
    dispatcher: Any = differentiate
    folder = Path(dispatcher.stats.cache_path)
    # Their names tell the sources and the width of vectors, see `simd.kernel`.
    return any(folder.glob(f"*{dispatcher.__qualname__}*.nbc"))


class CompilingBeside:
    """The second process, from its start to its end."""

    def __init__(self) -> None:
        package = __package__ or ""
        above = str(Path(__file__).resolve().parents[package.count(".") + 1])
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        environment["PYTHONPATH"] = os.pathsep.join(
            folder for folder in (above, environment.get("PYTHONPATH")) if folder
        )
        flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", package],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                creationflags=flags,
            )
        except OSError:  # no room for another process: this one compiles all
            return

    def wait(self) -> None:
        """Wait until it has done its half."""
        if self._process is not None:
            self._process.wait()

    def end(self) -> None:
        """End it, done or not."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
