# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads from a server of this machine that can be told to misbehave."""

import hashlib
import http.server
import os
import re
import threading
from dataclasses import replace

import pytest

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.models import fetch as module
from cgc_addon.masks.models.fetch import RemoteFile, fetch

CONTENT = bytes(range(256)) * 12_000  # 3 MB


class Server(http.server.ThreadingHTTPServer):
    content = CONTENT
    """What it has."""
    length: int | None = None
    """What it says the length is; None for the truth."""
    chunked = False
    """Send no length at all."""
    knows_ranges = True
    break_after: int | None = None
    """Bytes after which each connection ends."""
    status = 200
    redirect = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []  # of each request: where it began, None without

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/model.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        server.ranges.append(int(asked[1]) if asked else None)
        if server.status != 200:
            self.send_error(server.status)
            return
        if server.redirect and self.path != "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        start = int(asked[1]) if asked and server.knows_ranges else 0
        if start and start >= len(server.content):
            self.send_error(416)
            return
        content = server.content[start:]
        self.send_response(206 if start else 200)
        if not server.chunked:
            self.send_header("Content-Length", str(server.length or len(content)))
        self.end_headers()
        self.wfile.write(content if server.break_after is None else content[: server.break_after])

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def wanted(server, monkeypatch):
    monkeypatch.setattr(module, "_wait", lambda _seconds, _should_stop: None)
    digest = hashlib.sha256(CONTENT).hexdigest()
    return RemoteFile("model.bin", server.url, len(CONTENT), digest)


def fails(wanted, folder, *words):
    with pytest.raises(CgcError) as caught:
        fetch(wanted, folder)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not (folder / wanted.name).exists()
    for word in words:
        assert word in sentence


def test_a_file_comes_whole_and_progress_is_in_megabytes(wanted, server, tmp_path):
    seen = []
    path = fetch(wanted, tmp_path / "new" / "folder", report=seen.append)
    assert path == tmp_path / "new" / "folder" / "model.bin"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["model.bin"]
    assert server.ranges == [None]
    downloading = [p for p in seen if p.stage == "Downloading model.bin, MB"]
    assert (downloading[-1].done, downloading[-1].total) == (3, 3)
    assert downloading[-1].numbers["seconds_left"] == 0
    assert seen[-1].stage == "Checking model.bin, MB"


def test_a_file_that_is_there_is_not_fetched_again(wanted, server, tmp_path):
    fetch(wanted, tmp_path)
    fetch(wanted, tmp_path)
    assert server.ranges == [None]


@pytest.mark.parametrize("content", [CONTENT[:-1], b"", CONTENT[:-1] + b"x"])
def test_a_damaged_file_is_fetched_anew(wanted, tmp_path, content):
    (tmp_path / "model.bin").write_bytes(content)
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("have", [1, 1_000_000, len(CONTENT) - 1])
def test_it_goes_on_where_it_stopped(wanted, server, tmp_path, have):
    (tmp_path / "model.bin.part").write_bytes(CONTENT[:have])
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [have]


def test_a_complete_part_needs_no_network(wanted, server, tmp_path):
    (tmp_path / "model.bin.part").write_bytes(CONTENT)
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == []


def test_a_part_that_is_too_long_is_thrown_away(wanted, server, tmp_path):
    (tmp_path / "model.bin.part").write_bytes(CONTENT + b"more")
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_server_that_knows_no_ranges_sends_it_all_again(wanted, server, tmp_path):
    server.knows_ranges = False
    (tmp_path / "model.bin.part").write_bytes(b"x" * 1_000_000)
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [1_000_000]


def test_a_server_that_refuses_the_range_is_asked_for_the_whole(wanted, server, tmp_path):
    (tmp_path / "model.bin.part").write_bytes(CONTENT[:2_000_000])
    server.content = CONTENT[:2_000_000]
    fails(wanted, tmp_path, "offers 2,000,000 bytes instead of 3,072,000")
    assert server.ranges == [2_000_000, None]


def test_a_connection_that_breaks_off_is_made_anew(wanted, server, tmp_path):
    server.break_after = 1_200_000
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, 1_200_000, 2_400_000]


def test_one_that_keeps_breaking_off_ends_and_keeps_what_came(wanted, server, tmp_path):
    server.break_after = 100_000
    fails(wanted, tmp_path, "0.6 MB of 3.1 MB", "what has come is kept")
    assert (tmp_path / "model.bin.part").read_bytes() == CONTENT[:600_000]
    server.break_after = None
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == 600_000


def test_one_that_brings_nothing_is_not_tried_for_ever(wanted, server, tmp_path):
    server.break_after = 0
    fails(wanted, tmp_path, "the connection ended")
    assert server.ranges == [None]


def test_wrong_content_is_deleted(wanted, server, tmp_path):
    server.content = b"x" * len(CONTENT)
    fails(wanted, tmp_path, "its checksum differs")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_page_in_place_of_the_file_is_told(wanted, server, tmp_path, chunked):
    server.content, server.chunked = b"<html>Please log in</html>", chunked
    # Without a length the page looks like a connection that broke off; asked again, it is longer.
    fails(wanted, tmp_path, server.url)


def test_a_file_without_length_is_read_no_further_than_its_size(wanted, server, tmp_path):
    server.chunked, server.content = True, CONTENT + b"more"
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


def test_redirections_are_followed(wanted, server, tmp_path):
    server.redirect = True
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403, 500])
def test_refusals_are_one_sentence(wanted, server, tmp_path, status):
    server.status = status
    (tmp_path / "model.bin.part").write_bytes(CONTENT[:1000])
    fails(wanted, tmp_path, f"answers {status}", "by other means")
    assert (tmp_path / "model.bin.part").stat().st_size == 1000


def test_no_network_is_one_sentence(wanted, tmp_path):
    with Server() as gone:
        url = gone.url
    fails(replace(wanted, url=url), tmp_path, "cannot be reached", "check the network")
    fails(replace(wanted, url="http://no.such.host.invalid/a"), tmp_path, "cannot be reached")


def test_a_server_that_stalls_is_given_up(wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), None) as silent_server:
        url = f"http://127.0.0.1:{silent_server.server_address[1]}/"  # listens, never answers
        fails(replace(wanted, url=url), tmp_path, "cannot be reached", "timed out")


def test_stopping_keeps_what_came(wanted, server, tmp_path):
    seen = []
    with pytest.raises(Interrupted):
        fetch(wanted, tmp_path, report=seen.append, should_stop=lambda: bool(seen))
    assert not (tmp_path / "model.bin").exists()
    kept = (tmp_path / "model.bin.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, kept]


def test_too_little_room_is_said_before_anything_comes(wanted, server, tmp_path):
    fails(replace(wanted, size=1 << 60), tmp_path, "has room for", "CGC_MODELS")
    assert server.ranges == []


@pytest.mark.skipif(os.name == "nt", reason="sets a limit that only Unix has")
def test_a_disk_that_fills_up_is_one_sentence_and_keeps_what_came(wanted, tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        fails(wanted, tmp_path, "could not be written", "what has come is kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = (tmp_path / "model.bin.part").read_bytes()
    assert kept == CONTENT[: len(kept)]
    assert len(kept) > 500_000
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_one_sentence(wanted, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CgcError, match="could not be written"):
        fetch(wanted, tmp_path / "file" / "models")
