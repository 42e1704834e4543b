# SPDX-License-Identifier: GPL-3.0-or-later
"""pip, run from its unpacked wheel by whichever Python packages are wanted for.

The pip that comes with Python fetches the one that the lock names; that one does all the rest.
pip's usual variables and files (indexes, proxies, certificates) apply while it looks for packages,
and none of them while it installs what is here.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CgcError
from ..progress import ShouldStop, never
from .lock import Package, PackageFile
from .programs import clean_environment, isolated, run_program

BYTES_SINCE = (24, 1)
"""The version of pip that began to tell bytes to programs."""
RETRIES = "3"
"""How often pip tries to connect, unless PIP_RETRIES says it."""
_ELSEWHERE = (
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON",
    "PIP_DEST", "PIP_DRY_RUN", "PIP_REPORT", "PIP_LOG", "PIP_REQUIREMENT", "PIP_CONSTRAINT",
    "PIP_NO_BINARY", "PIP_PLATFORM", "PIP_PYTHON_VERSION", "PIP_PROGRESS_BAR", "PIP_QUIET",
)  # fmt: skip
"""pip's variables that would put packages elsewhere, or have it say other things than we read."""
_PROGRESS = re.compile(r"\s*Progress (\d+) of (\d+)\s*")
_COLLECTING = re.compile(r"\s*Collecting ([A-Za-z0-9._-]+)")


class NotFoundError(CgcError):
    """No index that can be reached has a package."""


@dataclass(frozen=True)
class Pip:
    """One pip, unpacked into a folder."""

    folder: Path
    tells_bytes: bool
    """Whether it can tell how many bytes have come, as those since 24.1 can."""

    def download(
        self,
        python: Path,
        wanted: Sequence[tuple[Package, PackageFile]],
        into: Path,
        indexes: Sequence[str] = (),
        on_bytes: Callable[[str, int], None] = lambda _name, _received: None,
        should_stop: ShouldStop = never,
    ) -> None:
        """Fetch files of packages; each has to have the hash of the lock.

        Args:
            python: Python that they are for.
            wanted: packages with the file of each.
            into: folder for the files.
            indexes: where to look beside pip's own.
            on_bytes: takes the name of the package that comes, and how many bytes of it are here.
            should_stop: asked several times a second.

        Raises:
            NotFoundError: nobody has one of them.
            CgcError: no network, another hash, no room.
            Interrupted: `should_stop` said so.
        """
        name = wanted[0][0].name

        def take(line: str) -> None:
            nonlocal name
            if found := _COLLECTING.match(line):
                name = found[1]
            elif found := _PROGRESS.fullmatch(line):
                on_bytes(name, int(found[1]))

        temporary = into / "coming"
        temporary.mkdir(parents=True, exist_ok=True)
        wheels_only = all(file.file.endswith(".whl") for _, file in wanted)
        arguments: list[str | Path] = ["download", "--dest", into, "--no-deps", "--no-cache-dir"]
        arguments += ["--progress-bar", "raw" if self.tells_bytes else "off"]
        arguments += ["--only-binary", ":all:"] if wheels_only else ["--no-build-isolation"]
        for index in indexes:
            arguments += ["--extra-index-url", index]
        self._run(python, arguments, wanted, into, temporary, take, should_stop, offline=False)

    def install(
        self,
        environment_python: Path,
        wanted: Sequence[tuple[Package, PackageFile]],
        files: Path,
        should_stop: ShouldStop = never,
    ) -> None:
        """Install files of packages that lie in a folder, in place of what is there of them.

        Raises:
            CgcError: one is missing there or has another hash; no room.
            Interrupted: `should_stop` said so.
        """
        arguments: list[str | Path] = ["install", "--no-index", "--find-links", files, "--no-deps"]
        arguments += ["--no-compile", "--no-warn-script-location", "--force-reinstall"]
        arguments += ["--no-cache-dir", "--progress-bar", "off"]
        temporary = files / "coming"
        temporary.mkdir(parents=True, exist_ok=True)
        self._run(
            environment_python, arguments, wanted, files, temporary, lambda _line: None,
            should_stop, offline=True,
        )  # fmt: skip

    def uninstall(self, environment_python: Path, names: Sequence[str], temporary: Path) -> None:
        """Take packages out of an environment.

        Raises:
            CgcError: that failed.
        """
        environment = _environment(temporary, offline=True)
        command = isolated(environment_python, self.folder / "pip", "uninstall", "--yes", *names)
        ended = run_program(command, environment)
        if ended.code != 0:
            raise CgcError(explained(ended.lines, temporary))

    def _run(
        self,
        python: Path,
        arguments: Sequence[str | Path],
        wanted: Sequence[tuple[Package, PackageFile]],
        folder: Path,
        temporary: Path,
        on_line: Callable[[str], None],
        should_stop: ShouldStop,
        *,
        offline: bool,
    ) -> None:
        requirements = folder / "requirements.txt"
        requirements.write_text("".join(_requirement(*entry) for entry in wanted), encoding="utf-8")
        options = ["--require-hashes", "--no-input", "--disable-pip-version-check"]
        command = isolated(
            python, self.folder / "pip", *arguments, *options, "--requirement", requirements
        )
        environment = _environment(temporary, offline=offline)
        ended = run_program(command, environment, on_line, should_stop)
        if ended.code == 0:
            return
        sentence = explained(ended.lines, folder)
        # Versions with a mark lie in an index of their own, which alone may be out of reach.
        marked = any("+" in file.version for _, file in wanted)
        if _is_missing(ended.lines) and (marked or not _is_cut_off(ended.lines)):
            raise NotFoundError(sentence)
        raise CgcError(sentence)


