# SPDX-License-Identifier: GPL-3.0-or-later
"""Each name of a list of choices is described, and each description has a name that counts."""

from typing import get_args

import pytest

from cgc_addon.cgc import settings
from cgc_addon.choices import names
from cgc_addon.masks import levels
from cgc_addon.reconstruction import settings as solve_settings


@pytest.mark.parametrize(
    ("choices", "literal"),
    [
        (settings.FEATURE_MODES, settings.FeatureMode),
        (settings.REDUCTIONS, settings.Reduction),
        (settings.SPATIAL_LOSSES, settings.SpatialLoss),
        (levels.LEVELS, levels.Levels),
        (solve_settings.MATCHINGS, solve_settings.Matching),
    ],
)
def test_all_names_of_a_type_are_described_for_people(choices, literal):
    assert names(choices) == get_args(literal)
    for choice in choices:
        assert choice.label.strip()
        assert choice.sentence
        assert not choice.sentence.endswith(".")
