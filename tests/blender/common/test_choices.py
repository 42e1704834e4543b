# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels offer is what the verbs take, and keeps its place: a .blend stores the place."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.common import choices
from cgc_addon.cli.arguments import parse

TRAIN = ("train", "dataset", "-o", "run")
FROM_PHOTOS = ("from-photos", "photos", "-o", "dataset")


@pytest.mark.parametrize(
    ("items", "call", "option"),
    [
        (choices.PRESETS, TRAIN, "--preset"),
        (choices.FEATURE_MODES[1:], TRAIN, "--features"),
        (choices.REDUCTIONS[1:], TRAIN, "--reduction"),
        (choices.SPATIAL_LOSSES[1:], TRAIN, "--spatial"),
        (choices.PHOTO_MASK_LEVELS, FROM_PHOTOS, "--levels"),
        (choices.MATCHINGS, FROM_PHOTOS, "--matching"),
    ],
)
def test_each_choice_is_one_of_the_verb(items, call, option) -> None:
    for identifier, _, _ in items:
        options = parse([*call, option, identifier])
        assert getattr(options, option.removeprefix("--")) == identifier


def test_choices_keep_their_places() -> None:
    places = {
        "PRESETS": "draft standard paper",
        "FEATURE_MODES": "preset frozen joint off",
        "REDUCTIONS": "preset mean square-root area-weighted",
        "SPATIAL_LOSSES": "preset off released true-neighbours",
        "PHOTO_MASK_MODELS": "default mobilesam vit_b vit_l vit_h",
        "PHOTO_MASK_LEVELS": "both objects",
        "MATCHINGS": "auto exhaustive sequential",
        "REVIEW_LEVELS": "masks masks_parts",
    }
    for name, identifiers in places.items():
        assert [item[0] for item in getattr(choices, name)] == identifiers.split(), name


def test_looks_keep_the_numbers_that_files_store() -> None:
    def numbers(items) -> dict[str, int]:
        return {identifier: number for identifier, _, _, _, number in items}

    shapes = {"POINTS": 0, "ELLIPSOIDS": 1, "SPLATS": 2, "NATIVE": 3}
    assert numbers(choices.LOOK_SHAPES) == shapes
    colors = {"PHOTO": 0, "SEGMENT": 1, "FEATURE": 2, "DEPTH": 3, "OPACITY": 4}
    assert numbers(choices.LOOK_COLORS) == colors
