# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of `build.py`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from development.environments import SetupError, say

from .archiving import make_archive
from .bundling import make_bundle
from .fetching import CACHE, Sources
from .gsplat_binaries import name_binaries
from .locking import write_locks
from .official_builder import find_builder
from .releasing import Contents, make_release, report
from .targets import BUILDS, PLATFORMS, PYTHONS, ROOT, Target, all_targets, named
from .thin import make_thin


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for and return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except SetupError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    lock = commands.add_parser("lock", help="write locks, proven for their platforms")
    _add_target_choice(lock)
    lock.add_argument("--gsplat", type=Path, help="folder with our builds of gsplat")
    lock.set_defaults(run=_lock)

    gsplat = commands.add_parser("gsplat", help="name our builds of gsplat in the locks there are")
    gsplat.add_argument("folder", type=Path, metavar="FOLDER", help="where the builds are")
    _add_target_choice(gsplat, builds=False)
    gsplat.set_defaults(run=_gsplat, build="cuda")

    bundle = commands.add_parser("bundle", help="build zips that carry a CPU engine")
    _add_target_choice(bundle, builds=False)
    _add_sources(bundle)
    _add_builder(bundle)
    bundle.add_argument("--out", type=Path, default=ROOT / "dist", help="folder; dist without it")
    bundle.set_defaults(run=_bundle, build="cpu")

    archive = commands.add_parser("archive", help="put engines into archives to install offline")
    _add_target_choice(archive)
    _add_sources(archive)
    archive.add_argument("--out", type=Path, default=ROOT / "dist", help="folder; dist without it")
    archive.set_defaults(run=_archive)

    thin = commands.add_parser("thin", help="build the extension without an engine")
    _add_builder(thin)
    thin.add_argument("--gsplat", type=Path, help="folder with our builds of gsplat, to be carried")
    thin.add_argument("--out", type=Path, default=ROOT / "dist", help="folder; dist without it")
    thin.set_defaults(run=_thin)

    release = commands.add_parser("release", help="make the folder that a server offers")
    release.add_argument("out", type=Path, metavar="OUT", help="folder; one of before is replaced")
    release.add_argument(
        "--bundle", action="append", default=[], metavar="TARGET", help="such as linux-x64-py3.11"
    )
    release.add_argument(
        "--engine", action="append", default=[], metavar="TARGET", help="linux-x64-py3.11-cuda"
    )
    _add_sources(release)
    _add_builder(release)
    release.set_defaults(run=_release)
    return parser


def _add_target_choice(parser: argparse.ArgumentParser, *, builds: bool = True) -> None:
    parser.add_argument("--platform", choices=PLATFORMS, help="only this; else all")
    parser.add_argument("--python", choices=PYTHONS, help="only this; else all")
    if builds:
        parser.add_argument("--build", choices=BUILDS, help="only this; else all")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", type=Path, default=CACHE, help="where fetched wheels stay")
    parser.add_argument("--gsplat", type=Path, help="folder with our builds of gsplat")


def _add_builder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--blender", type=Path, help="build with this Blender, not the module bpy")


def _sources(given: argparse.Namespace) -> Sources:
    return Sources(given.cache.resolve(), given.gsplat)


def _chosen(given: argparse.Namespace) -> list[Target]:
    return [
        target
        for target in all_targets()
        if given.platform in (None, target.platform)
        and given.python in (None, target.python)
        and given.build in (None, target.build)
    ]


def _lock(given: argparse.Namespace) -> int:
    problems = write_locks(_chosen(given), given.gsplat)
    for problem in problems:
        print(f"No lock for {problem}", file=sys.stderr)
    return 1 if problems else 0


def _gsplat(given: argparse.Namespace) -> int:
    name_binaries(_chosen(given), given.folder.resolve())
    return 0


def _bundle(given: argparse.Namespace) -> int:
    builder = find_builder(given.blender)
    for target in _chosen(given):
        begun = time.monotonic()
        _report(make_bundle(target, given.out.resolve(), _sources(given), builder), begun)
    return 0


def _archive(given: argparse.Namespace) -> int:
    for target in _chosen(given):
        begun = time.monotonic()
        _report(make_archive(target, given.out.resolve(), _sources(given)), begun)
    return 0


def _thin(given: argparse.Namespace) -> int:
    begun = time.monotonic()
    for file in make_thin(given.out.resolve(), given.gsplat, find_builder(given.blender)):
        _report(file, begun)
    return 0


def _release(given: argparse.Namespace) -> int:
    contents = Contents(
        [named(f"{name}-cpu") for name in given.bundle], [named(name) for name in given.engine]
    )
    make_release(given.out.resolve(), contents, _sources(given), find_builder(given.blender))
    report(given.out.resolve())
    return 0


def _report(file: Path, begun: float) -> None:
    size, seconds = file.stat().st_size / 1e6, time.monotonic() - begun
    say(f"{file.name}: {size:,.1f} MB, made in {seconds:.0f} s.")


if __name__ == "__main__":
    raise SystemExit(main())