def unpacked(wheel: Path, folder: Path) -> Pip:
    """Unpack pip's wheel into a folder, and return what runs it.

    Raises:
        CgcError: it is damaged, or cannot be unpacked there.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise CgcError(
            f"{wheel} could not be unpacked into {folder} ({error}); check free space, then "
            "install the engine again."
        ) from error
    return Pip(folder, tells_bytes(wheel.name.split("-")[1]))


def tells_bytes(version: str) -> bool:
    """Return whether a version of pip has the raw progress bar."""
    numbers = re.findall(r"\d+", version)
    return tuple(int(number) for number in numbers[:2]) >= BYTES_SINCE


def explained(lines: Sequence[str], folder: Path) -> str:
    """Say in a sentence why pip failed.

    Args:
        lines: what it said.
        folder: what it wrote into.
    """
    text = "\n".join(lines)
    if "No space left on device" in text or "not enough space" in text or "Errno 28" in text:
        return (
            f"The disk of {folder} is full; free some space, then install the engine again: what "
            "was downloaded is kept."
        )
    if "DO NOT MATCH THE HASHES" in text:
        named = re.search(r"(?m)^\s{4}(\S+?)[=\s].*from", text)
        return (
            f"{named[1] if named else 'A package'} came with other content than the lock of this "
            "extension names, so it was thrown away; if you use a mirror, see what it serves, then "
            "install the engine again."
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSLError" in text:
        return (
            "The package index was not trusted, because its certificate cannot be checked; if a "
            "proxy stands between, name its certificate in the variable PIP_CERT, then start "
            "Blender again."
        )
    if "407" in text and "roxy" in text:
        return (
            "The proxy wants a name and a password; give them in the variable HTTPS_PROXY, as "
            "http://NAME:PASSWORD@HOST:PORT, then start Blender again."
        )
    if _is_cut_off(lines):
        return (
            "The package index could not be reached; check the network, or name a proxy "
            "(HTTPS_PROXY) or a mirror (PIP_INDEX_URL), then install the engine again: what was "
            "downloaded is kept."
        )
    if named := re.search(r"No matching distribution found for (\S+)", text):
        return (
            f"No package index that can be reached has {named[1].split('--hash')[0]}; if you use "
            "a mirror, see whether it has that version, or install from an engine archive."
        )
    if "Permission denied" in text or "Access is denied" in text or "WinError 5" in text:
        return (
            f"Files in {folder} could not be written, since they are held or protected; close "
            "other Blenders, check the folder's permissions, then install the engine again."
        )
    said = [line.strip() for line in lines if line.strip() and not _PROGRESS.fullmatch(line)]
    errors = [line for line in said if line.startswith("ERROR: ")]
    last = (errors or said or ["it said nothing"])[-1].removeprefix("ERROR: ").rstrip(".")
    return f"pip could not install the engine: {last}."


def _is_cut_off(lines: Sequence[str]) -> bool:
    text = "\n".join(lines)
    signs = (
        "connection broken by", "Max retries exceeded", "NewConnectionError", "ReadTimeout",
        "ProxyError", "Failed to establish a new connection", "failure in name resolution",
        "Connection aborted", "IncompleteRead", "Network is unreachable", "incomplete-download",
        "HTTP error 5", "Failed to connect", "failed to resolve", "Connection timed out",
        "download failed because not enough bytes",
    )  # fmt: skip
    return any(sign.lower() in text.lower() for sign in signs)


def _is_missing(lines: Sequence[str]) -> bool:
    return any("No matching distribution found" in line for line in lines)


def _requirement(package: Package, file: PackageFile) -> str:
    return f"{package.name}=={file.version} --hash=sha256:{file.sha256}\n"


def _environment(temporary: Path, *, offline: bool) -> dict[str, str]:
    """Return the variables for pip, which unpacks beside what it writes: /tmp may be small."""
    more = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    more["PYTHONUNBUFFERED"] = "1"
    environment = clean_environment(more)
    environment.setdefault("PIP_RETRIES", RETRIES)
    for name in _ELSEWHERE:
        environment.pop(name, None)
    if offline:
        environment = {n: value for n, value in environment.items() if not n.startswith("PIP_")}
        environment["PIP_CONFIG_FILE"] = os.devnull
    return environment
