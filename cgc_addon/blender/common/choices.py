# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen from in the properties: identifier, name and description of every item."""

from __future__ import annotations

from ...rasterize.backends import backend_choices

COLLECTION_KINDS = (
    ("NONE", "None", "Not part of a capture"),
    ("CAPTURE", "Capture", "Holds one capture: cameras, points and segments"),
    ("CAMERAS", "Cameras", "The cameras of a capture"),
    ("POINTS", "Points", "The sparse points of a capture"),
    ("SEGMENT", "Segment", "One object that was found in a capture"),
    ("UNASSIGNED", "Unassigned", "Gaussians that belong to no object"),
)
OBJECT_KINDS = (
    ("NONE", "None", "Not part of a capture"),
    ("ROOT", "Root", "Carries orientation and scale of a capture"),
    ("CAMERA", "Camera", "Camera of a photo"),
    ("POINTS", "Points", "Sparse points of a reconstruction"),
    ("SPLAT", "Splat", "Gaussians of a segment"),
)
PRESETS = (
    ("draft", "Draft", "Under a minute, for a first look"),
    ("standard", "Standard", "The best result that some minutes can give"),
    ("paper", "Paper", "The schedule of the paper, 30,000 steps; wants a graphics card"),
)
BACKENDS = backend_choices()
FEATURE_MODES = (
    ("preset", "As Preset", "What the preset says"),
    ("frozen", "Frozen Geometry", "Learn features once colour and shape are trained"),
    ("joint", "Joint", "Learn features along with colour and shape, as in the paper"),
    ("off", "Off", "Train colour and shape only; nothing is separated"),
)
REDUCTIONS = (
    ("preset", "As Preset", "What the preset says"),
    ("mean", "Mean", "Every segment counts the same, as printed in the paper"),
    ("square-root", "Square Root", "Segments count by the root of their area"),
    ("area-weighted", "Area", "Segments count by their area, as in the released code"),
)
SPATIAL_LOSSES = (
    ("preset", "As Preset", "What the preset says"),
    ("off", "Off", "Neighbours are not made alike"),
    ("released", "Released", "As in the released code"),
    ("true-neighbours", "True Neighbours", "As printed in the paper"),
)
MASK_CAMERAS = (
    ("ACTIVE", "Active Camera", "The camera of the scene, at the frame shown"),
    ("SELECTED", "Selected Cameras", "Every selected camera"),
    ("CAPTURE", "Capture Cameras", "Every camera of the capture's photos"),
    ("FRAMES", "Frame Range", "The camera of the scene, frame by frame"),
)
PHOTO_MASK_MODELS = (
    ("default", "As Preferences", "The file that the preferences name, else MobileSAM"),
    ("mobilesam", "MobileSAM", "Small and quick; 45 MB"),
    ("vit_b", "SAM ViT-B", "Slower, finer; 375 MB"),
    ("vit_l", "SAM ViT-L", "Slow, wants a graphics card; 1.2 GB"),
    ("vit_h", "SAM ViT-H", "The slowest, wants a graphics card; 2.6 GB"),
)
NO_MASKS = ("none", "No Masks", "One splat that is not separated into objects")
PHOTO_MASK_LEVELS = (
    ("both", "Objects and Parts", "Masks of objects, and in a folder of their own those of parts"),
    ("objects", "Objects", "One mask for each whole object"),
)
MATCHINGS = (
    ("auto", "Automatic", "Photos that were taken one after the other, or all with all"),
    ("exhaustive", "All With All", "Compare every photo with every other; slow for many photos"),
    ("sequential", "In Order", "Compare photos with those just before and after them"),
)
REVIEW_LEVELS = (
    ("masks", "Objects", "Masks of whole objects, which training reads"),
    ("masks_parts", "Parts", "Masks of parts of objects"),
)
LOOK_COLORS = (
    ("PHOTO", "Photo", "Colours of the photos"),
    ("SEGMENT", "Segments", "One colour for each segment"),
)
LOOK_SHAPES = (
    ("POINTS", "Points", "One small ball for each Gaussian: quick"),
    ("ELLIPSOIDS", "Ellipsoids", "The shape of each Gaussian: closer to the splat, slower"),
)
