# SPDX-License-Identifier: GPL-3.0-or-later
"""Half of the kernels compiled by a second process, since Numba compiles one at a time.

It leaves them in Numba's cache, from where this process loads them. Those that training needs at
once come first; the others follow while it runs. Whatever becomes of the second process, what is
not in the cache is compiled here, when it is needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
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
    """The second process; it ends with this object, if it is not done before."""

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
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                creationflags=flags,
            )
        except OSError:  # no room for another process: this one compiles all
            return
        weakref.finalize(self, _end, self._process)

    def wait_for(self, stage: str) -> bool:
        """Wait until a stage of `warm_up.stages_beside` is compiled; return whether it was."""
        if self._process is None or self._process.stdout is None:
            return False
        return any(line.decode().strip() == stage for line in self._process.stdout)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def end_with_the_other() -> None:
    """End this process, the second one, when the one that started it ends, however it does."""

    def watch() -> None:
        sys.stdin.buffer.read()  # ends where nobody can write any more
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
