# SPDX-License-Identifier: GPL-3.0-or-later
"""Written SOG files hold what the format can, whatever the splat looks like."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.splats import sog_writing
from cgc_addon.splats.morton import morton_order
from cgc_addon.splats.pillow_pictures import pillow_codec
from cgc_addon.splats.rotations import matrices
from cgc_addon.splats.select import subset
from cgc_addon.splats.sog import read_sog
from cgc_addon.splats.sog_writing import write_sog

from . import foreign_files as foreign


def written(path, splat):
    """Return what is read back, and the splat in the order in which it was written."""
    write_sog(path, splat, pillow_codec())
    read = read_sog(path, pillow_codec())
    assert (read.dropped, read.notes) == (0, ())
    return read.gaussians, subset(splat, morton_order(splat.means))


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 65, 300])
def test_what_is_written_is_read(tmp_path, make_gaussians, degree, count) -> None:
    """The reader has its own tests against the specification and files of others."""
    back, splat = written(tmp_path / "new" / "a.sog", make_gaussians(count, degree=degree))
    assert (len(back), back.sh_degree) == (count, degree)
    assert (back.features, back.segments) == (None, None)
    np.testing.assert_allclose(back.means, splat.means, atol=4e-4)
    np.testing.assert_allclose(back.log_scales, splat.log_scales, atol=0.03)
    np.testing.assert_allclose(matrices(back.quats), matrices(splat.quats), atol=0.015)
    opacities = foreign.sigmoid(back.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=0.51 / 255)
    np.testing.assert_allclose(back.sh, splat.sh, atol=0.05)
    assert [item.name for item in (tmp_path / "new").iterdir()] == ["a.sog"]


def test_names_and_sizes_are_those_of_the_specification(tmp_path, make_gaussians) -> None:
    write_sog(tmp_path / "a.sog", make_gaussians(300), pillow_codec())
    with zipfile.ZipFile(tmp_path / "a.sog") as archive:
        meta = json.loads(archive.read("meta.json"))
        names = set(archive.namelist())
        sizes = {
            name: pillow_codec().decode(archive.read(name)).shape for name in names - {"meta.json"}
        }
    assert (meta["version"], meta["count"], meta["antialias"]) == (2, 300, False)
    assert (meta["shN"]["count"], meta["shN"]["bands"]) == (300, 3)
    assert names == {
        *("meta.json", "means_l.webp", "means_u.webp", "scales.webp", "quats.webp", "sh0.webp"),
        *("shN_centroids.webp", "shN_labels.webp"),
    }
    assert sizes.pop("shN_centroids.webp") == (5, 64 * 15, 4)
    assert set(sizes.values()) == {(15, 20, 4)}


def test_large_splats_share_harmonics(tmp_path, make_gaussians, monkeypatch) -> None:
    monkeypatch.setattr(sog_writing, "SMALL", 16)
    back, splat = written(tmp_path / "a.sog", make_gaussians(2000, degree=1))
    assert len(np.unique(back.sh[:, 1:], axis=0)) <= 500
    error = np.sqrt(((back.sh - splat.sh)[:, 1:] ** 2).mean())
    assert error < 0.5 * splat.sh[:, 1:].std()
    np.testing.assert_allclose(back.sh[:, 0], splat.sh[:, 0], atol=0.05)


def test_extreme_values_stay_near_what_they_were(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(500)
    means, log_scales = splat.means.copy(), splat.log_scales.copy()
    means[7], log_scales[9] = (3e4, -2e5, 1), (-24, -24, 6)
    logits = np.linspace(-300, 300, 500, dtype=np.float32)
    splat = replace(splat, means=means, log_scales=log_scales, logit_opacities=logits)
    back, splat = written(tmp_path / "a.sog", splat)
    np.testing.assert_allclose(back.means, splat.means, rtol=2e-4, atol=2e-3)
    np.testing.assert_allclose(back.log_scales, splat.log_scales, atol=0.3)
    assert back.logit_opacities.min() == -16
    assert back.logit_opacities.max() == 16


def test_flat_splats_lie_in_their_plane(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(20)
    means = splat.means.copy()
    means[:, 2] = 0.75
    back, _ = written(tmp_path / "a.sog", replace(splat, means=means))
    np.testing.assert_allclose(back.means[:, 2], 0.75, rtol=1e-6)


def test_a_failed_write_leaves_the_old_file(tmp_path, make_gaussians) -> None:
    (tmp_path / "a.sog").write_bytes(b"old")

    def full_disk(pixels) -> bytes:
        raise OSError(28, "No space left on device")

    codec = replace(pillow_codec(), encode=full_disk)
    with pytest.raises(CgcError, match="No space left"):
        write_sog(tmp_path / "a.sog", make_gaussians(3), codec)
    assert (tmp_path / "a.sog").read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.sog"]


def test_progress_is_told_and_a_wish_to_stop_heard(tmp_path, make_gaussians) -> None:
    told = []
    write_sog(tmp_path / "a.sog", make_gaussians(9), pillow_codec(), told.append)
    assert [(each.done, each.total) for each in told] == [(n, 7) for n in range(8)]
    before = (tmp_path / "a.sog").read_bytes()
    with pytest.raises(Interrupted):
        write_sog(
            tmp_path / "a.sog",
            make_gaussians(12),
            pillow_codec(),
            told.append,
            lambda: told[-1].done == 3,
        )
    assert (tmp_path / "a.sog").read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.sog"]
