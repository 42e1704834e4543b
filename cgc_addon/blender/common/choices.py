# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen from in the properties: identifier, name and description of every item."""

from __future__ import annotations

from collections.abc import Iterable

from ...cgc import settings
from ...choices import Described
from ...dataset import folder
from ...masks import levels
from ...masks.models import known
from ...rasterize.backends import backend_choices
from ...reconstruction import settings as solve_settings
from ...training import presets

Items = tuple[tuple[str, str, str], ...]
NumberedItems = tuple[tuple[str, str, str, str, int], ...]
"""With an icon and a number: the latter is what a .blend stores, whatever the order."""


def items(choices: Iterable[Described]) -> Items:
    """Return choices of the engine as Blender's items."""
    return tuple((choice.name, choice.label, choice.sentence) for choice in choices)


COLLECTION_KINDS = (
    ("NONE", "None", "Not part of a capture"),
    ("CAPTURE", "Capture", "Holds one capture: cameras, points and segments"),
    ("CAMERAS", "Cameras", "The cameras of a capture"),
    ("POINTS", "Points", "The sparse points of a capture"),
    ("SEGMENT", "Segment", "One object that was found in a capture"),
    ("UNASSIGNED", "Unassigned", "Gaussians that belong to no object"),
    ("BIN", "Bin", "Gaussians that were cleaned up, hidden until they are restored"),
)
OBJECT_KINDS = (
    ("NONE", "None", "Not part of a capture"),
    ("ROOT", "Root", "Carries orientation and scale of a capture"),
    ("CAMERA", "Camera", "Camera of a photo"),
    ("POINTS", "Points", "Sparse points of a reconstruction"),
    ("SPLAT", "Splat", "Gaussians of a segment"),
)
PRESETS = items(presets.PRESETS.values())
BACKENDS = items(backend_choices())
AS_PRESET = ("preset", "As Preset", "What the preset says")
FEATURE_MODES = (AS_PRESET, *items(settings.FEATURE_MODES))
REDUCTIONS = (AS_PRESET, *items(settings.REDUCTIONS))
SPATIAL_LOSSES = (AS_PRESET, *items(settings.SPATIAL_LOSSES))
MASK_CAMERAS = (
    ("ACTIVE", "Active Camera", "The camera of the scene, at the frame shown"),
    ("SELECTED", "Selected Cameras", "Every selected camera"),
    ("CAPTURE", "Capture Cameras", "Every camera of the capture's photos"),
    ("FRAMES", "Frame Range", "The camera of the scene, frame by frame"),
)
PHOTO_MASK_MODELS = (
    (
        "default",
        "As Preferences",
        f"The file that the preferences name, else {known.KNOWN[known.DEFAULT_MODEL].label}",
    ),
    *items(known.KNOWN.values()),
)
(NO_MASKS,) = items((known.NO_MASKS,))
PHOTO_MASK_LEVELS = items(levels.LEVELS)
MATCHINGS = items(solve_settings.MATCHINGS)
REVIEW_LEVELS = (
    (folder.MASKS, "Objects", "Masks of whole objects, which training reads"),
    (folder.PARTS, "Parts", "Masks of parts of objects"),
)
STROKE_MODES = (
    ("ADD", "Add to Active", "Gaussians go to the segment of the active object"),
    ("NEW", "New Segment", "Gaussians become a segment of their own"),
    ("UNASSIGN", "Unassign", "Gaussians leave their segments, for good"),
)
LOOK_COLORS: NumberedItems = (
    ("PHOTO", "Photo", "Colours of the photos", "", 0),
    ("SEGMENT", "Segments", "One colour for each segment", "", 1),
    ("FEATURE", "Features", "What was learned to belong together has like colours", "", 2),
    ("DEPTH", "Depth", "Near is bright, far is dark", "", 3),
    ("OPACITY", "Opacity", "How opaque each Gaussian is", "", 4),
)
COLORS_OF_SPLATS = ("FEATURE", "DEPTH", "OPACITY")
"""Colours that other shapes do not have; they show those of the photos then."""
LOOK_SHAPES: NumberedItems = (
    ("SPLATS", "Splats", "As trained: soft, sorted and blended, drawn by the extension", "", 2),
    ("POINTS", "Points", "One small ball for each Gaussian: quick", "", 0),
    ("ELLIPSOIDS", "Ellipsoids", "The shape of each Gaussian, as a solid body", "", 1),
    ("NATIVE", "Blender's Own", "Gaussian splats as Blender itself draws them", "", 3),
)
"""All of them are known everywhere, so that files open; where Blender has no splats of its own,
points stand for them."""
