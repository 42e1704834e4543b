# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `demo`: the whole way on the bundled sample."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from ..errors import CgcError
from ..progress import ShouldStop
from ..training.presets import DEFAULT_PRESET, PRESETS
from .blend import BlendWriter, describe, make_blend
from .console.sink import Sink
from .shared_arguments import add_backend
from .values import seed

SAMPLE = Path(__file__).parent.parent / "sample"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `demo`."""
    verb.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="DIR")
    add_backend(verb)
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    verb.add_argument("--seed", type=seed, default=0)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Train, render, evaluate and show the sample; results go below the output folder."""
    from ..dataset.load import load_dataset
    from ..rasterize.select import select_backend
    from ..results.contact_sheet import write_contact_sheet
    from ..results.evaluation import evaluate
    from ..results.render_folder import KINDS
    from ..results.renders import render_views
    from ..results.sources import read_splat
    from ..training.asked import Asked
    from ..training.pipeline import train
    from ..training.presets import preset
    from ..training.run_folder import RunFolder
    from ..training.run_lock import locked

    began = time.perf_counter()
    output: Path = options.output
    folder = RunFolder(output / "run")
    config = replace(
        preset(options.preset), seed=options.seed, backend=options.backend, test_every=8
    )
    with locked(folder.path):
        summary = train(
            SAMPLE,
            folder.path,
            config,
            asked=Asked(),
            overwrite=True,
            report=sink.report,
            say=sink.say,
            should_stop=should_stop,
        )
    backend, _ = select_backend(options.backend, sink.report, should_stop)
    dataset = load_dataset(SAMPLE, test_every=8)
    render_views(
        read_splat(folder),
        [dataset.store.view(index, 0) for index in dataset.test],
        KINDS,
        output / "renders",
        backend,
        report=sink.report,
        should_stop=should_stop,
    )
    scores = evaluate(folder, SAMPLE, backend, report=sink.report, should_stop=should_stop)
    segmentation = scores.segmentation
    figures = f"PSNR {scores.psnr:.1f} dB"
    if segmentation is not None:
        figures += f", mIoU {segmentation.mean_iou:.3f}, mBIoU {segmentation.mean_boundary_iou:.3f}"
    sheet = output / "contact_sheet.png"
    write_contact_sheet(
        sheet,
        folder,
        dataset,
        backend,
        title="Contrastive Gaussian Clustering: the bundled sample",
        subtitle=f"{summary.gaussians:,} Gaussians, {summary.segments} segments from masks that "
        f"disagree between photos. Held-out views: {figures}.",
    )
    blend, outcome = _blend(
        folder.path, output / "demo.blend", options.blend_writer(), sink, should_stop
    )
    seconds = time.perf_counter() - began
    sink.result(
        {
            "seconds": seconds,
            "contact_sheet": str(sheet),
            "blend": None if blend is None else str(blend),
            **scores.to_json(),
        },
        f"{scores.table()}\n\nThe whole way took {seconds:.0f} s. Look at {sheet}; "
        f"the splat is {folder.splat}.\n{outcome}",
    )


def _blend(
    run_folder: Path,
    file: Path,
    writer: BlendWriter | None,
    sink: Sink,
    should_stop: ShouldStop,
) -> tuple[Path | None, str]:
    """Write the .blend if there is a Blender; return its path and a sentence about it."""
    file.unlink(missing_ok=True)  # one of an earlier run would not be of this splat
    try:
        counts = make_blend(run_folder, None, file, None, writer, sink, should_stop)
    except CgcError as error:
        return None, f"The .blend was left out: {error}"
    return file, f"Open in Blender: {describe(counts, file)}"
