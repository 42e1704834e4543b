# SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.files import read_json, replacing, write_json, write_text


def test_a_file_is_whole_and_alone(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "ü")
    assert (tmp_path / "deep" / "a.txt").read_text("utf-8") == "ü"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = f"""
        import os, signal
        from pathlib import Path
        from cgc_addon.files import replacing
        with replacing(Path({str(path)!r})) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_text(path, "new")
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_is_on_the_disk_before_it_takes_the_place_of_the_old_one(tmp_path, monkeypatch):
    """Else a power failure may leave the name of a file whose content never arrived."""
    path, flushed = tmp_path / "a.txt", []
    write_text(path, "old")

    def flush(descriptor):
        os.write(descriptor, b"")  # Windows flushes what is open for writing, and nothing else
        flushed.append((os.fstat(descriptor).st_ino, os.pread(descriptor, 9, 0), path.read_text()))

    monkeypatch.setattr("os.fsync", flush)
    write_text(path, "new")
    assert flushed == [(path.stat().st_ino, b"new", "old")]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CgcError, match=r"file.a\.json could not be written: .+; check free space"):
        write_json(tmp_path / "file" / "a.json", {})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_one_sentence(tmp_path):
    def fill():
        with replacing(tmp_path / "a.txt"), open("/dev/full", "w") as full:  # noqa: PTH123
            full.write("x" * 100_000)

    with pytest.raises(CgcError, match="No space left on device"):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{'a': 1}"])
def test_what_is_not_json_says_so(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CgcError, match=r"a\.json is not valid JSON"):
        read_json(path)


def test_missing_json_says_so(tmp_path):
    with pytest.raises(CgcError, match="is missing"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[" * 100_000, "nested too deep"), (b"[" + b"9" * 5_000 + b"]", "too many digits")],
)
def test_json_that_nobody_writes_says_so(tmp_path, content, reason):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CgcError, match=reason):
        read_json(path)


def test_json_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "a.json") == {"a": 1}


def test_only_files_are_read(tmp_path):
    with pytest.raises(CgcError, match="is a folder, not a file"):
        read_json(tmp_path)
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(CgcError, match="is a pipe or a device, not a file"):
            read_json(tmp_path / "pipe")
