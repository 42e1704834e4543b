# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences are drawn over as many lines as they need."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.panels.layout import wrapped


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        ("", []),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("a /long/path/to/a/file.png is", ["a", "/long/", "path/to/", "a/", "file.png", "is"]),
        ("x abcdefghijkl", ["x", "abcdefgh", "ijkl"]),
    ],
)
def test_sentences_are_wrapped_at_words(sentence, lines):
    assert wrapped(sentence, 8, len) == lines
