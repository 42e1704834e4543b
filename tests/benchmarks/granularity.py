# SPDX-License-Identifier: GPL-3.0-or-later
"""One training cut at several granularities: a table of scores, and a picture of the cuts.

    python tests/benchmarks/granularity.py RUN DATASET [-o PICTURE.png] [--at 0 0.1 0.2 0.5 1]

RUN was trained on DATASET with masks; it is copied, not changed. The picture has a row for each
granularity and a column for each of three views, held-out ones where there are any.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cgc_addon.cgc.segments import read_segments
from cgc_addon.dataset.load import load_dataset
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.results.evaluation import evaluate
from cgc_addon.results.renders import draw
from cgc_addon.results.sources import read_splat
from cgc_addon.training.recutting import segment_again
from cgc_addon.training.run_folder import RunFolder

COLUMNS, WIDTH, TITLE = 3, 340, 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--at", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])
    options = parser.parse_args()
    backend = CpuBackend()
    _, config = RunFolder(options.run).read_config()
    dataset = load_dataset(options.dataset, max_size=config.max_size, test_every=config.test_every)
    shown = dataset.test or dataset.train
    shown = shown[:: max(1, len(shown) // COLUMNS)][:COLUMNS]
    views = [dataset.store.view(index) for index in shown]
    height = round(WIDTH * views[0].camera.height / views[0].camera.width)
    picture = Image.new("RGB", (COLUMNS * WIDTH, len(options.at) * (height + TITLE)), "white")
    print("| granularity | segments | mIoU | mBIoU | best mIoU |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        shutil.copytree(options.run, folder.path)
        for row, granularity in enumerate(options.at):
            segments = segment_again(folder, granularity=granularity)
            score = evaluate(folder, options.dataset, backend).segmentation
            scores = (
                "– | – | –"
                if score is None
                else f"{score.mean_iou:.3f} | {score.mean_boundary_iou:.3f} "
                f"| {score.best_mean_iou:.3f}"
            )
            print(f"| {granularity:g} | {len(segments)} | {scores} |", flush=True)
            palette = read_segments(folder.segments).palette()
            drawn = draw(read_splat(folder), views, ("rgb", "labels"), backend)
            top = row * (height + TITLE)
            text = f"granularity {granularity:g}: {len(segments)} segments"
            font = ImageFont.load_default(15)
            ImageDraw.Draw(picture).text((6, top + 4), text, fill="black", font=font)
            for column, each in enumerate(drawn):
                assert each.rgb is not None
                assert each.labels is not None
                shade = np.clip(each.rgb, 0, 1).mean(axis=2, keepdims=True) * 0.7 + 0.3
                tile = (palette[each.labels] * shade).astype(np.uint8)
                scaled = Image.fromarray(tile).resize((WIDTH, height), Image.Resampling.LANCZOS)
                picture.paste(scaled, (column * WIDTH, top + TITLE))
    if options.output is not None:
        picture.save(options.output)


if __name__ == "__main__":
    main()
