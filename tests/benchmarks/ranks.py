# SPDX-License-Identifier: GPL-3.0-or-later
"""How much faster several processes train than one, with one thread each, in turns.

python tests/benchmarks/ranks.py [DATASET] [--size 2] [--batch 2] [--photos 3500] [--pairs 3]

Each pair is a run of one process and one of several, on as many photos; where other programs use
the machine, too, only pairs can be compared. Photos a second are those of the stage Training.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Train in turns, and print what each pair came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=ROOT / "cgc_addon" / "sample")
    parser.add_argument("--size", type=int, default=2)
    parser.add_argument("--batch", type=int, default=2, help="photos of a step, of all processes")
    parser.add_argument("--photos", type=int, default=3500, help="looked at, of all steps together")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.dataset.name}, {options.photos} photos, preset standard, without features")
    print(f"{'one':>8} {options.size:>8}   photos/s, ratio   load, CPU s of each run")
    ratios = []
    for _ in range(options.pairs):
        one, one_cpu = photos_a_second(options, 1)
        several, several_cpu = photos_a_second(options, options.size)
        ratios.append(several / one)
        print(
            f"{one:8.2f} {several:8.2f} {ratios[-1]:17.2f} {os.getloadavg()[0]:6.1f} "
            f"{one_cpu:6.1f} {several_cpu:6.1f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f}")


def photos_a_second(options: argparse.Namespace, size: int) -> tuple[float, float]:
    """Return the pace of a run by so many processes, and the CPU seconds of all of them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with tempfile.TemporaryDirectory() as run:
        command = [
            *(sys.executable, "-m", "cgc_addon", "train", str(options.dataset), "-o", run),
            *("--preset", "standard", "--features", "off", "--backend", "cpu", "--json"),
            *("--steps", str(options.photos), "--batch", str(options.batch)),
        ]
        environment = {
            **os.environ,
            **dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
            **dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(size)),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        processes = [
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.DEVNULL,
            )
            for rank in range(size)
        ]
        if any(codes := [process.wait() for process in processes]):
            raise SystemExit(f"a run failed: {codes}")
        lines = (Path(run) / "metrics.jsonl").read_text().splitlines()
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    return (last["step"] - first["step"]) / (last["seconds"] - first["seconds"]), cpu


if __name__ == "__main__":
    main()
