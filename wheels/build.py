# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what the engine is installed from.

    python3 wheels/build.py lock|gsplat|thin|bundle|archive|release      and --help: what it takes

It makes itself an environment, .venv-wheels, with pip and one small package, and runs in that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Run a command in the environment of these scripts and return its exit code."""
    sys.path.insert(0, str(ROOT))
    from development.environments import (
        SetupError,
        bring_up_to_date,
        digest,
        pip_install,
        python_of,
    )

    environment, lock = ROOT / ".venv-wheels", ROOT / "wheels" / "requirements-wheels.lock"
    if not arguments:
        print(__doc__)
        return 2
    try:
        bring_up_to_date(
            environment,
            {"lock": digest(lock)},
            lambda: pip_install(environment, ["-r", str(lock)]),
        )
    except SetupError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    command = [str(python_of(environment)), "-m", "wheels.commands", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        return subprocess.run(command, env=variables, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
