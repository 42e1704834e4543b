# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove the CUDA backend on a card, in less than ten minutes, and print the table for docs/gpu.md.

    python -m tests.benchmarks.gpu_proof [--out FILE]

It runs the contract of backends on the card, compares gradients with the plain PyTorch reference,
trains the bundled sample on the card and on the processor, and measures label maps, pictures and
memory. Each figure says what was wanted. The exit code is 0 where all is good, 1 where something is
not, 2 where there is no card. `--device cpu` is a dry run with the processor in place of the card,
`--quick` one of a minute that proves nothing but that this script runs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.interface import Backend, SplatTensors
from cgc_addon.rasterize.select import select_backend
from cgc_addon.results.evaluation import evaluate
from cgc_addon.training.config import TrainingConfig
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder
from cgc_addon.training.run_lock import locked
from tests.benchmarks.rasterizer import activated, room, view_of
from tests.tiny_dataset import write_tiny_dataset

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "cgc_addon/sample"
GOOD, BAD, NO_CARD = 0, 1, 2
MEGAPIXEL = (1200, 834)
PAPER_SECONDS = 0.005
"""Of a mask at 1 MP (Contrastive Gaussian Clustering, arXiv 2404.12784)."""
GRADIENT_ERROR = 1e-2
"""A few rays end one Gaussian earlier in single precision: the contract leaves those out."""
PSNR_DIFFERENCE, MIOU_DIFFERENCE = 0.5, 0.05
TESTS = ("tests/rasterize", "tests/masks/models")


@dataclass(frozen=True)
class Size:
    """How much is drawn, trained and tested."""

    gaussians: int
    picture: tuple[int, int]
    repeats: int
    is_quick: bool
    """Whether a tiny capture is trained on for some steps, in place of the sample."""
    tests: tuple[str, ...]
    """Arguments of pytest; none skips the contract."""


@dataclass(frozen=True)
class Figure:
    """A row of the table."""

    name: str
    value: str
    wanted: str = ""
    good: bool | None = None
    """None where nothing was wanted."""


