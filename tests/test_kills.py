# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever verb is killed at whatever moment: called again, it ends where an undisturbed one does.

`CGC_KILLS=50 pytest tests/test_kills.py -s` kills that often, on the bundled sample in place of a
tiny capture, and prints in which stages, and how much work was done again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "cgc_addon" / "sample"
KILLS = int(os.environ.get("CGC_KILLS", "12"))
MANY = 50
"""Kills for which the shares of `COMMANDS` are meant."""
LOST_AT_MOST = 20.0
"""Processor seconds of work that a kill costs; the start of a process does not count."""
TIMES = ("seconds", "seconds_left", "steps_per_second")
"""Keys of what differs from run to run."""
NOT_COMPARED = ("log.txt", "database.db")
"""Files that tell the time, and COLMAP's, in which the order of rows is that of threads."""
NEVER = (sys.maxsize, 0)


@dataclass(frozen=True)
class Command:
    """A verb with what it is to do."""

    name: str
    share: int
    """Of `MANY` kills."""
    arguments: Callable[[Path, Path], list[str]]
    """Of a dataset, and of a folder of its own in which the results lie."""
    trained: bool = False
    """Whether that folder holds a run to begin with."""
    photos: int | None = None
    """So many photos of the sample are its dataset."""


def training(few: list[str], many: list[str]) -> Callable[[Path, Path], list[str]]:
    options = many if KILLS >= MANY else [*few, "--steps", "300", "--checkpoint-every", "0.3"]
    return lambda data, out: ["train", str(data), "-o", str(out / "run"), "--resume", *options]


DRAFT = ["--preset", "draft"]
PAPER = ["--preset", "paper", "--max-gaussians", "20000"]
COMMANDS = (
    Command("train", 14, training(DRAFT, DRAFT)),
    Command("train, paper", 8, training(PAPER, [*PAPER, "--steps", "400"])),
    Command("segment", 5, lambda _, out: ["segment", str(out / "run"), "--min-size", "30"], True),
    Command("solve", 6, lambda data, out: ["solve", str(data / "images"), "-o", str(out / "new")],
            photos=12),
    Command("masks", 6, lambda data, _: ["masks", str(data), "--points-per-side", "8"], photos=4),
    Command("render", 4, lambda _, out: ["render", str(out / "run"), "-o", str(out / "new")], True),
    Command("export", 4, lambda _, out: ["export", str(out / "run"), "-o", str(out / "new.spz")],
            True),
    Command("undistort", 3, lambda data, out: ["undistort", str(data), "-o", str(out / "new")]),
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a process ended, times in processor seconds."""

    status: int | None
    """None if it was killed."""
    seconds: float
    work_from: float
    """When it first reported anything."""
    back_after: float | None
    """When it was where the one before was killed, None if it did not get there."""


@dataclass
class Process:
    """A verb that reports how far it is."""

    arguments: list[str]
    log: Path
    stages: list[str]
    """In the order in which undisturbed processes come to them."""

    def run(self, kill_after: float = float("inf"), killed_at: tuple[int, int] = NEVER) -> Ended:
        """Run until so many processor seconds are used, then kill."""
        command = [sys.executable, "-m", "cgc_addon", *self.arguments, "--json"]
        work_from = back_after = None
        seconds = 0.0
        with self.log.open("w") as output, self.log.with_suffix(".err").open("w") as errors:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=errors)
            try:
                while process.poll() is None and seconds < kill_after:
                    seconds = max(seconds, _processor_seconds(process.pid))
                    place = self.place()
                    if work_from is None and place is not None:
                        work_from = seconds
                    if back_after is None and place is not None and place >= killed_at:
                        back_after = seconds
                    time.sleep(0.02)
            finally:
                process.kill()
                status = process.wait()
        if back_after is None and status == 0 and killed_at != NEVER:
            back_after = seconds  # in its last moments
        return Ended(None if status < 0 else status, seconds, work_from or 0.0, back_after)

    def place(self) -> tuple[int, int] | None:
        """Return in which stage it is, and how far in that; None before it has said so."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        told = next((line for line in reversed(lines) if b'"progress"' in line), None)
        if told is None:
            return None
        report = json.loads(told)
        if report["stage"] not in self.stages:
            self.stages.append(report["stage"])
        return self.stages.index(report["stage"]), int(report["done"])

    def errors(self) -> str:
        return self.log.with_suffix(".err").read_text()


def _processor_seconds(process: int) -> float:
    """Return what a process has used, with the processes that it has started."""
    folder = Path(f"/proc/{process}")
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = (folder / "task" / str(process) / "children").read_text().split()
    except OSError:  # it is over
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_processor_seconds(int(child)) for child in children)


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of each file, but for what tells the time."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix in (".json", ".jsonl"):
            lines = data.splitlines() if path.suffix == ".jsonl" else [data]
            data = repr([_timeless(json.loads(line), folder) for line in lines]).encode()
        if path.name not in NOT_COMPARED:
            found[str(path.relative_to(folder))] = hashlib.sha256(data).hexdigest()
    return found


