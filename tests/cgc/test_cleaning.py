# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule finds what it names, alone and together with the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.cgc.cleaning import CleaningRules, unwanted
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.splats.gaussians import Gaussians

NOTHING = CleaningRules(smallest_piece=None)


@pytest.fixture
def body() -> Gaussians:
    """A ball of 200 round Gaussians, half opaque, about the origin."""
    generator = np.random.default_rng(0)
    return Gaussians(
        means=generator.uniform(-1, 1, (200, 3)).astype(np.float32),
        log_scales=np.full((200, 3), np.log(0.2), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (200, 1)),
        logit_opacities=np.zeros(200, np.float32),
        sh=np.zeros((200, 1, 3), np.float32),
    )


def changed(gaussians: Gaussians, name: str, index: int, value) -> Gaussians:
    array = getattr(gaussians, name).copy()
    array[index] = value
    return replace(gaussians, **{name: array})


def found(gaussians: Gaussians, rules: CleaningRules, views=()) -> list[int]:
    return np.flatnonzero(unwanted(gaussians, rules, views)).tolist()


def test_a_body_without_flaws_is_left_whole(body) -> None:
    strict = CleaningRules(largest=1.5, least_opacity=0.4, longest_needle=2.0)
    assert found(body, strict) == []


def test_what_is_afloat_is_unwanted_unless_that_is_off(body) -> None:
    afloat = changed(body, "means", 7, (9, 0, 0))
    assert found(afloat, CleaningRules()) == [7]
    assert found(afloat, NOTHING) == []
    assert found(afloat, CleaningRules(reach=60.0)) == []


@pytest.mark.parametrize(
    ("name", "value", "rules", "loose"),
    [
        ("log_scales", np.log([0.2, 0.2, 1.1]), {"largest": 5.0}, {"largest": 6.0}),
        ("logit_opacities", np.log(0.1 / 0.9), {"least_opacity": 0.11}, {"least_opacity": 0.09}),
        (
            "log_scales",
            np.log([0.1, 0.5, 0.02]),
            {"longest_needle": 4.5},
            {"longest_needle": 5.5},
        ),
    ],
)
def test_a_rule_has_a_limit(body, name, value, rules, loose) -> None:
    flawed = changed(body, name, 3, value)
    assert found(flawed, replace(NOTHING, **rules)) == [3]
    assert found(flawed, replace(NOTHING, **loose)) == []


def test_flat_gaussians_are_no_needles(body) -> None:
    flat = changed(body, "log_scales", 3, np.log([0.5, 0.001, 0.5]))
    assert found(flat, replace(NOTHING, longest_needle=1.5)) == []


def test_cameras_count_those_in_whose_picture_a_gaussian_is(body) -> None:
    away = changed(body, "means", 3, (0, 0, -50))
    pose = np.eye(4)
    pose[2, 3] = 5.0
    views = [View("a", PinholeCamera(100, 100, 50.0, 50.0, 50.0, 50.0), pose)] * 2
    assert found(away, replace(NOTHING, fewest_cameras=1), views) == [3]
    assert found(away, replace(NOTHING, fewest_cameras=1)) == []
    assert len(found(away, replace(NOTHING, fewest_cameras=3), views)) == 200


def test_what_only_a_huge_one_holds_is_afloat_without_it(body) -> None:
    bridged = changed(body, "means", 7, (9, 0, 0))
    bridged = changed(bridged, "log_scales", 8, np.log(4.0))
    assert found(bridged, CleaningRules()) == []
    assert found(bridged, CleaningRules(largest=10.0)) == [7, 8]


@given(
    largest=st.none() | st.floats(1, 4),
    opacity=st.none() | st.floats(0, 1),
    needle=st.none() | st.floats(1, 4),
    seed=st.integers(0, 1000),
)
def test_rules_add_up(largest, opacity, needle, seed) -> None:
    generator = np.random.default_rng(seed)
    gaussians = Gaussians(
        means=generator.standard_normal((30, 3)).astype(np.float32),
        log_scales=generator.standard_normal((30, 3)).astype(np.float32),
        quats=generator.standard_normal((30, 4)).astype(np.float32),
        logit_opacities=generator.standard_normal(30).astype(np.float32),
        sh=np.zeros((30, 1, 3), np.float32),
    )
    rules = replace(NOTHING, largest=largest, least_opacity=opacity, longest_needle=needle)
    alone = [
        unwanted(gaussians, replace(NOTHING, **{name: getattr(rules, name)}))
        for name in ("largest", "least_opacity", "longest_needle")
    ]
    np.testing.assert_array_equal(unwanted(gaussians, rules), np.any(alone, axis=0))


def test_no_gaussians_are_no_trouble() -> None:
    nothing = Gaussians(
        *(np.zeros((0, n), np.float32) for n in (3, 3, 4)),
        np.zeros(0, np.float32),
        np.zeros((0, 1, 3), np.float32),
    )
    rules = CleaningRules(largest=2.0, least_opacity=0.1, longest_needle=3.0, fewest_cameras=2)
    assert unwanted(nothing, rules).tolist() == []
