# SPDX-License-Identifier: GPL-3.0-or-later
"""A splat keeps what its Gaussians are: in memory, on disk, through undo, in another file."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import point_attributes
from cgc_addon.blender.common.access import of_object
from cgc_addon.blender.splats.objects import (
    BASE,
    clusters_of,
    data_of,
    fingerprint,
    gaussians_of,
    indices_of,
    is_splat,
    new_splat,
    replace_gaussians,
    set_native,
)
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.select import subset


def random_gaussians(count: int, degree: int = 3, *, features: bool = True) -> Gaussians:
    generator = np.random.default_rng(count + degree)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    quats = normal(count, 4)
    return Gaussians(
        means=normal(count, 3),
        log_scales=3 * normal(count, 3) - 4,
        quats=quats / np.linalg.norm(quats, axis=1, keepdims=True),
        logit_opacities=6 * normal(count),
        sh=normal(count, (degree + 1) ** 2, 3),
        features=normal(count, 16) if features else None,
        segments=generator.integers(0, 9, count).astype(np.int32) if features else None,
    )


def splat_of(gaussians: Gaussians, name: str = "splat"):
    index = np.arange(len(gaussians), dtype=np.int32)[::-1]
    return new_splat(name, gaussians, index, index % 5)


def assert_same(first: Gaussians, second: Gaussians) -> None:
    """Equal to the last bit, but for scales and rotations, which are kept as another number."""
    for name in ("means", "logit_opacities", "sh", "features", "segments"):
        expected = getattr(second, name)
        if expected is None:
            assert getattr(first, name) is None
        else:
            np.testing.assert_array_equal(getattr(first, name), expected, err_msg=name)
    np.testing.assert_allclose(np.exp(first.log_scales), np.exp(second.log_scales), rtol=1e-6)
    lengths = np.linalg.norm(second.quats, axis=1, keepdims=True)
    np.testing.assert_allclose(first.quats, second.quats / lengths, atol=1e-6)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("features", [True, False])
def test_gaussians_come_back(degree, features) -> None:
    gaussians = random_gaussians(500, degree, features=features)
    item = splat_of(gaussians)
    assert_same(gaussians_of(item), gaussians)
    assert indices_of(item).tolist() == list(range(500))[::-1]
    assert clusters_of(item).tolist() == [i % 5 for i in range(500)][::-1]
    assert is_splat(item)
    assert of_object(item).kind == "SPLAT"


def test_what_comes_back_comes_back_the_same_to_the_last_bit() -> None:
    once = gaussians_of(splat_of(random_gaussians(5000)))
    twice = gaussians_of(splat_of(once))
    np.testing.assert_array_equal(twice.log_scales, once.log_scales)
    np.testing.assert_array_equal(twice.logit_opacities, once.logit_opacities)


def test_a_quaternion_of_any_length_is_kept_as_the_rotation_it_is() -> None:
    gaussians = random_gaussians(50)
    long = Gaussians(**{**vars(gaussians), "quats": 7 * gaussians.quats})
    assert_same(gaussians_of(splat_of(long)), long)


def test_extreme_scales_and_opacities_stay_finite() -> None:
    gaussians = random_gaussians(4)
    extreme = Gaussians(
        **{
            **vars(gaussians),
            "log_scales": np.repeat(np.float32([[-200], [-24], [80], [200]]), 3, axis=1),
            "logit_opacities": np.float32([-90, -16, 16, 90]),
        }
    )
    back = gaussians_of(splat_of(extreme))
    assert np.isfinite(back.log_scales).all()
    np.testing.assert_allclose(back.log_scales[1:3], extreme.log_scales[1:3], rtol=1e-6)
    np.testing.assert_array_equal(back.logit_opacities, extreme.logit_opacities)


def test_an_opacity_that_someone_changed_counts() -> None:
    item = splat_of(random_gaussians(3))
    base = point_attributes.read(data_of(item), BASE)
    base[:, 3] = (0.0, 0.5, 1.0)
    kind = data_of(item).attributes[BASE].data_type
    point_attributes.write(data_of(item), BASE, kind, base)
    np.testing.assert_allclose(gaussians_of(item).logit_opacities, [-16, 0, 16], atol=1e-6)


def test_colours_are_found_again_where_blender_dropped_them() -> None:
    gaussians = random_gaussians(500)
    item = splat_of(gaussians)
    point_attributes.remove(data_of(item), BASE)
    assert is_splat(item)
    back = gaussians_of(item)
    np.testing.assert_allclose(back.sh[:, 0], gaussians.sh[:, 0], atol=2e-6)
    np.testing.assert_array_equal(back.logit_opacities, gaussians.logit_opacities)


def test_harmonics_stop_at_the_first_degree_that_is_not_complete() -> None:
    item = splat_of(random_gaussians(5, degree=3))
    point_attributes.remove(data_of(item), "radiance:sh_12")
    assert gaussians_of(item).sh_degree == 2


@pytest.mark.parametrize("count", [100, 40, 0, 250])
def test_replaced_gaussians_leave_nothing_of_the_old_ones(count) -> None:
    item = splat_of(random_gaussians(100, degree=3))
    bpy.context.scene.collection.objects.link(item)
    other = random_gaussians(count, degree=1, features=False)
    numbers = np.arange(count, dtype=np.int32)
    replace_gaussians(item, other, numbers, numbers)
    assert_same(gaussians_of(item), other)
    assert data_of(item).name == "splat"
    assert len(bpy.data.pointclouds) == 1


def test_what_is_no_splat_is_not_taken_for_one() -> None:
    cloud = point_attributes.new_point_cloud("points", np.zeros((3, 3)))
    assert not is_splat(bpy.data.objects.new("points", cloud))
    assert not is_splat(bpy.data.objects.new("empty", None))
    assert not is_splat(None)


def test_save_and_load_keep_everything(tmp_path) -> None:
    gaussians = random_gaussians(1000)
    bpy.context.scene.collection.objects.link(splat_of(gaussians))
    path = str(tmp_path / "splat.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    item = bpy.data.objects["splat"]
    assert_same(gaussians_of(item), gaussians)
    assert clusters_of(item).tolist() == [i % 5 for i in range(1000)][::-1]
    assert of_object(item).kind == "SPLAT"


def test_appending_to_another_file_keeps_everything(tmp_path) -> None:
    gaussians = random_gaussians(1000)
    bpy.context.scene.collection.objects.link(splat_of(gaussians))
    path = str(tmp_path / "splat.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=False) as (source, target):
        target.objects = source.objects
    assert_same(gaussians_of(bpy.data.objects["splat"]), gaussians)
    assert of_object(bpy.data.objects["splat"]).kind == "SPLAT"


def test_a_copy_is_independent() -> None:
    gaussians = random_gaussians(100)
    item = splat_of(gaussians)
    copy = item.copy()
    copy.data = item.data.copy()
    numbers = np.arange(10, dtype=np.int32)
    replace_gaussians(item, subset(gaussians, numbers), numbers, numbers)
    assert_same(gaussians_of(copy), gaussians)


def test_a_fingerprint_tells_any_change_of_a_number_and_nothing_else() -> None:
    item = splat_of(random_gaussians(50))
    cloud = item.data
    found = {fingerprint(cloud)}
    cloud.update_tag()
    cloud.attributes["segment"].data[0].value = 7
    assert {fingerprint(cloud)} == found
    for name in ("position", "scale", "radiance:sh_1"):
        cloud.attributes[name].data[3].vector[1] += 1e-3
        found.add(fingerprint(cloud))
    cloud.attributes["feature:2"].data[49].color[3] += 1e-3
    found.add(fingerprint(cloud))
    cloud.attributes.remove(cloud.attributes["radiance:sh_14"])
    found.add(fingerprint(cloud))
    assert len(found) == 6


def test_undo_and_redo_bring_the_gaussians_back() -> None:
    first, second = random_gaussians(100, 3), random_gaussians(60, 1, features=False)
    bpy.context.scene.collection.objects.link(splat_of(first))
    bpy.ops.ed.undo_push(message="made")
    numbers = np.arange(60, dtype=np.int32)
    replace_gaussians(bpy.data.objects["splat"], second, numbers, numbers)
    bpy.ops.ed.undo_push(message="replaced")
    bpy.ops.ed.undo()
    assert_same(gaussians_of(bpy.data.objects["splat"]), first)
    bpy.ops.ed.redo()
    assert_same(gaussians_of(bpy.data.objects["splat"]), second)


def test_two_hundred_thousand_gaussians_are_built_in_under_a_second() -> None:
    gaussians = random_gaussians(200_000)
    start = time.process_time()
    splat_of(gaussians)
    assert time.process_time() - start < 1.0  # 0.15 s when nothing else runs


def fake_cloud(kinds: list[str]):
    """Return what a point cloud of a Blender with splats of its own looks like."""
    kind = SimpleNamespace(enum_items=dict.fromkeys(kinds), default=kinds[0])
    return SimpleNamespace(
        bl_rna=SimpleNamespace(properties={"type": kind}), type=kinds[0], attributes={}
    )


def test_native_splats_are_switched_on_where_there_are_any() -> None:
    newer = fake_cloud(["POINTS", "GAUSSIAN_SPLAT"])
    assert set_native(newer, True)
    assert newer.type == "GAUSSIAN_SPLAT"
    assert not set_native(newer, False)
    assert newer.type == "POINTS"
    other = fake_cloud(["POINTS", "SOMETHING_ELSE"])
    assert not set_native(other, True)
    assert other.type == "POINTS"
