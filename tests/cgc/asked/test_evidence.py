# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks vote by how much each Gaussian makes up of their pixels."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.asked.evidence import INSIDE, OUTSIDE, UNKNOWN, Evidence
from cgc_addon.rasterize.blending import BlendingMatrix
from cgc_addon.splats.gaussians import Gaussians


def blending(*rows: dict[int, float], count: int = 4) -> BlendingMatrix:
    starts = np.cumsum([0, *map(len, rows)])
    entries = [item for row in rows for item in row.items()]
    return BlendingMatrix(
        starts,
        np.array([one for one, _ in entries], np.int32),
        np.array([weight for _, weight in entries], np.float32),
        count,
    )


def test_a_gaussian_is_where_most_of_what_is_seen_of_it_is():
    evidence = Evidence(4)
    drawn = blending({0: 0.9}, {0: 0.3, 1: 0.6}, {1: 0.7, 2: 0.01})
    evidence.add(drawn, np.array([True, True, False]), 4.0)
    assert evidence.kinds().tolist() == [INSIDE, OUTSIDE, UNKNOWN, UNKNOWN]
    evidence.add(blending({1: 0.9, 3: 0.1}), np.array([True]), 1.0)
    assert evidence.kinds().tolist() == [INSIDE, INSIDE, UNKNOWN, INSIDE]


def test_members_need_the_votes_of_several_views_and_hang_together():
    count = 30
    means = np.zeros((count, 3), np.float32)
    means[:, 0] = np.arange(count) * 0.1
    means[1] = 90  # floats
    gaussians = Gaussians(
        means=means,
        log_scales=np.full((count, 3), np.log(0.1), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        logit_opacities=np.zeros(count, np.float32),
        sh=np.zeros((count, 1, 3), np.float32),
    )
    evidence = Evidence(count)
    for view in range(10):
        first = 0 if view == 0 else 1  # the first Gaussian is in one view only
        everything = blending(dict.fromkeys(range(first, count), 0.03), count=count)
        evidence.add(everything, np.array([True]), 10.0)
    members = evidence.members(gaussians)
    assert not members[:2].any()
    assert members[2:].all()
