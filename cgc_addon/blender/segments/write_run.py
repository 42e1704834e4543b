# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments as they are in the .blend, written into the run that they came from.

Renders, masks, exports and verbs without Blender read them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from bpy.props import StringProperty
from numpy.typing import NDArray

from ...cgc.clusters.cluster_file import read_clusters
from ...cgc.segments import Cut, Segment, Segments
from ...cgc.settings import MINIMUM_SIZE
from ...errors import CgcError
from ...splats.gaussians import FEATURE_DIMENSION
from ...splats.ply import read_ply
from ...training.edited_segments import check_complete, write_edited
from ...training.run_folder import RunFolder
from ..capture.parts import captures, segment_collections, wanted_capture
from ..common.access import of_collection
from ..common.context import window_manager_of
from ..splats.objects import NO_CLUSTER, clusters_of, gaussians_of, indices_of
from .choice import SegmentChange
from .data import all_segments, number_apart, splats_of
from .merge_tree import stored_tree

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, Object, Scene

SAME_COLOR = 1e-4


@dataclass(frozen=True)
class Written:
    """What came into the run."""

    segments: int
    missing: int
    """Gaussians of the run that the .blend has no more: they are in no segment now."""
    twice: int
    """Gaussians that several segments have, as copies make them: they are in the first."""


def write_to_run(capture: Collection, path: Path) -> Written:
    """Write which Gaussian is in which segment, with names and colours, into a run.

    Pinned segments become its corrections, which it keeps through every cut and training.

    Args:
        capture: whose segments.
        path: the run that it was imported from.

    Raises:
        CgcError: it is another run, or cannot be written; nothing has been written.
    """
    folder = RunFolder(path)
    check_complete(folder)
    number_apart(capture)
    constants = read_ply(folder.splat).gaussians.sh[:, 0]
    clusters = _clusters_of_run(folder, capture)
    labels = np.zeros(len(constants), np.int32)
    times = np.zeros(len(constants), np.int32)
    for collection in all_segments(capture):
        number = of_collection(collection).segment
        own = np.zeros(len(labels), bool)
        for item in splats_of(collection):
            _check_origin(item, constants, clusters, folder)
            own[indices_of(item)] = True
        labels[own & (times == 0)] = number
        times += own
    written = write_edited(folder, labels, _known(capture))
    return Written(len(written), int((times == 0).sum()), int((times > 1).sum()))


def keep_for_training(scene: Scene, path: Path) -> str:
    """Write what was made by hand of a run into it, before it is trained anew.

    Args:
        scene: that may hold the capture of the run.
        path: the run.

    Returns:
        What to tell the user where it cannot be kept, "" else.
    """
    for capture in captures(scene):
        stored = of_collection(capture).run
        if not stored or Path(bpy.path.abspath(stored)).resolve() != path.resolve():
            continue
        if RunFolder(path).segments.is_file() and any(
            of_collection(one).pinned for one in segment_collections(capture)
        ):
            try:
                write_to_run(capture, path)
            except CgcError as error:
                return f"What was corrected by hand is not kept: {error}"
    return ""


def check_is_of_run(item: Object, path: Path) -> None:
    """Check that the Gaussians of a splat are those of a run, as it is now.

    Raises:
        CgcError: they are not, or this is no run.
    """
    folder = RunFolder(path)
    check_complete(folder)
    _check_origin(item, read_ply(folder.splat).gaussians.sh[:, 0], None, folder)


def _known(capture: Collection) -> Segments:
    """Return what people see of segments."""
    properties = of_collection(capture)
    nothing = (0.0,) * FEATURE_DIMENSION
    segments = []
    for collection in segment_collections(capture):
        settings = of_collection(collection)
        red, green, blue = (round(255 * value) for value in settings.color)
        segments.append(
            Segment(
                settings.segment,
                collection.name,
                (red, green, blue),
                0,
                nothing,
                settings.pinned,
            )
        )
    cut = Cut(properties.granularity, max(1, properties.minimum_size or MINIMUM_SIZE))
    return Segments(tuple(segments), cut)


def _clusters_of_run(folder: RunFolder, capture: Collection) -> NDArray[np.int32] | None:
    """Return the clusters of a run, None where it has none, or none that can be compared."""
    if not folder.clusters.is_file():
        return None
    clusters, tree = read_clusters(folder.clusters)
    stored = stored_tree(capture)
    if stored.count != tree.count or not np.array_equal(stored.merges, tree.merges):
        raise _another(capture.name, folder)
    return clusters


def _check_origin(
    item: Object,
    constants: NDArray[np.float32],
    clusters: NDArray[np.int32] | None,
    folder: RunFolder,
) -> None:
    """Check that a splat's Gaussians are those of the run: by clusters, or by colours.

    Raises:
        CgcError: they are not.
    """
    index = indices_of(item)
    if len(index) and (index.min() < 0 or index.max() >= len(constants)):
        raise _another(item.name, folder)
    if clusters is not None and len(clusters) == len(constants):
        own = clusters_of(item)
        same = (own == clusters[index]) | (own == 0) | (own == NO_CLUSTER)
    else:
        same = np.abs(gaussians_of(item).sh[:, 0] - constants[index]).max(axis=1) < SAME_COLOR
    if not same.all():
        raise _another(item.name, folder)


def _another(name: str, folder: RunFolder) -> CgcError:
    return CgcError(
        f"{name} did not come from {folder.path} as it is now: it was trained anew or corrected "
        "since, or it is another run. Import that run, and edit what comes."
    )


class CGC_OT_write_segments_to_run(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.write_segments_to_run`."""

    bl_idname = "cgc.write_segments_to_run"
    bl_label = "Write Segments to Run"
    bl_description = (
        "Write segments as they are here, with names and colours, into the run folder, where "
        "renders, exports and verbs without Blender take them from. The run keeps what was made by "
        "hand when it is cut or trained again"
    )

    if TYPE_CHECKING:
        directory: str
    else:
        directory: StringProperty(
            name="Run",
            description="Folder of the run; that which the capture was imported from if not given",
            subtype="DIR_PATH",
            options={"SKIP_SAVE"},
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask first: what the run says now is lost."""
        confirm = window_manager_of(context).invoke_confirm
        return cast("set[OperatorReturnItems]", confirm(self, event))

    def change(self, context: Context) -> str:
        """Write them."""
        capture = wanted_capture(context)
        directory = self.directory or of_collection(capture).run
        if not directory:
            raise CgcError(f"{capture.name} came from no run; name the folder of one.")
        path = Path(bpy.path.abspath(directory))
        if path.is_file():
            raise CgcError(f"{path} is a splat, not a run; export segments as a splat instead.")
        written = write_to_run(capture, path)
        text = f"{written.segments} segments are in {path} now"
        if written.missing:
            text += f"; {written.missing:,} Gaussians that were deleted here are in none"
        if written.twice:
            text += f"; {written.twice:,} that are in several count for the first"
        return text


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_write_segments_to_run)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_write_segments_to_run)
