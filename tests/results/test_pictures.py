# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from PIL import Image

from cgc_addon.results.pictures import save_array, save_png, to_bytes


@pytest.mark.parametrize(("kind", "highest"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_ids_survive_a_png(tmp_path, kind, highest):
    ids = np.array([[0, 1], [highest - 1, highest]], kind)
    save_png(tmp_path / "a" / "b.png", ids)
    with Image.open(tmp_path / "a" / "b.png") as image:
        np.testing.assert_array_equal(np.array(image), ids)


def test_arrays_survive_and_colours_are_rounded(tmp_path):
    save_array(tmp_path / "a.npy", np.arange(3.0))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.arange(3.0))
    assert to_bytes(np.array([-1.0, 0.499 / 255, 0.501 / 255, 2.0])).tolist() == [0, 0, 1, 255]
