# SPDX-License-Identifier: GPL-3.0-or-later
"""The merge tree of a capture in the .blend: a text, as properties hold no arrays of any length."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from ...cgc.clusters.granularity import MergeTree
from ...errors import CgcError
from ..common.access import of_collection

if TYPE_CHECKING:
    from bpy.types import Collection

VERSION = 1
"""Of the text; that of 0.1.0 has the same keys but no version."""


def store_tree(capture: Collection, tree: MergeTree) -> None:
    """Keep the merge tree in the .blend, every number to the last bit."""
    content = {
        "version": VERSION,
        "count": tree.count,
        "merges": tree.merges.tolist(),
        "heights": tree.heights.tolist(),
        **({"fixed": tree.fixed} if tree.fixed else {}),
    }
    of_collection(capture).merge_tree = json.dumps(content, separators=(",", ":"))


def has_tree(capture: Collection) -> bool:
    """Return whether a run was imported into a capture."""
    return bool(of_collection(capture).merge_tree)


def stored_tree(capture: Collection) -> MergeTree:
    """Return the merge tree of a capture.

    Raises:
        CgcError: no run was imported into it, or the text is damaged or of a later version.
    """
    if not has_tree(capture):
        raise CgcError(f"{capture.name} has no segments yet; train it, or import a run.")
    try:
        content = json.loads(of_collection(capture).merge_tree)
        version = int(content.get("version", 0))
        if version > VERSION:
            raise CgcError(
                f"The merge tree of {capture.name} was written by a later version of this "
                f"extension (form {version}; this one knows {VERSION}); update the extension."
            )
        return MergeTree(
            int(content["count"]),
            np.array(content["merges"], np.int32).reshape(-1, 2),
            np.array(content["heights"], np.float32),
            int(content.get("fixed", 0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CgcError(
            f"The merge tree of {capture.name} is damaged; import its run again to write it anew."
        ) from error
