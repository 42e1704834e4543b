# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m cgc_addon.rasterize.cuda.child FOLDER`: compile gsplat's kernels; see `compiling`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from .kernels import LIBRARY, include_folders, sources


def main(folder: Path) -> int:
    """Compile into the folder what it lacks; ninja's lines go to stdout."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # A try that was killed has left it, and PyTorch would wait for it to go.
    (folder / "lock").unlink(missing_ok=True)
    from torch.utils import cpp_extension

    windows = sys.platform == "win32"
    cpp_extension.load(
        LIBRARY,
        [str(path) for path in sources()],
        extra_cflags=["/O2"] if windows else ["-O3", "-Wno-attributes"],
        extra_cuda_cflags=["-O3", "-use_fast_math", "-diag-suppress=20012,186"],
        extra_ldflags=[] if windows else _runtime_by_its_plain_name(folder),
        extra_include_paths=[str(path) for path in include_folders()],
        build_directory=str(folder),
        verbose=True,
    )
    return 0


def _runtime_by_its_plain_name(folder: Path) -> list[str]:
    """Return what lets the linker find CUDA's runtime, which NVIDIA's wheels name by version."""
    lib = Path(os.environ["CUDA_HOME"]) / "lib"
    numbered = sorted(lib.glob("libcudart.so.*"))
    if not numbered or (lib / "libcudart.so").exists():
        return []
    plain = folder / "libcudart.so"
    plain.unlink(missing_ok=True)
    plain.symlink_to(numbered[0])
    return [f"-L{folder}"]


def _end_with_parent() -> None:
    """End, and the compilers too, when stdin does: whoever started us is gone."""
    while os.read(0, 1 << 10):
        pass
    if sys.platform == "win32":
        kill = ["taskkill", "/T", "/F", "/PID", str(os.getpid())]
        subprocess.run(kill, capture_output=True, check=False)
    else:
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
