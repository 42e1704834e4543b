# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest

from cgc_addon.cgc.settings import FEATURE_MODES, NoFeatureSettings
from cgc_addon.choices import names
from cgc_addon.errors import CgcError
from cgc_addon.training.presets import DEFAULT_PRESET, PRESETS, configure, preset


def test_each_preset_is_described_and_says_its_name_in_its_configuration():
    assert tuple(PRESETS) == ("draft", "standard", "paper")
    assert DEFAULT_PRESET in PRESETS
    for name, each in PRESETS.items():
        assert each.name == name == preset(name).preset
        assert each.label.strip()
        assert each.sentence
        assert not each.sentence.endswith(".")


def test_the_paper_preset_has_the_released_hyper_parameters():
    config = preset("paper")
    assert config.geometry.steps == 30_000
    assert config.features.mode == "joint"
    assert config.features.reduction == "area-weighted"
    assert config.features.contrastive_every == 50
    assert config.features.contrastive_weight == 1e-6
    assert config.features.reference_pixels == 722_228
    assert (config.features.spatial, config.features.spatial_every) == ("released", 100)
    assert (config.features.pull_weight, config.features.push_weight) == (0.05, 0.15)
    densify = config.geometry.densify
    assert (densify.start, densify.stop, densify.every) == (500, 15_000, 100)
    assert densify.reset_opacity_every == 3_000


@pytest.mark.parametrize("name", PRESETS)
def test_schedules_stretch_with_the_steps(name):
    short, long = preset(name, steps=200), preset(name, steps=20_000)
    assert short.geometry.steps == 200
    assert short.geometry.densify.stop <= 200
    assert short.geometry.sh_degree_every < long.geometry.sh_degree_every
    assert short.geometry.densify.start >= 1


def test_a_shorter_paper_run_has_as_many_feature_losses():
    features = preset("paper", steps=7_000).features
    assert (features.contrastive_every, features.spatial_every) == (12, 24)
    # The spatial loss is only looked at where a contrastive one is due.
    assert all(
        preset("paper", steps=steps).features.spatial_every
        == 2 * preset("paper", steps=steps).features.contrastive_every
        for steps in (1, 300, 4_321, 30_000, 60_000)
    )


@pytest.mark.parametrize("steps", [0, -5])
def test_no_steps_are_refused(steps):
    with pytest.raises(CgcError, match="steps are too few"):
        preset("draft", steps=steps)


def test_unknown_preset_names_those_that_exist():
    with pytest.raises(CgcError, match="draft, standard, paper"):
        preset("ultra")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mode", names(FEATURE_MODES))
def test_every_preset_has_settings_for_every_mode_of_the_features(name, mode):
    config = configure(name, features=mode, reduction="mean", spatial="true-neighbours")
    assert config.features.mode == mode
    if mode == "off":
        assert config.features == NoFeatureSettings()
    else:
        assert (config.features.reduction, config.features.spatial) == ("mean", "true-neighbours")


def test_a_given_geometry_is_never_trained_jointly_but_may_bring_its_features():
    given = configure("paper", init=Path("a.ply"))
    assert (given.features.mode, given.init_features) == ("frozen", True)
    assert given.features == preset("paper", features="frozen").features
    learned = configure("paper", init=Path("a.ply"), features="frozen")
    assert (learned.features, learned.init_features) == (given.features, False)
    assert not configure("paper").init_features
