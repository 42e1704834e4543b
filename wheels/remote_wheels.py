# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a wheel is and what it becomes unpacked, told from its last few kilobytes."""

from __future__ import annotations

import io
import os
import ssl
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Sizes:
    """Bytes of a wheel: the file, and all that is in it."""

    packed: int
    unpacked: int


def sizes_of(address: str) -> Sizes:
    """Return the sizes of a wheel at an address, without fetching it.

    Raises:
        OSError: the address does not answer, or its server sends no parts of files.
    """
    if urlsplit(address).scheme == "file":
        path = Path(urllib.request.url2pathname(urlsplit(address).path))
        with zipfile.ZipFile(path) as wheel:
            return Sizes(path.stat().st_size, _unpacked(wheel))
    remote = RemoteFile(address)
    with zipfile.ZipFile(io.BufferedReader(remote, 1 << 16)) as wheel:
        return Sizes(remote.size, _unpacked(wheel))


def _unpacked(wheel: zipfile.ZipFile) -> int:
    return sum(entry.file_size for entry in wheel.infolist())


def name_in(address: str) -> str:
    """Return the file's name at the end of an address."""
    return unquote(urlsplit(address).path.rpartition("/")[2])


class RemoteFile(io.RawIOBase):
    """A file on a server, read in the parts that are asked for."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
        self._place = 0
        with self._open(0, 1) as answer:
            self.size = int(answer.headers["Content-Range"].rpartition("/")[2])

    def _open(self, first: int, length: int):
        part = {"Range": f"bytes={first}-{first + length - 1}", "Accept-Encoding": "identity"}
        request = urllib.request.Request(self._address, headers=part)
        answer = urllib.request.urlopen(request, timeout=60, context=self._context)
        if answer.status != 206:
            answer.close()
            raise OSError(f"{urlsplit(self._address).hostname} sends no parts of files.")
        return answer

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = start + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        length = min(len(view), self.size - self._place)
        if length <= 0:
            return 0
        with self._open(self._place, length) as answer:
            content = answer.read(length)
        view[: len(content)] = content
        self._place += len(content)
        return len(content)
