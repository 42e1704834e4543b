# SPDX-License-Identifier: GPL-3.0-or-later
"""One door to every format: by name and by ending, with the same answers to what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.choices import names
from cgc_addon.errors import CgcError
from cgc_addon.splats.formats import FORMATS, WriteSettings
from cgc_addon.splats.pillow_pictures import pillow_codec
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.write import write_splat


@pytest.mark.parametrize("name", ["plain", "ply", "spz", "sog"])
def test_every_format_that_is_read_comes_back(tmp_path, make_gaussians, name) -> None:
    splat = make_gaussians(30, degree=2)
    write_splat(tmp_path / "a", splat, WriteSettings(name), pillow_codec())
    read = read_splat(tmp_path / "a", pillow_codec()).gaussians
    assert len(read) == 30
    assert read.sh_degree == (3 if name == "plain" else 2)
    assert (read.segments is not None) == (name == "ply")
    order = np.abs(read.means[:, None] - splat.means).max(axis=2).argmin(axis=0)
    np.testing.assert_allclose(read.means[order], splat.means, atol=1e-3)


def test_glb_is_written(tmp_path, make_gaussians) -> None:
    write_splat(tmp_path / "a", make_gaussians(3), WriteSettings("glb"))
    assert (tmp_path / "a").read_bytes().startswith(b"glTF")


@pytest.mark.parametrize("name", names(FORMATS))
@pytest.mark.parametrize("field", ["means", "log_scales", "quats", "logit_opacities", "sh"])
def test_what_is_no_number_is_refused_before_anything_is_written(
    tmp_path, make_gaussians, name, field
) -> None:
    splat = make_gaussians(9)
    values = getattr(splat, field).copy()
    values[4] = np.nan
    splat = replace(splat, **{field: values})
    with pytest.raises(CgcError, match=r"a was not written: 1 of 9 .* the first is number 4; del"):
        write_splat(tmp_path / "a", splat, WriteSettings(name), pillow_codec())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", names(FORMATS))
def test_no_gaussians_and_no_folder_are_said(tmp_path, make_gaussians, name) -> None:
    with pytest.raises(CgcError, match="there are no Gaussians to write"):
        write_splat(tmp_path / "a", make_gaussians(0), WriteSettings(name), pillow_codec())
    (tmp_path / "file").write_text("")
    with pytest.raises(CgcError, match="could not be written"):
        write_splat(tmp_path / "file" / "a", make_gaussians(3), WriteSettings(name), pillow_codec())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_sog_needs_somebody_who_writes_pictures(tmp_path, make_gaussians) -> None:
    with pytest.raises(CgcError, match="choose another format than SOG"):
        write_splat(tmp_path / "a", make_gaussians(3), WriteSettings("sog"))


def test_a_version_of_spz_that_is_not_written_is_said(tmp_path, make_gaussians) -> None:
    with pytest.raises(CgcError, match="SPZ is written in version 2, 3, 4"):
        write_splat(tmp_path / "a", make_gaussians(3), WriteSettings("spz", 1))


def test_the_plain_file_has_no_more_than_its_62_properties(tmp_path, make_gaussians) -> None:
    write_splat(tmp_path / "a", make_gaussians(3), WriteSettings())
    read = read_ply(tmp_path / "a").gaussians
    assert (read.features, read.segments) == (None, None)
