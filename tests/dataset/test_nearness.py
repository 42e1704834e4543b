# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from scipy.spatial import KDTree

from cgc_addon.dataset.nearness import fewer_within


@pytest.mark.parametrize("count", [1, 2, 7, 40, 41])
def test_counting_all_of_them_says_the_same(count):
    random = np.random.default_rng(count)
    others, places = random.random((40, 3)), random.random((100, 3))
    reach = random.random(100)
    distances = np.linalg.norm(places[:, None] - others, axis=2)
    expected = np.count_nonzero(distances <= reach[:, None], axis=1) < count
    assert (fewer_within(places, reach, KDTree(others), count) == expected).all()


def test_nowhere_is_nothing():
    nowhere = np.zeros((0, 3))
    assert fewer_within(nowhere, np.zeros(0), KDTree(np.ones((5, 3))), 2).shape == (0,)
