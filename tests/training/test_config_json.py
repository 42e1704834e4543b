# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import replace

import pytest

from cgc_addon.cgc.settings import FEATURE_MODES
from cgc_addon.choices import names
from cgc_addon.errors import CgcError
from cgc_addon.training.config_json import from_json, to_json
from cgc_addon.training.config_versions import CONFIG_VERSION
from cgc_addon.training.presets import PRESETS, preset


def as_stored(config):
    return json.loads(json.dumps(to_json(config)))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mode", names(FEATURE_MODES))
def test_a_configuration_survives_its_file(name, mode):
    config = replace(preset(name, features=mode), max_size=640, test_every=8, init="a.ply")
    assert from_json(as_stored(config), "config.json") == config


def test_what_a_mode_of_the_features_ignores_is_not_stored():
    frozen, joint, off = (
        as_stored(preset("draft", features=mode))["features"] for mode in names(FEATURE_MODES)
    )
    assert off == {"mode": "off"}
    assert set(joint) - set(frozen) == {
        "contrastive_every", "contrastive_weight", "reference_pixels", "spatial_every",
        "pull_weight", "push_weight", "move_geometry",
    }  # fmt: skip
    assert set(frozen) - set(joint) == {
        "steps", "pixels_per_step", "learning_rate_end", "spectral_start",
    }  # fmt: skip


def changed(**changes):
    return {**as_stored(preset("draft")), **changes}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "does not hold a run configuration"),
        (changed(version=CONFIG_VERSION + 1), "another version"),
        (changed(version=0), "another version"),
        (changed(version=None), "another version"),
        (changed(version=True), "another version"),
        (changed(version="2"), "another version"),
        (changed(colour="red"), "unknown setting colour"),
        (changed(seed="zero"), "setting seed must be int, not 'zero'"),
        (changed(seed=True), "setting seed must be int"),
        (changed(backend="tpu"), "setting backend must be auto or "),
        (changed(geometry=3), "setting geometry must be a group"),
        (changed(features=3), "setting features must be a group"),
        (changed(features={}), r"setting features\.mode is missing"),
        (
            changed(features={"mode": "later"}),
            r"setting features\.mode must be frozen or joint or off, not 'later'",
        ),
        (changed(features={"mode": "off", "steps": 3}), r"unknown setting features\.steps"),
        (changed(max_size="big"), "setting max_size must be int"),
    ],
)
def test_a_wrong_configuration_says_which_setting(value, message):
    with pytest.raises(CgcError, match=message) as caught:
        from_json(value, "run/config.json")
    assert "run/config.json" in str(caught.value)


@pytest.mark.parametrize("place", ["geometry.densify.cap", "segments.clustering.minimum_cosine"])
def test_a_missing_setting_is_named_with_its_group(place):
    value = changed()
    *groups, name = place.split(".")
    group = value
    for each in groups:
        group = group[each]
    del group[name]
    with pytest.raises(CgcError, match=f"{place} is missing"):
        from_json(value, "config.json")
