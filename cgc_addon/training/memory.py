# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a run will need, said before it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..cgc.edges import CODE_CHANNELS
from ..cgc.observations import PIXEL_BUDGET
from ..dataset.load import Dataset
from ..dataset.photos import CACHE_BYTES
from ..errors import CgcError
from .config import TrainingConfig

BYTES_PER_FLOAT = 4
# Measured on photos of 384×288 to 2000×1500 with 20,000 to 300,000 Gaussians, resident memory after
# each stage; see tests/benchmarks/memory.py.
PAIRS_PER_GAUSSIAN, PAIRS_PER_TILE = 1.5, 60
"""(Gaussian, tile) pairs of a picture: tiles are 16×16 pixels."""
WEIGHTS_PER_PIXEL = 9
"""Blending weights above the threshold for a pixel."""
BYTES_PER_PIXEL = 90
"""Pictures, their gradients and what SSIM keeps of them."""
COPIES = 4.5
"""Of each Gaussian: parameter, gradient, Adam's two moments, and what densification copies. A
second gradient, where photos are looked at together, is gone before those copies are made."""
TOGETHER = 2
"""Photos that are drawn at the same time."""
BYTES_OF_ANSWERS = 32
"""A pixel's cell in the answers of a mask model, and the point, normal and weight that it shows."""
BYTES_OF_SURFACE = 90
"""A pixel of a view with answers while its surface is worked out."""
BYTES_OF_SEGMENTS = 600
"""A Gaussian's features, their moments, signatures, neighbours and votes."""
LEAST_HELP = 0.95
"""An option is advised where half of it brings the need below this share."""
BASE = 570 * 2**20
"""Python with torch and the compiled kernels, where that cannot be told."""
LATER = 96 * 2**20
"""What is loaded after that, SciPy and what it works with, and what a second thread keeps, …"""
CLUSTERING = 144 * 2**20
"""… and scikit-learn and what votes are counted in, where there are masks."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that a run will need at its largest, by what they hold."""

    programs: int
    gaussians: int
    rasterizer: int
    photos: int
    """Photos and their masks, as far as they are kept."""
    weights: int
    """Cached blending weights of the feature stage, what a mask model answered about the same
    pixels, and what the stage holds of each Gaussian."""
    edges: int
    """Sharpening them: parameters and moments once more, and the segment of each pixel."""

    @property
    def total(self) -> int:
        """All together: what one stage leaves is seldom of a size that the next one takes.

        But for the parameters of training, which are given back before those of edges are made.
        """
        parameters = max(self.gaussians, self.edges)
        return self.programs + self.photos + parameters + self.rasterizer + self.weights

    def sentence(self) -> str:
        """Say it to the user."""
        return f"This run needs about {self.total / 2**30:.1f} GiB of memory."


