# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which files come to harm: by disks and transfers, by editors, by ill will."""

from __future__ import annotations

import random
import re

_NUMBERS = (
    b"0", b"-1", b"nan", b"inf", b"1e308", b"1e999", b"18446744073709551615", b"4294967295",
    b"65536", b"99999999999999999999999999", b"0.5", b"-0", b"1" * 5000,
)  # fmt: skip
_WORDS = (
    b"null",
    b"true",
    b'""',
    b"[]",
    b"{}",
    b'"x"',
    b"[[[[1]]]]",
    b"\xff\xfe",
    b"\0",
    b"../../x",
)
_COUNTS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to three of these kinds of damage."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(_DAMAGES)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> int:
    """Return a place; headers are where the harm is done, so half of them are there."""
    most = len(content) if chance.random() < 0.5 else min(len(content), 200)
    return chance.randrange(most + 1)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _hole(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    return content[:start] + content[start + chance.choice((1, 4, 8, 100, 4096)) :]


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 8, 64))):
        if changed:
            changed[min(_place(content, chance), len(changed) - 1)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _count(content: bytes, chance: random.Random) -> bytes:
    """Put a number where a binary file may have a count."""
    size = chance.choice((4, 8))
    number = chance.choice(_COUNTS) % 256**size
    start = _place(content, chance) & ~3
    order = chance.choice(("little", "big"))
    return content[:start] + number.to_bytes(size, order) + content[start + size :]


def _number(content: bytes, chance: random.Random) -> bytes:
    """Put a number where a text has one."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:100_000]))
    if not found:
        return _flip(content, chance)
    match = chance.choice(found)
    return content[: match.start()] + chance.choice(_NUMBERS) + content[match.end() :]


def _word(content: bytes, chance: random.Random) -> bytes:
    """Put something of another type where a text has a word, a number or a bracket."""
    found = list(re.finditer(rb'"[^"\n]*"|[\w.]+|\[[^\[\]]*\]', content[:100_000]))
    if not found:
        return _flip(content, chance)
    match = chance.choice(found)
    return content[: match.start()] + chance.choice(_WORDS) + content[match.end() :]


def _line(content: bytes, chance: random.Random) -> bytes:
    """Lose, double or exchange lines."""
    lines = content.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    if chance.random() < 0.4:
        del lines[first]
    elif chance.random() < 0.5:
        lines.insert(second, lines[first])
    else:
        lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _more(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    added = chance.choice(
        (b"\0" * 4096, b"[" * 100_000, b"\xef\xbb\xbf", content[:500], b"9" * 6000)
    )
    return content[:start] + added + content[start:]


def _zeros(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    count = min(chance.choice((16, 512, 65536)), len(content) - start)
    return content[:start] + chance.choice((b"\0", b"\xff")) * count + content[start + count :]


_DAMAGES = (_cut, _hole, _flip, _count, _number, _word, _line, _more, _zeros)
