# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of what is kept in the .blend, as a number.

It grows with every change that an earlier version of the extension could not read, or would read
wrongly; `migration` then brings files of the form before up to date. Scenes carry it, and so does
each collection of a capture, since those are appended to other files one by one.

    0   no number at all: written by 0.1.0, or nothing yet
    1   the merge tree says which form it has
"""

from __future__ import annotations

from .access import CollectionSettings, SceneSettings

FORMAT_VERSION = 1
"""What this version of the extension writes."""


def is_newer(settings: CollectionSettings | SceneSettings) -> bool:
    """Return whether a later version of the extension wrote this, which is to be left alone."""
    return settings.version > FORMAT_VERSION
