# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happened to a file, it is read, or there is one sentence: no traceback, no hang.

`CGC_MUTATIONS=10000` damages that many files in all; as a rule it is fewer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pycolmap")

from .kinds import KINDS

MUTATIONS = int(os.environ.get("CGC_MUTATIONS", "1500"))
SEED = int(os.environ.get("CGC_SEED", "0"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals, pipes and limits of Unix")
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_damaged_file_is_read_or_named(kind: str) -> None:
    count = max(1, MUTATIONS // len(KINDS))
    arguments = ["-m", "tests.damaged_files", kind, str(SEED), str(count)]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + 12 * count,
    )
    problems = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert not problems, "\n\n".join(f"{one['content']}\n{one['what']}" for one in problems[:5])
    assert done.returncode == 0, done.stderr[-2000:]