def check_memory(
    config: TrainingConfig, dataset: Dataset, gaussians: int, processes: int = 1
) -> MemoryEstimate:
    """Return what each of so many processes on this machine will need, starting with N Gaussians.

    Raises:
        CgcError: that is more than this machine has left.
    """
    cameras = [view.camera for view in dataset.scene.views]
    files = [dataset.store.files[index] for index in dataset.train]
    width = max(camera.width for camera in cameras)
    height = max(camera.height for camera in cameras)

    def with_half(*, cap: bool = False, size: bool = False) -> MemoryEstimate:
        densify, share = config.geometry.densify, 2 if size else 1
        if cap:
            densify = replace(densify, cap=max(1, densify.cap // 2))
        return estimate(
            replace(config, geometry=replace(config.geometry, densify=densify)),
            # What is given is thinned to the cap; the splat of --init is not.
            gaussians=min(gaussians, densify.cap) if cap and config.init is None else gaussians,
            views=len(files),
            masked=sum(one.labels is not None for one in files),
            answered=sum(one.answers is not None for one in files),
            width=max(1, width // share),
            height=max(1, height // share),
            photo_cache=CACHE_BYTES,
        )

    need = with_half()
    smaller = {"--max-gaussians": with_half(cap=True), "--max-size": with_half(size=True)}
    refuse_if_too_large(need, available_memory(), smaller, processes)
    return need


def estimate(
    config: TrainingConfig,
    *,
    gaussians: int,
    views: int,
    masked: int,
    answered: int,
    width: int,
    height: int,
    photo_cache: int,
) -> MemoryEstimate:
    """Estimate the need of a run.

    Args:
        config: of the run.
        gaussians: the number it starts with; the cap of the configuration counts if larger.
        views: number of photos to train on.
        masked: of them, those with masks.
        answered: of these, those with all that a mask model answered.
        width: of the largest photo, px.
        height: of the largest photo, px.
        photo_cache: limit of the photo cache, bytes.
    """
    grows = config.init is None
    count = max(gaussians, config.geometry.densify.cap if grows else 0)
    joint = 16 if config.features.mode == "joint" else 0
    numbers = 3 + 3 + 4 + 1 + 3 * (config.geometry.sh_degree + 1) ** 2 + joint
    extra = max(joint, CODE_CHANNELS if config.edges.steps else 0)
    pixels = width * height
    pairs = PAIRS_PER_GAUSSIAN * count + PAIRS_PER_TILE * pixels / 256
    kept, weights = 4 * pixels * views, 0  # each photo with its halves and quarters
    trained = int(count * numbers * BYTES_PER_FLOAT * COPIES)
    edges, surfaces, programs = 0, 0, (resident_memory() or BASE) + LATER
    if config.features.mode != "off" and masked:
        kept += 4 * pixels * masked
        programs += CLUSTERING
        if config.edges.steps and grows:
            edges = trained + 2 * views * pixels
        sampled = min(masked * pixels / 4, PIXEL_BUDGET)
        weights = int(sampled * WEIGHTS_PER_PIXEL * 2 * BYTES_PER_FLOAT) + count * BYTES_OF_SEGMENTS
        if config.segments.asks_answers:
            weights += int(sampled * answered / masked * BYTES_OF_ANSWERS)
            surfaces = min(TOGETHER, answered) * pixels * BYTES_OF_SURFACE
    return MemoryEstimate(
        programs=programs,
        gaussians=trained,
        rasterizer=TOGETHER
        * int(
            pairs * ((9 + extra) * BYTES_PER_FLOAT * 1.25 + 26)
            + pixels * (BYTES_PER_PIXEL + 3 * extra * BYTES_PER_FLOAT)
            + count * (16 + extra) * BYTES_PER_FLOAT * 3
        )
        + surfaces,
        photos=int(min(photo_cache, kept)),
        weights=weights,
        edges=edges,
    )


def resident_memory() -> int | None:
    """Return the bytes that this process holds now, None where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def available_memory() -> int | None:
    """Return the bytes that can still be had on this machine, None where that cannot be told."""
    if sys.platform == "linux":
        try:
            lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def refuse_if_too_large(
    need: MemoryEstimate,
    available: int | None,
    smaller: Mapping[str, MemoryEstimate],
    processes: int = 1,
) -> None:
    """Refuse a run that cannot fit.

    Args:
        need: of the run.
        available: bytes, None where that is not known.
        smaller: by option, what the run would need with half of it.
        processes: that run on this machine together and need as much each.

    Raises:
        CgcError: the need is larger than what is available; says what to lower.
    """
    if available is None or need.total * processes <= available:
        return
    best = min(smaller, key=lambda name: smaller[name].total, default=None)
    helps = best is not None and smaller[best].total < LEAST_HELP * need.total
    raise CgcError(
        f"{need.sentence()} Only {available / 2**30:.1f} GiB are free"
        + (f" for {processes} processes; start fewer, or " if processes > 1 else "; ")
        + (f"lower {best}, or close other programs." if helps else "close other programs.")
    )
