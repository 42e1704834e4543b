# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF files hold every number, as the extension's specification has them."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats import glb
from cgc_addon.splats.glb import write_glb
from cgc_addon.splats.rotations import matrices, normalised
from cgc_addon.srgb import linear_from_srgb

from . import foreign_files as foreign

COMPONENTS = {5126: "<f4", 5123: "<u2"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


def opened(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The JSON and the attributes of a file, read by glTF's specification alone."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert (kind, size % 4) == (b"JSON", 0)
    document = json.loads(data[20 : 20 + size])
    binary, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert (kind, binary % 4) == (b"BIN\0", 0)
    assert 28 + size + binary == length
    assert document["buffers"] == [{"byteLength": binary}]
    content = data[28 + size :]
    (primitive,) = document["meshes"][0]["primitives"]
    attributes = {}
    for name, index in primitive["attributes"].items():
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        start, width = view["byteOffset"], WIDTHS[accessor["type"]]
        assert start % 4 == 0
        kind = np.dtype(COMPONENTS[accessor["componentType"]])
        assert width * kind.itemsize % 4 == 0
        assert view["byteLength"] == accessor["count"] * width * kind.itemsize
        values = np.frombuffer(content, kind, accessor["count"] * width, start)
        attributes[name] = values.reshape(-1, width)
        assert accessor.get("normalized", False) == (kind == "<u2")
        if "min" in accessor:
            np.testing.assert_array_equal(attributes[name].min(axis=0), accessor["min"])
            np.testing.assert_array_equal(attributes[name].max(axis=0), accessor["max"])
    assert "min" in document["accessors"][primitive["attributes"]["POSITION"]]
    return document, attributes


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_every_number_is_there(tmp_path, make_gaussians, degree) -> None:
    splat = make_gaussians(11, degree=degree)
    write_glb(tmp_path / "new" / "splat.glb", splat)
    document, attributes = opened(tmp_path / "new" / "splat.glb")
    assert document["asset"]["version"] == "2.0"
    assert document["extensionsUsed"] == ["KHR_gaussian_splatting"]
    (primitive,) = document["meshes"][0]["primitives"]
    assert primitive["mode"] == 0
    assert primitive["extensions"] == {
        "KHR_gaussian_splatting": {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}
    }
    own = {name.partition(":")[2]: values for name, values in attributes.items() if ":" in name}
    np.testing.assert_array_equal(attributes["POSITION"], splat.means * foreign.RUB)
    np.testing.assert_allclose(own["SCALE"], np.exp(splat.log_scales), rtol=1e-6)
    np.testing.assert_allclose(own["OPACITY"][:, 0], foreign.sigmoid(splat.logit_opacities))
    np.testing.assert_allclose(np.linalg.norm(own["ROTATION"], axis=1), 1, atol=1e-6)
    turn = np.diag(foreign.RUB)
    wxyz = np.roll(own["ROTATION"], 1, axis=1)
    np.testing.assert_allclose(
        matrices(wxyz), turn @ matrices(normalised(splat.quats)) @ turn, atol=1e-6
    )
    signs = np.concatenate([[1], foreign.RUB_HARMONICS])
    coefficients = [(d, n) for d in range(degree + 1) for n in range(2 * d + 1)]
    for index, (band, number) in enumerate(coefficients):
        values = own[f"SH_DEGREE_{band}_COEF_{number}"]
        np.testing.assert_array_equal(values, splat.sh[:, index] * np.float32(signs[index]))
    assert len(own) == 3 + (degree + 1) ** 2
    assert [item.name for item in (tmp_path / "new").iterdir()] == ["splat.glb"]


def test_programs_that_draw_points_see_colours(tmp_path, make_gaussians) -> None:
    """Colours of glTF are linear; those of splats are as photos have them."""
    splat = make_gaussians(11)
    write_glb(tmp_path / "splat.glb", splat)
    shares = opened(tmp_path / "splat.glb")[1]["COLOR_0"] / 65535
    photo = (0.5 + foreign.SH_C0 * splat.sh[:, 0]).clip(0, 1)
    np.testing.assert_allclose(shares[:, :3], linear_from_srgb(photo), atol=1e-5)
    np.testing.assert_allclose(shares[:, 3], foreign.sigmoid(splat.logit_opacities), atol=1e-5)


def test_the_ends_of_the_ranges_stay_numbers(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(3)
    logits = np.array([-800, 0, 800], np.float32)
    write_glb(tmp_path / "splat.glb", replace(splat, logit_opacities=logits))
    attributes = opened(tmp_path / "splat.glb")[1]
    opacities = attributes["KHR_gaussian_splatting:OPACITY"][:, 0]
    np.testing.assert_array_equal(opacities, [0, 0.5, 1])


def test_what_is_too_much_for_the_format_is_said(tmp_path, make_gaussians, monkeypatch) -> None:
    monkeypatch.setattr(glb, "LARGEST", 3000)
    with pytest.raises(
        CgcError, match=r"splat\.glb was not written: 20 Gaussians take .*or as PLY"
    ):
        write_glb(tmp_path / "splat.glb", make_gaussians(20))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, make_gaussians) -> None:
    (tmp_path / "splat.glb").mkdir()
    with pytest.raises(CgcError, match=r"splat\.glb could not be written"):
        write_glb(tmp_path / "splat.glb", make_gaussians(3))
    assert [item.name for item in tmp_path.iterdir()] == ["splat.glb"]
