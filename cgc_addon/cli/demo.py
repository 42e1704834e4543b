# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `demo`: the whole way on the bundled sample."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import CgcError
from ..progress import Progress, ShouldStop
from ..training.presets import DEFAULT_PRESET, PRESETS
from .blend import BlendWriter, describe, make_blend
from .console.quiet import Quiet
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
    file = output / "demo.blend"
    with _blending(folder.path, file, options.blend_writer(), sink, should_stop) as blended:
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
            figures += f", mIoU {segmentation.mean_iou:.3f}"
            figures += f", mBIoU {segmentation.mean_boundary_iou:.3f}"
        sheet = output / "contact_sheet.png"
        write_contact_sheet(
            sheet,
            folder,
            dataset,
            backend,
            title="Contrastive Gaussian Clustering: the bundled sample",
            subtitle=f"{summary.gaussians:,} Gaussians, {summary.segments} segments from masks "
            f"that disagree between photos. Held-out views: {figures}.",
        )
        blend, outcome = blended()
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


@contextmanager
def _blending(
    run_folder: Path,
    file: Path,
    writer: BlendWriter | None,
    sink: Sink,
    should_stop: ShouldStop,
) -> Iterator[Callable[[], tuple[Path | None, str]]]:
    """Let another Blender write the .blend while the block runs; give what waits for it.

    Where this process is the Blender, the .blend is written when it is waited for. If the block
    ends in an error, so does the other Blender.
    """
    if writer is not None:
        yield lambda: _blend(run_folder, file, writer, sink, should_stop)
        return
    left = False
    with ThreadPoolExecutor(1, "blend") as beside:
        # Its progress would be mixed with that of the block.
        written = beside.submit(
            _blend, run_folder, file, None, Quiet(), lambda: left or should_stop()
        )

        def wait() -> tuple[Path | None, str]:
            if not written.done():
                sink.report(Progress("Writing the .blend", 0, 1))
            return written.result()

        try:
            yield wait
        except BaseException:
            left = True
            raise


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
