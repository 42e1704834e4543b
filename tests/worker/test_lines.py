# SPDX-License-Identifier: GPL-3.0-or-later
import os

import pytest

from cgc_addon.worker import lines
from cgc_addon.worker.lines import decode, encode, read_lines, write_line


def read(*blocks: bytes) -> list[bytes]:
    reader, writer = os.pipe()
    for block in blocks:
        os.write(writer, block)
    os.close(writer)
    try:
        return list(read_lines(reader))
    finally:
        os.close(reader)


def test_messages_survive_the_way_whatever_is_in_them():
    message = {"type": "note", "text": "Größe\n停止 \udce4", "number": 1.5}
    assert encode(message).count(b"\n") == 1
    assert encode(message).isascii()
    assert decode(encode(message).strip()) == message


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[]", b"{}", b'{"type": 1}', b"\xff", b"null"])
def test_what_is_no_message_is_none(line):
    assert decode(line) is None


def test_lines_are_whole_however_they_arrive():
    assert read(b"o", b"ne\ntwo\n\nthr", b"ee") == [b"one", b"two", b"", b"three"]
    assert read() == []


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    assert read(b"x" * 30) == [b"x" * 30]


def test_writing_to_a_closed_pipe_is_an_oserror():
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(OSError, match=r"."):
        write_line(writer, {"type": "note"})
    os.close(writer)
