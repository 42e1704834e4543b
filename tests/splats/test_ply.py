# SPDX-License-Identifier: GPL-3.0-or-later
"""PLY files keep every number; those of other programs are read, damaged ones refused clearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plyfile import PlyData, PlyElement

from cgc_addon.errors import CgcError
from cgc_addon.splats import ply
from cgc_addon.splats.ply import read_ply, write_plain_ply, write_ply

FIELDS = ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments")
STANDARD = [
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"),
    *(f"f_rest_{index}" for index in range(45)),
    *("opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
]


def assert_same(first, second) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))


def rewrite(path: Path, change=lambda table: table, **options) -> None:
    """Write the file again with its table changed, or in another encoding."""
    table = np.array(PlyData.read(str(path), mmap=False)["vertex"].data)
    PlyData([PlyElement.describe(change(table), "vertex")], **options).write(str(path))


def renamed(table: np.ndarray, names: dict[str, str]) -> np.ndarray:
    fields = [(names.get(name, name), table.dtype[name]) for name in table.dtype.names]
    return table.view(fields)


def without(table: np.ndarray, dropped: set[str]) -> np.ndarray:
    names = [name for name in table.dtype.names if name not in dropped]
    result = np.empty(len(table), [(name, table.dtype[name]) for name in names])
    for name in names:
        result[name] = table[name]
    return result


@pytest.fixture
def saved(tmp_path, make_gaussians) -> Path:
    write_ply(tmp_path / "splat.ply", make_gaussians(12))
    return tmp_path / "splat.ply"


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("features", [True, False])
@pytest.mark.parametrize("segments", [True, False])
def test_what_is_written_is_read(tmp_path, make_gaussians, degree, features, segments) -> None:
    splat = make_gaussians(7, degree=degree, features=features, segments=segments)
    write_ply(tmp_path / "new" / "splat.ply", splat)
    read = read_ply(tmp_path / "new" / "splat.ply")
    assert read.dropped == 0
    assert_same(read.gaussians, splat)
    assert [item.name for item in tmp_path.joinpath("new").iterdir()] == ["splat.ply"]


def test_properties_are_those_of_3dgs_in_their_order(saved, make_gaussians) -> None:
    data = PlyData.read(str(saved))
    splat = make_gaussians(12)
    assert (data.text, data.byte_order) == (False, "<")
    names = [item.name for item in data["vertex"].properties]
    assert names == [*STANDARD, *(f"f_seg_{index}" for index in range(16)), "segment"]
    vertex = data["vertex"]
    assert vertex["segment"].dtype == np.int32
    # All of red first: f_rest_14 is red's last coefficient, f_rest_15 is green's first.
    np.testing.assert_array_equal(vertex["f_rest_14"], splat.sh[:, 15, 0])
    np.testing.assert_array_equal(vertex["f_rest_15"], splat.sh[:, 1, 1])
    np.testing.assert_array_equal(vertex["rot_0"], splat.quats[:, 0])


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_the_plain_file_fits_readers_of_fixed_records(tmp_path, make_gaussians, degree) -> None:
    """As SIBR does: three lines, any others to the end of the header, 62 floats a Gaussian."""
    splat = make_gaussians(7, degree=degree)
    write_plain_ply(tmp_path / "splat.ply", splat)
    content = (tmp_path / "splat.ply").read_bytes()
    header, mark, data = content.partition(b"end_header\n")
    assert header.split(b"\n")[:3] == [
        *(b"ply", b"format binary_little_endian 1.0", b"element vertex 7"),
    ]
    assert header.count(b"property float ") == 62
    assert header.count(b"property") == 62
    assert mark
    record = np.dtype(
        [
            *(("position", "<f4", 3), ("normal", "<f4", 3), ("sh", "<f4", 48)),
            *(("opacity", "<f4"), ("scale", "<f4", 3), ("rotation", "<f4", 4)),
        ]
    )
    points = np.frombuffer(data, record)
    assert len(points) == 7
    np.testing.assert_array_equal(points["position"], splat.means)
    np.testing.assert_array_equal(points["normal"], 0)
    np.testing.assert_array_equal(points["opacity"], splat.logit_opacities)
    np.testing.assert_array_equal(points["scale"], splat.log_scales)
    np.testing.assert_array_equal(points["rotation"], splat.quats)
    np.testing.assert_array_equal(points["sh"][:, :3], splat.sh[:, 0])
    rest = points["sh"][:, 3:].reshape(7, 3, 15).transpose(0, 2, 1)
    count = (degree + 1) ** 2 - 1
    np.testing.assert_array_equal(rest[:, :count], splat.sh[:, 1:])
    np.testing.assert_array_equal(rest[:, count:], 0)


@pytest.mark.parametrize("options", [{"text": True}, {"byte_order": ">"}, {"byte_order": "<"}])
def test_every_encoding_is_read(saved, make_gaussians, options) -> None:
    rewrite(saved, **options)
    assert_same(read_ply(saved).gaussians, make_gaussians(12))


def test_properties_may_stand_in_any_order_and_precision(saved, make_gaussians) -> None:
    def shuffle(table):
        names = list(np.random.default_rng(0).permutation(table.dtype.names))
        result = np.empty(len(table), [(name, "f8") for name in names] + [("extra", "u1")])
        for name in names:
            result[name] = table[name]
        return result

    rewrite(saved, shuffle)
    assert_same(read_ply(saved).gaussians, make_gaussians(12))


def test_features_of_gaussian_grouping_are_read(saved, make_gaussians) -> None:
    rewrite(saved, lambda table: renamed(table, {f"f_seg_{i}": f"obj_dc_{i}" for i in range(16)}))
    assert_same(read_ply(saved).gaussians, make_gaussians(12))


def test_normals_may_be_missing_and_faces_may_follow(saved, make_gaussians) -> None:
    table = np.array(PlyData.read(str(saved), mmap=False)["vertex"].data)
    faces = np.empty(2, dtype=[("vertex_indices", "O")])
    faces["vertex_indices"] = [np.array([0, 1, 2], np.int32), np.array([1, 2, 3, 4], np.int32)]
    PlyData(
        [
            PlyElement.describe(without(table, {"nx", "ny", "nz"}), "vertex"),
            PlyElement.describe(faces, "face"),
        ],
        comments=["made by another program"],
    ).write(str(saved))
    assert_same(read_ply(saved).gaussians, make_gaussians(12))


@pytest.mark.parametrize("name", ["x", "f_dc_1", "opacity", "scale_1", "rot_3"])
def test_a_missing_property_is_named(saved, name) -> None:
    rewrite(saved, lambda table: without(table, {name}))
    with pytest.raises(CgcError, match=f"splat.ply is not a 3DGS splat.*`{name}`"):
        read_ply(saved)


def test_a_mesh_is_not_a_splat(tmp_path) -> None:
    table = np.zeros(3, dtype=[("x", "f4"), ("y", "f4"), ("z", "f4")])
    PlyData([PlyElement.describe(table, "vertex")]).write(str(tmp_path / "mesh.ply"))
    with pytest.raises(CgcError, match="is a point cloud, not a splat"):
        read_ply(tmp_path / "mesh.ply")
    PlyData([PlyElement.describe(table, "point")]).write(str(tmp_path / "mesh.ply"))
    with pytest.raises(CgcError, match="no element `vertex`"):
        read_ply(tmp_path / "mesh.ply")


@pytest.mark.parametrize(
    "names", [{"f_rest_44"}, {f"f_rest_{index}" for index in range(9)}, {"f_rest_3"}]
)
def test_a_wrong_number_of_harmonics_is_refused(saved, names) -> None:
    rewrite(saved, lambda table: without(table, names))
    with pytest.raises(CgcError, match=r"0, 9, 24 or 45"):
        read_ply(saved)


def test_a_wrong_number_of_features_is_refused(saved) -> None:
    rewrite(saved, lambda table: without(table, {"f_seg_7"}))
    with pytest.raises(CgcError, match="15 features f_seg_"):
        read_ply(saved)


@pytest.mark.parametrize("value", [-1, 2.5, 3e9, np.nan])
def test_segments_that_are_no_ids_are_refused(saved, value) -> None:
    def spoil(table):
        result = np.empty(
            len(table), [(n, "f8" if n == "segment" else "f4") for n in table.dtype.names]
        )
        for name in table.dtype.names:
            result[name] = table[name]
        result["segment"][3] = value
        return result

    rewrite(saved, spoil)
    with pytest.raises(CgcError, match=r"segment .* at vertex 3"):
        read_ply(saved)


@pytest.mark.parametrize("name", ["x", "f_dc_2", "f_rest_30", "opacity", "rot_1", "f_seg_5"])
def test_few_gaussians_without_numbers_are_left_out(saved, make_gaussians, name) -> None:
    def spoil(table):
        table[name][4] = np.nan
        return table

    rewrite(saved, spoil)
    read = read_ply(saved)
    assert read.dropped == 1
    np.testing.assert_array_equal(read.gaussians.means, np.delete(make_gaussians(12).means, 4, 0))


def test_a_rotation_of_zero_is_left_out(saved) -> None:
    def spoil(table):
        for index in range(4):
            table[f"rot_{index}"][2] = 0.0
        return table

    rewrite(saved, spoil)
    assert read_ply(saved).dropped == 1


def test_many_gaussians_without_numbers_are_refused(saved) -> None:
    def spoil(table):
        table["y"][5:8] = np.inf
        return table

    rewrite(saved, spoil)
    with pytest.raises(CgcError, match=r"3 of its 12 Gaussians .* the first is vertex 5"):
        read_ply(saved)


def test_fully_opaque_and_flat_gaussians_are_kept(saved) -> None:
    def spoil(table):
        table["opacity"][:] = np.inf
        table["opacity"][0] = -np.inf
        table["scale_1"][:] = -np.inf
        return table

    rewrite(saved, spoil)
    read = read_ply(saved)
    assert read.dropped == 0
    np.testing.assert_array_equal(read.gaussians.logit_opacities, [-16.0] + [16.0] * 11)
    np.testing.assert_array_equal(read.gaussians.log_scales[:, 1], -24.0)


def test_surfels_of_2dgs_are_flat(saved, make_gaussians) -> None:
    rewrite(saved, lambda table: without(table, {"scale_2"}))
    read, splat = read_ply(saved), make_gaussians(12)
    assert (read.dropped, read.notes) == (0, ())
    np.testing.assert_array_equal(read.gaussians.log_scales[:, :2], splat.log_scales[:, :2])
    np.testing.assert_array_equal(read.gaussians.log_scales[:, 2], -24)
    np.testing.assert_array_equal(read.gaussians.quats, splat.quats)


@pytest.mark.parametrize("text", [True, False])
def test_the_filter_of_mip_splatting_is_folded_in(saved, make_gaussians, text) -> None:
    """Against the formulas in scales and opacities themselves, not in their logarithms."""
    splat = make_gaussians(12)
    deviations = np.linspace(0, 0.2, 12, dtype=np.float32)

    def with_filter(table):
        result = np.empty(len(table), [*table.dtype.descr, ("filter_3D", "f4")])
        for name in table.dtype.names:
            result[name] = table[name]
        result["filter_3D"] = deviations
        return result

    rewrite(saved, with_filter, text=text)
    read = read_ply(saved)
    assert (read.dropped, read.notes) == (0, ())
    variances = np.exp(splat.log_scales.astype(np.float64)) ** 2
    wider = variances + deviations[:, None].astype(np.float64) ** 2
    np.testing.assert_allclose(np.exp(read.gaussians.log_scales), np.sqrt(wider), rtol=1e-5)
    opacities = 1 / (1 + np.exp(-splat.logit_opacities.astype(np.float64)))
    opacities *= np.sqrt(variances.prod(axis=1) / wider.prod(axis=1))
    np.testing.assert_allclose(
        1 / (1 + np.exp(-read.gaussians.logit_opacities.astype(np.float64))), opacities, rtol=1e-4
    )
    assert read.gaussians.logit_opacities[0] == splat.logit_opacities[0]
    np.testing.assert_array_equal(read.gaussians.sh, splat.sh)


def test_a_filter_that_is_no_number_leaves_its_gaussian_out(saved) -> None:
    def with_filter(table):
        result = np.zeros(len(table), [*table.dtype.descr, ("filter_3D", "f4")])
        for name in table.dtype.names:
            result[name] = table[name]
        result["filter_3D"][3] = np.nan
        return result

    rewrite(saved, with_filter)
    assert read_ply(saved).dropped == 1


@pytest.mark.parametrize("kept", [{"x", "y", "z"}, {"x", "y", "z", "nx", "ny", "nz"}])
def test_a_point_cloud_is_refused_and_what_opens_it_named(saved, kept) -> None:
    rewrite(saved, lambda table: without(table, set(table.dtype.names) - kept))
    with pytest.raises(CgcError, match=r"is a point cloud, not a splat: .*Stanford PLY"):
        read_ply(saved)


def test_no_gaussians_are_refused(tmp_path, saved, make_gaussians) -> None:
    with pytest.raises(CgcError, match="no Gaussians to write"):
        write_ply(tmp_path / "empty.ply", make_gaussians(0))
    assert not (tmp_path / "empty.ply").exists()
    rewrite(saved, lambda table: table[:0])
    with pytest.raises(CgcError, match="holds no Gaussians"):
        read_ply(saved)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not begin with the line `ply`"),
        (b"\x89PNG\r\n\x1a\n", "does not begin with the line `ply`"),
        (b"plywood\n", "does not begin with the line `ply`"),
        (b"ply\nformat ascii 1.0\n", "no `end_header`"),
        (b"ply\n" + b"comment x\n" * 100_000, "no `end_header`"),
        (
            b"ply\nformat ascii 1.0\nelement vertex -4\nproperty float x\nend_header\n",
            "`element vertex -4` in its header has no count",
        ),
        (b"ply\nformat morse 1.0\nelement vertex 4\nproperty float x\nend_header\n", "morse"),
        (b"ply\nformat ascii 1.0\nelement vertex 4\nproperty flute x\nend_header\n", "flute"),
        (b"ply\nformat ascii 1.0\nend_header\n", "no element `vertex`"),
    ],
)
def test_what_is_no_ply_is_refused(tmp_path, content, reason) -> None:
    path = tmp_path / "file.ply"
    path.write_bytes(content)
    with pytest.raises(CgcError, match=reason):
        read_ply(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path) -> None:
    with pytest.raises(CgcError, match="is missing"):
        read_ply(tmp_path / "none.ply")
    with pytest.raises(CgcError, match="is a folder, not a file"):
        read_ply(tmp_path)


@pytest.mark.parametrize("count", [13, 10**9, 10**18, 10**40])
@pytest.mark.parametrize("text", [True, False])
def test_a_count_larger_than_the_file_takes_no_memory(saved, count, text) -> None:
    rewrite(saved, text=text)
    content = saved.read_bytes().replace(b"vertex 12\n", b"vertex %d\n" % count)
    saved.write_bytes(content)
    with pytest.raises(CgcError, match=r"damaged|early end-of-file"):
        read_ply(saved)


@pytest.mark.parametrize("count", ["+99999999999", "9_999_999_999", "1e12", "0x7fffffff", ""])
def test_a_count_in_another_notation_is_refused(saved, count) -> None:
    content = saved.read_bytes().replace(b"vertex 12\n", f"vertex {count}\n".encode())
    saved.write_bytes(content)
    with pytest.raises(CgcError, match="in its header has no count"):
        read_ply(saved)


def test_windows_line_breaks_in_the_header_are_read(saved, make_gaussians) -> None:
    head, mark, data = saved.read_bytes().partition(b"end_header\n")
    saved.write_bytes((head + mark).replace(b"\n", b"\r\n") + data)
    assert_same(read_ply(saved).gaussians, make_gaussians(12))


def test_every_truncation_is_refused(saved) -> None:
    content = saved.read_bytes()
    for length in [*range(0, len(content), 97), len(content) - 1]:
        saved.write_bytes(content[:length])
        with pytest.raises(CgcError):
            read_ply(saved)


@pytest.mark.parametrize("text", [True, False])
def test_every_flipped_header_byte_is_read_or_refused(tmp_path, make_gaussians, text) -> None:
    path = tmp_path / "splat.ply"
    write_ply(path, make_gaussians(2))
    rewrite(path, text=text)
    content = path.read_bytes()
    header = content.index(b"end_header") + 11

    @settings(
        max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(changes=st.lists(st.tuples(st.integers(0, header), st.integers(0, 255)), max_size=3))
    def flip(changes) -> None:
        damaged = bytearray(content)
        for place, value in changes:
            damaged[place] = value
        path.write_bytes(damaged)
        try:
            read = read_ply(path)
        except CgcError:
            return
        assert len(read.gaussians) + read.dropped in (1, 2)

    flip()


def test_a_failed_write_leaves_the_old_file(tmp_path, make_gaussians, monkeypatch) -> None:
    path = tmp_path / "splat.ply"
    write_ply(path, make_gaussians(3))
    before = path.read_bytes()

    def full_disk(target, _table, _element) -> None:
        target.write_bytes(b"ply\n")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ply, "write_table", full_disk)
    with pytest.raises(CgcError, match="No space left"):
        write_ply(path, make_gaussians(4))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["splat.ply"]
