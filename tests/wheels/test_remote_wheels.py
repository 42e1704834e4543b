# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes of a wheel are told without fetching all of it."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wheels.remote_wheels import Sizes, name_in, sizes_of

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "large-1+cpu-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("large.bin", CONTENT)
        opened.writestr("small.py", "x = 1\n", zipfile.ZIP_DEFLATED)
    return path


class Server(ThreadingHTTPServer):
    """Gives one file, whole or in parts, and counts what it gave."""

    content = b""
    parts = True
    given = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep still: a client that has seen enough hangs up."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content, asked = self.server.content, self.headers["Range"]
        if self.server.parts:
            first, last = map(int, re.findall(r"\d+", asked))
            part = content[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        else:
            part = content
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)
        self.server.given += len(part)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in Python
        pass


@pytest.fixture
def server(wheel: Path) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.content = wheel.read_bytes()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wheel_on_disk(wheel: Path) -> None:
    assert sizes_of(wheel.as_uri()) == Sizes(wheel.stat().st_size, len(CONTENT) + 6)


def test_a_wheel_on_a_server_is_read_at_its_end(wheel: Path, server: Server) -> None:
    address = f"http://127.0.0.1:{server.server_port}/{wheel.name}"
    assert sizes_of(address) == Sizes(wheel.stat().st_size, len(CONTENT) + 6)
    assert server.given < wheel.stat().st_size / 2


def test_a_server_without_parts_is_told(server: Server) -> None:
    server.parts = False
    with pytest.raises(OSError, match=r"127\.0\.0\.1 sends no parts of files"):
        sizes_of(f"http://127.0.0.1:{server.server_port}/wheel.whl")


def test_a_name_is_read_from_an_address() -> None:
    assert name_in("https://example.com/whl/torch-2%2Bcpu-py3-none-any.whl#sha256=0") == (
        "torch-2+cpu-py3-none-any.whl"
    )
