# SPDX-License-Identifier: GPL-3.0-or-later
"""A file from the network: resumed where it broke off, checked, whole or not there.

While it comes it is called `NAME.part`; what has come is kept whatever happens, but for content
that is wrong. The standard library is enough for this, since Blender's own Python has nothing else.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import CgcError, Interrupted
from ...progress import Progress, Reporter, ShouldStop, never, silent

STALL_SECONDS = 30.0
"""A server that sends nothing for so long counts as gone."""
RECONNECTIONS = 5
"""How often a connection that breaks off after it brought something is made anew."""
MEGABYTE = 1_000_000
_CHUNK = 1 << 18
_REPORT_SECONDS = 0.2
_PARTIAL, _RANGE_REFUSED = 206, 416


@dataclass(frozen=True)
class RemoteFile:
    """A file as it must be."""

    name: str
    url: str
    size: int
    """Bytes."""
    sha256: str


class _BrokenOff(Exception):  # noqa: N818 - not an error yet: it is tried again
    """The connection ended early."""


def fetch(
    wanted: RemoteFile,
    folder: Path,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Path:
    """Get a file into a folder; one that is there and right is left as it is.

    Args:
        wanted: what it is and where it comes from.
        folder: made if missing.
        report: progress in MB (10⁶ bytes).
        should_stop: asked several times a second.

    Returns:
        The file's path.

    Raises:
        CgcError: no network, a wrong answer, wrong content, no room; another call goes on with what
            has come.
        Interrupted: `should_stop` said so; another call goes on with what has come.
    """
    path, part = folder / wanted.name, folder / f"{wanted.name}.part"
    try:
        if _size(path) == wanted.size and _digest(path, report, should_stop) == wanted.sha256:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        if _size(part) > wanted.size:
            part.unlink()
        _check_room(folder, wanted, _size(part))
        _receive_all(wanted, part, report, should_stop)
        if _digest(part, report, should_stop) != wanted.sha256:
            part.unlink()
            raise CgcError(
                f"{wanted.url} sent something else than {wanted.name}: its checksum differs; what "
                "came is deleted, download it again."
            )
        part.replace(path)
    except OSError as error:
        raise CgcError(
            f"{part} could not be written: {error.strerror or error}; check free space and "
            "permissions of that folder, then download again: what has come is kept."
        ) from error
    return path


def _receive_all(wanted: RemoteFile, part: Path, report: Reporter, should_stop: ShouldStop) -> None:
    """Let `part` grow to its full size, over several connections if need be."""
    reconnections = 0
    while (before := _size(part)) < wanted.size:
        try:
            _receive(wanted, part, report, should_stop)
        except _BrokenOff as broken:
            reconnections += 1
            if _size(part) <= before or reconnections > RECONNECTIONS:
                raise CgcError(
                    f"{wanted.url} could not be read on after {_megabytes(_size(part))} of "
                    f"{_megabytes(wanted.size)}: {broken}; what has come is kept, download again "
                    "to go on."
                ) from broken
            _wait(1.0, should_stop)


def _receive(wanted: RemoteFile, part: Path, report: Reporter, should_stop: ShouldStop) -> None:
    """Add to `part` what one connection brings.

    Raises:
        CgcError: there is no connection, or the answer is not the file.
        OSError: `part` cannot be written.
        _BrokenOff: the connection ended before the file did.
    """
    have = _size(part)
    headers = {"User-Agent": "cgc-addon", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = urllib.request.urlopen(
            urllib.request.Request(wanted.url, headers=headers), timeout=STALL_SECONDS
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _RANGE_REFUSED and have:
            part.unlink()  # the next connection asks for the whole
            return
        raise CgcError(
            f"{wanted.url} cannot be had: the server answers {error.code} {error.reason}; try "
            "later, or get the file by other means and name its path."
        ) from error
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts among them
        reason = getattr(error, "reason", None) or error
        raise CgcError(
            f"{wanted.url} cannot be reached: {reason}; check the network, or get the file by "
            "other means and name its path."
        ) from error
    with answer:
        start = have if answer.status == _PARTIAL else 0
        length = answer.headers.get("Content-Length")
        if length is not None and length.isdigit() and int(length) != wanted.size - start:
            raise CgcError(
                f"{wanted.url} offers {int(length):,} bytes instead of {wanted.size - start:,}: it "
                "is another file, or a page that asks to log in; get it by other means and name "
                "its path."
            )
        with part.open("ab" if start else "wb") as file:
            _copy(answer, file.write, start, wanted, report, should_stop)
            file.flush()
            os.fsync(file.fileno())


def _copy(
    answer: http.client.HTTPResponse,
    write: Callable[[bytes], int],
    received: int,
    wanted: RemoteFile,
    report: Reporter,
    should_stop: ShouldStop,
) -> None:
    begun, first, shown = time.monotonic(), received, 0.0
    stage = f"Downloading {wanted.name}, MB"
    while received < wanted.size:
        if should_stop():
            raise Interrupted(stage)
        try:
            content = answer.read1(min(_CHUNK, wanted.size - received))
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenOff(str(error) or type(error).__name__) from error
        if not content:
            raise _BrokenOff("the connection ended")
        write(content)
        received += len(content)
        now = time.monotonic()
        if now - shown >= _REPORT_SECONDS or received == wanted.size:
            shown = now
            speed = (received - first) / max(now - begun, 1e-6)
            numbers = {"seconds_left": (wanted.size - received) / speed}
            total = max(1, wanted.size // MEGABYTE)
            report(Progress(stage, min(total, received // MEGABYTE), total, numbers))


def content_is(path: Path, wanted: RemoteFile) -> bool:
    """Say whether a file that is there holds what was promised.

    Raises:
        OSError: it cannot be read.
    """
    return _size(path) == wanted.size and _digest(path, silent, never) == wanted.sha256


def _check_room(folder: Path, wanted: RemoteFile, have: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted.size - have:
        raise CgcError(
            f"{folder} has room for {_megabytes(free)}, but {wanted.name} needs "
            f"{_megabytes(wanted.size - have)} more; free some space, or choose another folder in "
            "CGC_MODELS."
        )


def _digest(path: Path, report: Reporter, should_stop: ShouldStop) -> str:
    digest, done, total = hashlib.sha256(), 0, max(1, _size(path) // MEGABYTE)
    stage = f"Checking {path.name.removesuffix('.part')}, MB"
    with path.open("rb") as file:
        while content := file.read(1 << 22):
            if should_stop():
                raise Interrupted(stage)
            digest.update(content)
            done += len(content)
            report(Progress(stage, min(total, done // MEGABYTE), total))
    return digest.hexdigest()


def _wait(seconds: float, should_stop: ShouldStop) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if should_stop():
            raise Interrupted("Downloading")
        time.sleep(0.05)


def _size(path: Path) -> int:
    """Return the size of a file, 0 without one."""
    return path.stat().st_size if path.is_file() else 0


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:.1f} MB"
