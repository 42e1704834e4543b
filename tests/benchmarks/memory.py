# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says that it needs of memory, and what it takes at its largest.

python tests/benchmarks/memory.py RUN [SHAPE ...] [--stages]     no SHAPE: all but LARGE

Shapes are made of the bundled sample: photos repeated and enlarged; see `SHAPES`. RUN is a run
that was trained on it, as `dev.py demo` makes one. A run of a shape begins with its Gaussians,
thinned or divided to nearly as many as the cap: so a few steps need what long ones need at the end.
Reads /proc, so Linux alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cgc_addon.dataset.folder import DatasetFolder  # noqa: E402
from cgc_addon.dataset.label_maps import read_label_map  # noqa: E402
from cgc_addon.dataset.load import load_dataset  # noqa: E402
from cgc_addon.dataset.mask_answers import checksum, pack_masks, write_answers  # noqa: E402
from cgc_addon.waiting_threads import WAITING  # noqa: E402
from tests.colmap_text import write_colmap_text  # noqa: E402

SAMPLE = ROOT / "cgc_addon" / "sample"
ANSWER_CELLS = (256, 192)
"""Width and height of the masks of a mask model."""
GIBIBYTE = 2**30


@dataclass(frozen=True)
class Shape:
    """A capture, and how it is trained."""

    photos: int
    width: int
    """Of each photo, px; they are as wide as those of the sample, 4 to 3."""
    gaussians: int
    """The cap; the sparse points are nearly as many."""
    masks: str = "maps"
    """"none", "maps", or "answers": what a mask model found beside the label maps."""
    preset: str = "standard"
    steps: int = 60


SHAPES = {
    "sample": Shape(40, 384, 60_000),
    "many small photos": Shape(720, 384, 20_000, preset="draft"),
    "few large photos": Shape(8, 2_000, 20_000, preset="draft"),
    "many Gaussians": Shape(12, 480, 300_000),
    "no masks": Shape(24, 800, 60_000, "none"),
    "answers": Shape(60, 800, 60_000, "answers"),
    "paper": Shape(24, 640, 60_000, preset="paper", steps=60),
    "thousand photos": Shape(1_000, 1_600, 1_000_000, "none"),
    "tiny": Shape(8, 192, 5_000, preset="draft"),
}

LARGE = ("thousand photos",)
"""Shapes that take several minutes each."""


@dataclass(frozen=True)
class Measured:
    """Bytes of a run."""

    said: int
    most: int
    parts: dict[str, int]
    """What is said of each part."""
    stages: dict[str, int]
    """At most in each stage, the last time it was reported."""


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--stages", action="store_true", help="the most of each stage, too")
    options = parser.parse_args()
    print(f"{'':20}{'said, GiB':>12}{'most, GiB':>12}{'said / most':>12}")
    for name in options.shapes or [name for name in SHAPES if name not in LARGE]:
        with made(SHAPES[name]) as capture:
            found = measured_in_a_process(capture, SHAPES[name], options.run.resolve())
        said, most = found.said / GIBIBYTE, found.most / GIBIBYTE
        print(f"{name:20}{said:12.2f}{most:12.2f}{said / most:12.2f}", flush=True)
        if options.stages:
            for words in (found.parts, found.stages):
                told = ", ".join(f"{key} {value / 2**20:.0f}" for key, value in words.items())
                print(f"    {told} MiB", flush=True)


@contextmanager
def made(shape: Shape) -> Iterator[Path]:
    """Make a capture of a shape in a temporary folder, for as long as it is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        write_capture(Path(folder), shape)
        yield Path(folder)


def write_capture(folder: Path, shape: Shape) -> None:
    """Write the sample as a capture of another shape."""
    sample = load_dataset(SAMPLE)
    views = sample.scene.views
    files = sample.store.files
    camera = views[0].camera
    height = round(shape.width * camera.height / camera.width)
    placed = []
    (folder / "images").mkdir(parents=True)
    if shape.masks != "none":
        (folder / "masks").mkdir()
    for number in range(shape.photos):
        # Few photos look from all around, as those of the sample do.
        source = (
            number % len(views)
            if shape.photos >= len(views)
            else (number * len(views) // shape.photos)
        )
        name = f"{number:04d}.jpg"
        placed.append(replace(views[source].resized(shape.width, height), name=name))
        with Image.open(files[source].photo) as photo:
            photo.resize((shape.width, height)).save(folder / "images" / name, quality=90)
        labels = files[source].labels
        if shape.masks == "none" or labels is None:
            continue
        ids = Image.fromarray(read_label_map(labels).astype(np.uint16))
        ids = np.asarray(ids.resize((shape.width, height), Image.Resampling.NEAREST))
        label_map = (folder / "masks" / name).with_suffix(".png")
        Image.fromarray(ids).save(label_map)
        if shape.masks == "answers":
            cells = np.asarray(Image.fromarray(ids).resize(ANSWER_CELLS, Image.Resampling.NEAREST))
            masks = np.stack([cells == one for one in np.unique(cells[cells > 0])])
            ones = np.ones(len(masks))
            answers = replace(pack_masks(masks, ones, ones), map_checksum=checksum(ids))
            path = DatasetFolder(folder).answers / f"{number:04d}.npz"
            path.parent.mkdir(exist_ok=True)
            write_answers(path, answers)
    scene = replace(sample.scene, views=tuple(placed))
    write_colmap_text(folder / "sparse" / "0", scene)


def measured_in_a_process(capture: Path, shape: Shape, run: Path) -> Measured:
    """Train a capture in a process that does nothing else, from the Gaussians of another run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, str(capture), str(Path(folder) / "run")]
        command += [shape.preset, str(shape.steps), str(shape.gaussians), str(run)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **WAITING}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=folder
        )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


_CHILD = """
import json, re, sys
from dataclasses import asdict, replace
from pathlib import Path
import numpy as np
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.select import concatenate, subset
from cgc_addon.training import far_radius, pipeline
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder

def most():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status).group(1))

def forget():
    Path("/proc/self/clear_refs").write_text("5")

estimates, stages, last = [], {}, ["Start"]
check = pipeline.check_memory

def remember(*arguments):
    estimates.append(check(*arguments))
    return estimates[-1]

def report(progress):
    stages[last[0]] = max(stages.get(last[0], 0), most())
    if progress.stage != last[0]:
        last[0] = progress.stage
        forget()

def start(*_):
    trained = replace(read_ply(RunFolder(Path(trained_run)).splat).gaussians,
                      features=None, segments=None)
    count = round(0.97 * int(cap))
    copies = -(-count // len(trained))
    chosen = np.random.default_rng(0).permutation(copies * len(trained))[:count]
    many = subset(concatenate([trained] * copies), chosen)
    scales = many.log_scales - np.float32(0.5 * np.log(count / len(trained)))
    return replace(many, log_scales=scales)

pipeline.check_memory, pipeline._first_gaussians = remember, start
far_radius.STEPS = 20  # as much memory, in less time
capture, run, preset, steps, cap, trained_run = sys.argv[1:]
config = configure(preset, steps=int(steps), max_gaussians=int(cap), backend="cpu")
pipeline.train(Path(capture), Path(run), config, report=report)
stages["end"] = most()
(said,) = estimates
print(json.dumps({
    "said": said.total, "most": max(stages.values()), "parts": asdict(said), "stages": stages,
}))
"""


if __name__ == "__main__":
    main()
