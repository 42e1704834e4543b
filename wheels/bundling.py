# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: the extension with every wheel of a CPU engine, which Blender unpacks by itself.

The worker of such an extension runs with Blender's own Python, which brings numpy.
"""

from __future__ import annotations

import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename

from development.environments import SetupError

from .fetching import Sources, fetch
from .locks import Lock, LockedPackage, read_lock
from .official_builder import Builder, build
from .short_paths import is_too_long, shortened
from .staging import MANIFEST, extension_version, place, unpack_thin, with_values
from .targets import Target, fits

SHIPPED_BY_BLENDER = frozenset(
    {
        *("attrs", "cattrs", "certifi", "charset-normalizer", "cython", "idna", "numpy"),
        *("requests", "urllib3", "zstandard"),
    }
)
"""What the module bpy of 4.5, 5.2 or 5.3 asks for, and what that needs in turn. A wheel of it in an
extension would go before Blender's own, for every other extension, too."""
WHEELS = "wheels"
NOT_FOR_BUNDLES = SHIPPED_BY_BLENDER | {"pip"}

BLENDERS_OF_PYTHON = {
    "3.11": {"blender_version_min": "4.5.0", "blender_version_max": "5.1.0"},
    "3.13": {"blender_version_min": "5.1.0"},
}
"""The range of Blenders with a Python, as manifests write it: from the first, below the last."""


def bundled(lock: Lock) -> list[LockedPackage]:
    """Return the packages of a lock that a bundle has to carry."""
    return [package for package in lock.packages if package.name not in NOT_FOR_BUNDLES]


def bundle_name(target: Target) -> str:
    """Return the name of a bundle's file."""
    return f"cgc-{extension_version()}-{target.platform}-py{target.python}.zip"


def make_bundle(target: Target, folder: Path, sources: Sources, builder: Builder) -> Path:
    """Build, check and return the bundle of a target.

    Raises:
        SetupError: a wheel cannot be had, or the builder refuses.
    """
    lock = read_lock(target)
    wheels = list(fetch(lock, bundled(lock), sources).values())
    bundle = folder / bundle_name(target)
    with tempfile.TemporaryDirectory(dir=sources.cache) as temporary:
        stage = Path(temporary, "stage")
        unpack_thin(builder, stage)
        if target.platform == "windows-x64":
            wheels = [shortened(wheel, Path(temporary, "shortened")) for wheel in wheels]
        names = place(wheels, stage / WHEELS)
        manifest = (stage / MANIFEST).read_text("utf-8")
        (stage / MANIFEST).write_text(staged_manifest(manifest, target, names), "utf-8")
        build(builder, stage, bundle)
    check_bundle(bundle, lock)
    return bundle


def staged_manifest(manifest: str, target: Target, wheels: Sequence[str]) -> str:
    """Return the repository's manifest for a bundle: which wheels, platform and Blenders."""
    values: dict[str, str | Sequence[str]] = {**BLENDERS_OF_PYTHON[target.python]}
    values["platforms"] = [target.platform]
    values["wheels"] = [f"./{WHEELS}/{name}" for name in wheels]
    return with_values(manifest, values)


def check_bundle(bundle: Path, lock: Lock) -> None:
    """Raise where a bundle does not hold what the lock says, or something that is Blender's.

    Raises:
        SetupError: naming the first wheel that is wrong.
    """
    with zipfile.ZipFile(bundle) as opened:
        inside = {name for name in opened.namelist() if name.endswith(".whl")}
        manifest = tomllib.loads(opened.read(MANIFEST).decode())
    listed = {name.removeprefix("./") for name in manifest["wheels"]}
    wanted = {f"{WHEELS}/{package.file}" for package in bundled(lock)}
    if inside != listed or listed != wanted:
        odd = sorted((inside | listed | wanted) - (inside & listed & wanted))
        raise SetupError(
            f"{bundle.name}: {odd[0]} is not in all three of the zip, its manifest and the lock."
        )
    files = sorted(Path(name).name for name in inside)
    for file in files:
        if not fits(file, lock.target):
            raise SetupError(f"{bundle.name}: {file} does not fit {lock.target}.")
    names = {parse_wheel_filename(file)[0] for file in files}
    if wrong := names & NOT_FOR_BUNDLES:
        raise SetupError(f"{bundle.name}: {', '.join(sorted(wrong))} is Blender's own.")
    if lock.target.platform == "windows-x64":
        _check_paths(bundle)


def _check_paths(bundle: Path) -> None:
    """Raise where a file of a wheel is too deep for Windows."""
    with zipfile.ZipFile(bundle) as opened:
        for name in opened.namelist():
            if name.endswith(".whl"):
                with opened.open(name) as stream, zipfile.ZipFile(stream) as wheel:
                    for inner in wheel.namelist():
                        if is_too_long(inner):
                            raise SetupError(f"{bundle.name}: {inner} is too deep for Windows.")
