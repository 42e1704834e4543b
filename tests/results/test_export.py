# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's splat, or some of its segments, as one file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.results.export import export_segments
from cgc_addon.splats.formats import WriteSettings
from cgc_addon.splats.pillow_pictures import pillow_codec
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.read import read_splat

PLY = WriteSettings("ply")


def test_everything_or_some_segments_in_the_order_of_the_splat(true_splat, write_run, tmp_path):
    folder, output = write_run(true_splat).path, tmp_path / "out.ply"
    assert export_segments(folder, output, None, PLY) == len(true_splat)
    np.testing.assert_array_equal(read_ply(output).gaussians.means, true_splat.means)
    assert export_segments(folder, output, [4, 2], PLY) == 120
    written = read_ply(output).gaussians
    chosen = np.isin(true_splat.segments, [2, 4])
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments"):
        expected = getattr(true_splat, name)[chosen]
        np.testing.assert_array_equal(getattr(written, name), expected)


def test_zero_is_what_belongs_to_none(true_splat, write_run, tmp_path):
    assert export_segments(write_run(true_splat).path, tmp_path / "out.ply", [0], PLY) == 200


@pytest.mark.parametrize("segments", [True, False])
def test_a_segment_that_is_not_there_writes_nothing(true_splat, write_run, tmp_path, segments):
    splat = true_splat if segments else replace(true_splat, segments=None)
    with pytest.raises(CgcError, match="no segment"):
        export_segments(write_run(splat).path, tmp_path / "out.ply", [1, 9], PLY)
    assert not (tmp_path / "out.ply").exists()


@pytest.mark.parametrize("name", ["plain", "spz", "sog"])
def test_any_splat_becomes_another_kind_of_file(true_splat, write_run, tmp_path, name):
    export_segments(write_run(true_splat).path, tmp_path / "a", None, WriteSettings(name))
    told = []
    count = export_segments(tmp_path / "a", tmp_path / "b.ply", None, PLY, told.append)
    assert (count, told) == (len(true_splat), [])
    first = read_splat(tmp_path / "a", pillow_codec()).gaussians
    np.testing.assert_array_equal(read_ply(tmp_path / "b.ply").gaussians.sh, first.sh)
    np.testing.assert_array_equal(read_ply(tmp_path / "b.ply").gaussians.means, first.means)
