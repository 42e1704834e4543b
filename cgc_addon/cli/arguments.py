# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs' arguments."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from ..cgc.settings import EVIDENCE, FEATURE_MODES, REDUCTIONS, SPATIAL_LOSSES
from ..choices import names
from ..masks.levels import DEFAULT_LEVELS, LEVELS
from ..masks.models.known import DEFAULT_MODEL, KNOWN, NO_MASKS
from ..rasterize.backends import AUTO, backend_names
from ..reconstruction.settings import MATCHINGS, SolveSettings
from ..results.render_folder import KINDS, LABELS, RGB
from ..splats.formats import DEFAULT_SPZ_VERSION, SPZ_VERSIONS, WRITTEN_ENDINGS
from ..training.config import HIGHEST_SEED
from ..training.presets import DEFAULT_PRESET, PRESETS
from ..version import __version__
from . import (
    blend,
    demo,
    draw,
    engine,
    evaluate,
    export,
    from_photos,
    masks,
    models,
    pick,
    probe,
    render,
    segment,
    solve,
    train,
    undistort,
)
from .correction_arguments import add_corrections

HIGHEST_COUNT = 2**31 - 1
"""Of anything that is counted, ids, and the seeds of COLMAP."""
LONGEST_VALUE = 40
"""Characters of a wrong value that are shown."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; `verb` of the result is the function to call.

    Raises:
        SystemExit: 0 after --help or --version, 2 on a mistake, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog="cgc",
        description="Photo captures become Gaussian splats separated into objects.",
    )
    parser.add_argument("--version", action="version", version=f"cgc {__version__}")
    parser.set_defaults(blend_writer=blend.no_writer, kept=None)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    functions = (
        _demo, _solve, _masks, _models, _from_photos, _train, _segment, _render, _pick, _evaluate,
        _export, _undistort, _blend, _draw, _probe, _install_engine, _check_engine, _remove_engine,
    )  # fmt: skip
    for add in functions:
        verb = add(verbs)
        verb.add_argument("--json", action="store_true", help="print JSON lines for machines")
    return parser.parse_args(list(arguments))


def _demo(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("demo", help="the whole way on the bundled sample")
    verb.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="DIR")
    _backend(verb)
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    verb.add_argument("--seed", type=_seed, default=0)
    verb.set_defaults(verb=demo.run)
    return verb


def _masks(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("masks", help="label maps of the photos, made here or brought along")
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    origin = verb.add_mutually_exclusive_group()
    origin.add_argument(
        "--model",
        metavar="NAME|PATH",
        help=f"{', '.join(KNOWN)}, or a checkpoint or ONNX file; default: {DEFAULT_MODEL}",
    )
    origin.add_argument(
        "--import",
        type=Path,
        dest="source",
        metavar="FOLDER",
        help="take the masks of another program instead",
    )
    verb.add_argument(
        "--levels", choices=names(LEVELS), help="both: finer maps into masks_parts/ as well"
    )
    verb.add_argument(
        "--only",
        nargs="+",
        metavar="new|PATTERN",
        help="photos by name, as left/*.jpg; new, the default, means all without a label map",
    )
    verb.add_argument(
        "--points-per-side",
        type=_positive,
        metavar="N",
        help="of the grid of points that the model is asked; more finds smaller things",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace label maps that are there")
    verb.set_defaults(verb=masks.run)
    return verb


def _models(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("models", help="mask models: which there are, and getting one")
    verb.add_argument("--download", choices=tuple(KNOWN), metavar="NAME", help=", ".join(KNOWN))
    verb.set_defaults(verb=models.run)
    return verb


def _solve(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("solve", help="photos or a video become a dataset with cameras")
    verb.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder, or a video file")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DATASET")
    add_solve_options(verb)
    verb.add_argument("--overwrite", action="store_true", help="make a solved DATASET anew")
    verb.set_defaults(verb=solve.run)
    return verb


def add_solve_options(verb: argparse.ArgumentParser) -> None:
    """Add what can be chosen about solving; `solve.settings_of` reads it."""
    verb.add_argument("--matching", choices=names(MATCHINGS), default=SolveSettings.matching)
    verb.add_argument(
        "--frames",
        type=_positive,
        default=SolveSettings.frames,
        metavar="N",
        help="photos taken from a video",
    )
    verb.add_argument(
        "--max-size",
        type=_positive,
        default=SolveSettings.max_size,
        metavar="PX",
        help="longest side of the photos",
    )
    verb.add_argument("--seed", type=_natural, default=0)


def _train(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("train", help="photos, cameras and masks become a segmented splat")
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RUN")
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    _minutes(verb)
    verb.add_argument("--steps", type=_positive, help="photometric steps; schedules stretch along")
    _backend(verb)
    verb.add_argument("--test-every", type=_positive, metavar="N", help="hold out every N-th photo")
    verb.add_argument("--max-size", type=_positive, metavar="PX", help="longest side of the photos")
    verb.add_argument("--max-gaussians", type=_positive, metavar="N", help="cap on their number")
    verb.add_argument("--seed", type=_seed, default=0)
    verb.add_argument(
        "--batch",
        type=_positive,
        default=1,
        metavar="N",
        help="photos of a step; at least one for each process that trains",
    )
    verb.add_argument("--resume", action="store_true", help="go on from the last checkpoint of RUN")
    verb.add_argument("--overwrite", action="store_true", help="start anew in a RUN that exists")
    verb.add_argument(
        "--checkpoint-every",
        type=_number,
        default=20.0,
        metavar="S",
        help="seconds a kill may cost",
    )
    verb.add_argument(
        "--preview", type=_seconds, metavar="S", help="write RUN/preview.npy every so many seconds"
    )
    verb.add_argument(
        "--init", type=Path, metavar="SPLAT", help="an existing splat: learn only features"
    )
    methods = verb.add_argument_group("the method (default: as the preset says)")
    methods.add_argument("--features", choices=names(FEATURE_MODES))
    methods.add_argument("--reduction", choices=names(REDUCTIONS))
    methods.add_argument("--spatial", choices=names(SPATIAL_LOSSES))
    methods.add_argument("--granularity", type=_share, metavar="F", help="0 parts … 1 objects")
    methods.add_argument(
        "--evidence",
        choices=names(EVIDENCE),
        help="what says which parts are one object: label maps, or all answers of the mask model",
    )
    verb.set_defaults(verb=train.run)
    return verb


def _segment(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("segment", help="cut the clusters again, without training")
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument("--granularity", type=_share, metavar="F", help="0 parts … 1 objects")
    verb.add_argument("--min-size", type=_positive, metavar="N", help="Gaussians a segment needs")
    add_corrections(verb, _natural, _place)
    _backend(verb)
    verb.set_defaults(verb=segment.run)
    return verb


def _render(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("render", help="pictures, label maps, features, depth")
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument(
        "--cameras",
        type=Path,
        metavar="PATH",
        help="a dataset folder or a cameras.json; default: the views the run was trained on",
    )
    verb.add_argument("--what", type=_kinds, default=(RGB, LABELS), metavar="rgb,labels,…")
    verb.add_argument(
        "--ids", action="store_true", help="write DIR/segments.json: names and colours of the ids"
    )
    verb.add_argument(
        "--palette", action="store_true", help="paint labels in those colours into DIR/palette/"
    )
    verb.add_argument(
        "--segments", type=Path, metavar="FILE", help="the segments.json that names segments"
    )
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    _backend(verb)
    verb.set_defaults(verb=render.run)
    return verb


def _pick(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("pick", help="what is at a place of a view, and its Gaussians")
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument("--view", metavar="NAME", help="of a photo of the cameras")
    verb.add_argument(
        "--at",
        type=_place,
        nargs="+",
        metavar="X,Y",
        help="pixels from the upper left corner of the view, as `render` draws it",
    )
    verb.add_argument(
        "--by",
        choices=("segment", "feature", "mask"),
        default="segment",
        help="feature: all Gaussians that look alike, whatever segment they are in; mask: the mask "
        "model is asked what is there, in photos all round",
    )
    verb.add_argument(
        "--gaussian",
        type=_natural,
        metavar="N",
        help="by mask, in place of --view and --at: this one of the run's splat.ply",
    )
    verb.add_argument("--model", metavar="NAME|PATH", help=f"default: {DEFAULT_MODEL}")
    verb.add_argument(
        "--min-cosine", type=_cosine, metavar="C", help="how much alike, -1 to 1; default: 0.7"
    )
    verb.add_argument(
        "--cameras",
        type=Path,
        metavar="PATH",
        help="a dataset folder or a cameras.json; default: the views the run was trained on",
    )
    verb.add_argument("-o", "--output", type=Path, metavar="FILE.ply", help="write them there")
    verb.add_argument("--indices", type=Path, metavar="FILE.npy", help="write their numbers there")
    _backend(verb)
    verb.set_defaults(verb=pick.run)
    return verb


def _evaluate(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("evaluate", help="PSNR, SSIM and, with gt/, segmentation scores")
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    _backend(verb)
    verb.set_defaults(verb=evaluate.run)
    return verb


def _export(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("export", help="the splat or some segments as one file")
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument("--segment", type=_natural, nargs="+", metavar="ID")
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"its ending says which format: {', '.join(WRITTEN_ENDINGS)}",
    )
    verb.add_argument(
        "--plain",
        action="store_true",
        help="PLY without segments and features, for programs that take 3DGS's layout alone",
    )
    verb.add_argument("--spz-version", type=int, choices=SPZ_VERSIONS, default=DEFAULT_SPZ_VERSION)
    verb.set_defaults(verb=export.run)
    return verb


def _from_photos(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("from-photos", help="photos or a video become a segmented splat")
    verb.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of photos, or a video")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DATASET")
    verb.add_argument("--run", type=Path, metavar="RUN", help="default: DATASET_run beside it")
    verb.add_argument(
        "--overwrite", action="store_true", help="make cameras, masks and run anew if they exist"
    )
    verb.add_argument("--matching", choices=names(MATCHINGS), default=SolveSettings.matching)
    verb.add_argument("--frames", type=_positive, metavar="N", help="taken from a video")
    verb.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|PATH",
        help=f"{', '.join(KNOWN)}, a file, or {NO_MASKS.name} for no masks",
    )
    verb.add_argument("--levels", choices=names(LEVELS), default=DEFAULT_LEVELS)
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    _minutes(verb)
    verb.add_argument("--steps", type=_positive, help="photometric steps; schedules stretch along")
    _backend(verb)
    verb.add_argument("--test-every", type=_positive, metavar="N", help="hold out every N-th photo")
    verb.add_argument(
        "--max-size", type=_positive, metavar="PX", help="longest side of the photos in training"
    )
    verb.add_argument("--max-gaussians", type=_positive, metavar="N", help="cap on their number")
    verb.add_argument("--seed", type=_natural, default=0)
    verb.add_argument(
        "--preview", type=_seconds, metavar="S", help="write RUN/preview.npy every so many seconds"
    )
    verb.set_defaults(verb=from_photos.run)
    return verb


def _blend(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("blend", help="a .blend with cameras, points and segments")
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument(
        "--dataset", type=Path, metavar="DATASET", help="default: the one the run was trained on"
    )
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.blend")
    verb.add_argument(
        "--blender", metavar="PATH", help="a Blender, or a Python that has the module bpy"
    )
    verb.set_defaults(verb=blend.run)
    return verb


def _undistort(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("undistort", help="photos and cameras without lens distortion")
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    verb.add_argument("--max-size", type=_positive, metavar="PX", help="longest side of the photos")
    verb.set_defaults(verb=undistort.run)
    return verb


def _draw(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("draw", help="one frame of a scene, as Blender asks for it")
    verb.add_argument("request", type=Path, metavar="REQUEST.json")
    verb.set_defaults(verb=draw.run)
    return verb


def _probe(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    verb = verbs.add_parser("probe", help="versions, devices, backends, what is missing")
    verb.set_defaults(verb=probe.run)
    return verb


def _install_engine(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("install-engine", help="packages for this Python, also mended, updated")
    verb.add_argument("--build", choices=engine.BUILD_CHOICES, default=engine.AUTO)
    verb.add_argument(
        "--from",
        type=Path,
        dest="archive",
        metavar="ARCHIVE.zip",
        help="an engine archive; nothing is downloaded",
    )
    _engine_folder(verb)
    verb.set_defaults(verb=engine.run_install)
    return verb


def _check_engine(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("check-engine", help="whether the installed engine is whole and works")
    _engine_folder(verb)
    verb.set_defaults(verb=engine.run_check)
    return verb


def _remove_engine(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser("remove-engine", help="delete the installed engine, all of it")
    verb.add_argument("--build", choices=engine.BUILD_CHOICES, default=engine.AUTO)
    _engine_folder(verb)
    verb.set_defaults(verb=engine.run_remove)
    return verb


def _engine_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="of the engines; default: CGC_ENGINES, else one of the user's data folders",
    )


def _backend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=backend_names(), default=AUTO)


def _minutes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--minutes",
        type=_seconds,
        metavar="N",
        help="time for training: photo size, steps and cap are chosen to fit",
    )


def _positive(text: str) -> int:
    return _whole(text, 1, HIGHEST_COUNT)


def _natural(text: str) -> int:
    return _whole(text, 0, HIGHEST_COUNT)


def _seed(text: str) -> int:
    return _whole(text, 0, HIGHEST_SEED)


def _whole(text: str, lowest: int, highest: int) -> int:
    """Return a whole number within limits that all packages can take."""
    try:
        value = int(text)
    except ValueError:  # no number, or one of thousands of digits
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a whole number") from None
    if value < lowest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not {lowest} or more")
    if value > highest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not {highest} or less")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a number") from None


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _seconds(text: str) -> float:
    value = _number(text)
    if not value > 0.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not more than 0")
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not between 0 and 1")
    return value


def _cosine(text: str) -> float:
    value = _number(text)
    if not -1.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not between -1 and 1")
    return value


def _place(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{_short(text)!r} is no place; write it as 120,80"
        ) from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise argparse.ArgumentTypeError(f"{_short(text)!r} is no place; write it as 120,80")
    return x, y


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in text.split(",") if part.strip())
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(
                f"{kind!r} cannot be rendered; choose of {', '.join(KINDS)}"
            )
    if not kinds:
        raise argparse.ArgumentTypeError("name at least one kind of picture")
    return tuple(dict.fromkeys(kinds))