class Clock:
    """How much of the time that was given is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    def left(self) -> float:
        """Return seconds."""
        return self._end - time.monotonic()

    def is_over(self) -> bool:
        """Return whether there are none."""
        return self.left() <= 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and return the exit code."""
    options = _options(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("not run: no CUDA device")
        return NO_CARD
    clock = Clock(options.minutes)
    try:
        backend, why = select_backend(options.device, lambda progress: print(progress.stage))
    except CgcError as error:
        print(f"not run: {error}")
        return BAD
    print(why, flush=True)
    size = size_of(options.device, options.quick)
    parts: tuple[tuple[str, Callable[[], list[Figure]]], ...] = (
        ("versions", lambda: versions(backend)),
        ("gradients", lambda: gradients(backend)),
        ("drawing", lambda: drawing(backend, size)),
        ("training", lambda: training(backend, size, clock)),
        ("contract", lambda: contract(size.tests, clock)),
    )
    figures = [figure for name, part in parts for figure in measured(name, part)]
    text = table(figures)
    print(text)
    if options.out:
        options.out.write_text(text, "utf-8")
    return BAD if any(figure.good is False for figure in figures) else GOOD


def size_of(device: str, quick: bool) -> Size:
    """Return how much is measured."""
    if quick:
        return Size(2_000, (120, 84), 2, is_quick=True, tests=())
    if device == "cuda":
        return Size(100_000, MEGAPIXEL, 20, is_quick=False, tests=("-m", "gpu"))
    tests = ("-m", "not gpu", "-k", "test_contract and cpu")
    return Size(100_000, MEGAPIXEL, 3, is_quick=False, tests=tests)


def measured(name: str, part: Callable[[], list[Figure]]) -> list[Figure]:
    """Return a part's figures; what fails is a figure, too, and the others go on."""
    begun = time.monotonic()
    print(f"{name} …", flush=True)
    try:
        figures = part()
    except Exception as error:  # whatever a card may do
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        return [Figure(name, f"{type(error).__name__}: {lines[0]}", "no error", good=False)]
    print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    return figures


def versions(backend: Backend) -> list[Figure]:
    """Return what was measured on and with what."""
    bundled = importlib.util.find_spec("gsplat.csrc") is not None
    figures = [
        Figure("device", backend.hardware or platform.processor() or platform.machine()),
        Figure("PyTorch", f"{torch.__version__}, Python {platform.python_version()}"),
        Figure(
            "gsplat",
            f"{importlib.metadata.version('gsplat')}, kernels "
            + ("of its wheel" if bundled else "compiled here or none"),
        ),
    ]
    if backend.device.type == "cuda":
        card = torch.cuda.get_device_properties(backend.device)
        size = f"{card.total_memory / 2**30:.0f} GiB, architecture {card.major}.{card.minor}"
        figures.insert(1, Figure("memory of the card", size))
    return figures


def gradients(backend: Backend) -> list[Figure]:
    """Compare gradients of a picture with those of the plain PyTorch reference in float64."""
    view = view_of(64, 48)
    weights = torch.rand(48, 64, 3 + 1 + 16, generator=torch.Generator().manual_seed(1))
    found = _gradients_of(backend.render, view, weights, backend.device, torch.float32)
    expected = _gradients_of(reference.render, view, weights, torch.device("cpu"), torch.float64)
    figures = []
    for name, gradient in found.items():
        error = float((gradient - expected[name]).norm() / expected[name].norm())
        figures.append(
            Figure(
                f"gradient of {name}, relative error",
                f"{error:.1e}",
                f"< {GRADIENT_ERROR:.0e}",
                error < GRADIENT_ERROR,
            )
        )
    return figures


def _gradients_of(
    render: Callable, view, weights: torch.Tensor, device: torch.device, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Return the gradients of Σ weights · (rgb, alpha, features), on the processor, float64."""
    given = activated(room(400))
    leaves = {
        field.name: getattr(given, field.name).detach().to(device, dtype).requires_grad_()
        for field in fields(given)
    }
    features = torch.randn(400, 16, generator=torch.Generator().manual_seed(2))
    leaves["features"] = features.to(device, dtype).requires_grad_()
    splat = SplatTensors(**{name: leaf for name, leaf in leaves.items() if name != "features"})
    drawn = render(splat, view, features=leaves["features"])
    picture = torch.cat([drawn.rgb, drawn.alpha[..., None], drawn.features], dim=-1)
    (picture * weights.to(picture)).sum().backward()
    return {name: leaf.grad.detach().double().cpu() for name, leaf in leaves.items()}


def drawing(backend: Backend, size: Size) -> list[Figure]:
    """Measure label maps, pictures and training steps, and the memory that they take."""
    splat = activated(room(size.gaussians))
    splat = replace(
        splat,
        **{
            field.name: getattr(splat, field.name).detach().to(backend.device)
            for field in fields(splat)
        },
    )
    view = view_of(*size.picture)
    what = f"{size.picture[0]} × {size.picture[1]}, {size.gaussians:,} Gaussians"
    features = torch.randn(size.gaussians, 16, device=backend.device)
    figures = []
    for count in (20, 200):
        labels = torch.arange(size.gaussians, dtype=torch.int32).remainder(count)
        labels = labels.to(backend.device)
        seconds = _seconds(lambda x=labels: backend.render_labels(splat, view, x), backend, size)
        limit = PAPER_SECONDS if count == 20 and backend.device.type == "cuda" else None
        figures.append(
            Figure(
                f"label map of {count} objects, {what}",
                f"{1e3 * seconds:.1f} ms",
                f"paper: {1e3 * PAPER_SECONDS:.0f} ms" if limit else "",
                None if limit is None else seconds <= limit,
            )
        )
    with torch.no_grad():
        picture = _seconds(lambda: backend.render(splat, view), backend, size)
        both = _seconds(lambda: backend.render(splat, view, features=features), backend, size)
    figures.append(Figure(f"picture, {what}", f"{1e3 * picture:.1f} ms"))
    figures.append(Figure("… with 16 features", f"{1e3 * both:.1f} ms"))

    trained = replace(splat, **{f.name: getattr(splat, f.name).clone() for f in fields(splat)})
    for field in fields(trained):
        getattr(trained, field.name).requires_grad_()
    target = torch.rand(size.picture[1], size.picture[0], 3, device=backend.device)

    def step() -> None:
        backend.photometric_loss(backend.render(trained, view).rgb, target).backward()

    _reset_peak(backend)
    seconds = _seconds(step, backend, size)
    figures.append(Figure("… drawn, compared and differentiated", f"{1e3 * seconds:.1f} ms"))
    figures.append(Figure("memory at its most, for that", _peak(backend)))
    return figures


def training(backend: Backend, size: Size, clock: Clock) -> list[Figure]:
    """Train the sample here and on the processor; both must come to about the same."""
    ours = _train(backend.name, 0, size, clock)
    # Where the processor stands in, another seed shows how far two runs lie apart.
    theirs = _train("cpu", 0 if backend.device.type == "cuda" else 1, size, clock)
    other = "the processor's" if backend.device.type == "cuda" else "another seed's"
    took = f"{other} {theirs.seconds:.0f} s"
    figures = [Figure("training the sample, preset draft", f"{ours.seconds:.0f} s", took)]
    for name, value, reference_value, limit, unit in (
        ("PSNR of held-out views", ours.psnr, theirs.psnr, PSNR_DIFFERENCE, " dB"),
        ("mIoU of held-out views", ours.mean_iou, theirs.mean_iou, MIOU_DIFFERENCE, ""),
    ):
        digits = 2 if unit else 3
        figures.append(
            Figure(
                name,
                f"{value:.{digits}f}{unit}",
                f"{other} {reference_value:.{digits}f} − {limit}",
                value > reference_value - limit,
            )
        )
    figures.append(Figure("memory at its most, training", ours.memory))
    return figures


@dataclass(frozen=True)
class _Trained:
    seconds: float
    psnr: float
    mean_iou: float
    memory: str


def _train(name: str, seed: int, size: Size, clock: Clock) -> _Trained:
    backend, _ = select_backend(name)
    config = configure("draft", seed=seed, backend=name, test_every=8)
    _reset_peak(backend)
    with tempfile.TemporaryDirectory() as folder:
        dataset = SAMPLE
        if size.is_quick:
            dataset = write_tiny_dataset(Path(folder) / "tiny")
            config = _shortened(config)
        run = RunFolder(Path(folder) / "run")
        begun = time.monotonic()
        try:
            with locked(run.path):
                train(dataset, run.path, config, should_stop=clock.is_over)
        except Interrupted:
            raise TimeoutError("the time is over; give more with --minutes") from None
        seconds = time.monotonic() - begun
        scores = evaluate(run, dataset, backend)
    assert scores.segmentation is not None
    return _Trained(seconds, scores.psnr, scores.segmentation.mean_iou, _peak(backend))


def _shortened(config: TrainingConfig) -> TrainingConfig:
    return replace(
        config,
        geometry=replace(config.geometry, steps=20, far_points=0),
        features=replace(config.features, steps=20),
    )


def contract(arguments: Sequence[str], clock: Clock) -> list[Figure]:
    """Run the tests of the backends and return how many passed, failed and were skipped."""
    if not arguments:
        return []
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, *TESTS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=max(clock.left(), 1.0),
        check=False,
    )
    print(finished.stdout[-4000:])
    counts = test_counts(finished.stdout)
    value = ", ".join(f"{number} {word}" for word, number in counts.items()) or "none ran"
    good = finished.returncode == 0 and counts.get("passed", 0) > 0
    return [Figure(f"tests ({' '.join(arguments)})", value, "none failed", good)]


def test_counts(output: str) -> dict[str, int]:
    """Return how many tests passed, failed, … by pytest's last line.

    Example:
        >>> test_counts("F..\n1 failed, 2 passed, 40 deselected in 3.05s")
        {'failed': 1, 'passed': 2, 'deselected': 40}
    """
    summaries = [line for line in output.splitlines() if re.search(r" in [\d.]+s", line)]
    if not summaries:
        return {}
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", summaries[-1])}


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    words = {True: "yes", False: "**NO**", None: ""}
    rows = [
        ("Figure", "Measured", "Wanted", "Good"),
        ("---", "---", "---", "---"),
        *((one.name, one.value, one.wanted, words[one.good]) for one in figures),
    ]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


def _seconds(call: Callable[[], object], backend: Backend, size: Size) -> float:
    """Return the mean time of a call, after one that is not counted."""
    call()
    _synchronize(backend)
    begun = time.perf_counter()
    for _ in range(size.repeats):
        call()
    _synchronize(backend)
    return (time.perf_counter() - begun) / size.repeats


def _synchronize(backend: Backend) -> None:
    if backend.device.type == "cuda":
        torch.cuda.synchronize()


def _reset_peak(backend: Backend) -> None:
    if backend.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _peak(backend: Backend) -> str:
    """Return the most memory: of the card since the last reset, of the process since its start."""
    if backend.device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB"
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{kibibytes / 2**20:.2f} GiB of the process"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="only see that the script runs")
    parser.add_argument("--minutes", type=float, default=9.5, help="what it may take, at most")
    parser.add_argument("--out", type=Path, help="file for the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