def _timeless(value: object, folder: Path) -> object:
    if isinstance(value, dict):
        return {key: _timeless(item, folder) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [_timeless(item, folder) for item in value]
    return value.replace(str(folder), "FOLDER") if isinstance(value, str) else value


def some_photos(count: int, folder: Path) -> Path:
    """Return a folder with a few photos of the sample, and cameras."""
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("masks*", "gt", "parts"))
    names = sorted(path.name for path in (folder / "images").iterdir())
    for name in names[count:]:
        (folder / "images" / name).unlink()
    model = folder / "sparse" / "0" / "images.txt"
    poses = [line for line in model.read_text().splitlines() if line.endswith(tuple(names[:count]))]
    model.write_text("".join(f"{pose}\n\n" for pose in poses))
    return folder


@pytest.fixture(scope="session")
def dataset(tiny_dataset) -> Path:
    return SAMPLE if KILLS >= MANY else tiny_dataset


@pytest.fixture(scope="session")
def trained(dataset, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "run"
    command = ["train", str(dataset), "-o", str(run), "--preset", "draft", "--steps", "300"]
    subprocess.run([sys.executable, "-m", "cgc_addon", *command], check=True, cwd=ROOT)
    return run


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="reads processor times in /proc")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_killed_verb_called_again_ends_the_same(
    command, dataset, tmp_path, request, monkeypatch
) -> None:
    if command.name == "masks":
        weights = request.getfixturevalue("mobilesam_files")
        monkeypatch.setenv("CGC_MODELS", str(weights[0].parents[1]))

    def prepared(name: str) -> tuple[Path, list[str]]:
        folder = tmp_path / name
        folder.mkdir()
        if command.trained:
            shutil.copytree(request.getfixturevalue("trained"), folder / "run")
        own = command.photos and some_photos(command.photos, folder / "data")
        return folder, command.arguments(own or dataset, folder)

    stages: list[str] = []
    whole, arguments = prepared("whole")
    process = Process(arguments, tmp_path / "whole.log", stages)
    undisturbed = process.run()
    assert undisturbed.status == 0, process.errors()

    moments, killed, lost = random.Random(1), Counter(), 0.0
    kills = max(1, round(command.share * KILLS / MANY))
    while killed.total() < kills:
        folder, arguments = prepared(f"killed_{killed.total()}")
        process = Process(arguments, tmp_path / "killed.log", stages)
        at_most = kills - killed.total()
        where, worst = killed_until_done(process, moments, undisturbed.seconds, at_most)
        killed, lost = killed + where, max(lost, worst)
        assert contents(folder) == contents(whole)
    told = ", ".join(f"{stage} {times}" for stage, times in killed.items())
    told = f"{command.name}, {undisturbed.seconds:.0f} s: {told}; lost {lost:.1f} s at most"
    print(f"\n{told}")  # noqa: T201 - with -s, for whoever asked for so many
    assert lost <= LOST_AT_MOST


def killed_until_done(
    process: Process, moments: random.Random, undisturbed: float, at_most: int
) -> tuple[Counter[str], float]:
    """Kill a verb time and again, until it ends.

    Args:
        process: to start.
        moments: draws when.
        undisturbed: processor seconds that it needs.
        at_most: so many kills.

    Returns:
        How often it was killed in which stage; the most processor seconds that it then took to get
        back there, or until it was killed again.
    """
    where, place, lost = Counter(), NEVER, 0.0
    while True:
        left = where.total() < at_most
        moment = moments.uniform(0.1, 0.6) * undisturbed if left else float("inf")
        ended = process.run(moment, place)
        assert ended.status in (None, 0), process.errors()
        if place != NEVER:
            back = ended.seconds if ended.back_after is None else ended.back_after
            lost = max(lost, back - ended.work_from)
        if ended.status == 0:
            return where, lost
        reached = process.place()
        where[process.stages[reached[0]] if reached else "start"] += 1
        if ended.back_after is not None or place == NEVER:
            place = reached or NEVER
