# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats have the colours and shapes asked for, in a render, with two materials for all of them."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.common.choices import COLORS_OF_SPLATS
from cgc_addon.blender.splats.looks import apply_look, apply_look_to_scene
from cgc_addon.blender.splats.objects import NATIVE, data_of, new_splat
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.spherical_harmonics import CONSTANT_BASIS

WIDTH, HEIGHT = 60, 20
COLORS = ((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8))
HAS_NATIVE = "type" in bpy.types.PointCloud.bl_rna.properties
"""Whether this Blender draws splats itself, as 5.3 and later do."""
ORANGE = (0.9, 0.5, 0.2)
SHAPES = ("POINTS", "ELLIPSOIDS", "SPLATS", "NATIVE")
LOOKS = [(shape, color) for shape in SHAPES for color in ("PHOTO", "SEGMENT")]
"""A render shows those that are drawn in viewports only as Blender's own splats, or as points."""


def row_of_three(**changes) -> Gaussians:
    """Return a red, a green and a blue ball one unit apart along x."""
    sh = (np.array(COLORS) - 0.5) / CONSTANT_BASIS
    values = {
        "means": np.float32([[0, 0, 0], [1, 0, 0], [2, 0, 0]]),
        "log_scales": np.full((3, 3), np.log(0.2), dtype=np.float32),
        "quats": np.tile(np.float32([1, 0, 0, 0]), (3, 1)),
        "logit_opacities": np.full(3, 8, dtype=np.float32),
        "sh": sh[:, None].astype(np.float32),
    }
    return Gaussians(**{**values, **changes})


def add_splat(gaussians: Gaussians, segment: int = 3):
    collection = bpy.data.collections.new("Segment")
    of_collection(collection).kind = "SEGMENT"
    of_collection(collection).segment = segment
    bpy.context.scene.collection.children.link(collection)
    index = np.arange(len(gaussians), dtype=np.int32)
    item = new_splat("splat", gaussians, index, index)
    collection.objects.link(item)
    return item


def show(shape: str, color: str) -> None:
    settings = of_scene(bpy.context.scene)
    settings.look_shape, settings.look_color = shape, color
    apply_look_to_scene(bpy.context.scene)


def rendered(path) -> np.ndarray:
    """Return what Cycles sees from above (H, W, 3), sRGB 0 to 1: x from −0.5 to 2.5.

    In perspective: Blender 5.3 draws no splats of its own for an orthographic camera.
    """
    scene = bpy.context.scene
    if scene.camera is None:
        data = bpy.data.cameras.new("camera")
        data.lens_unit, data.angle = "FOV", 2 * math.atan(1.5 / 5)
        scene.camera = bpy.data.objects.new("camera", data)
        scene.camera.location = (1, 0, 5)
        scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.device = 32, "CPU"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:]).reshape(HEIGHT, WIDTH, -1)[..., :3]
    bpy.data.images.remove(image)
    return pixels


@pytest.mark.parametrize("instanced", [False, True])
def test_colours_come_out_right_in_a_render(tmp_path, instanced) -> None:
    item = add_splat(row_of_three())
    collection = item.users_collection[0]
    of_collection(collection).color = ORANGE
    if instanced:
        empty = bpy.data.objects.new("instance", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", collection
        bpy.context.scene.collection.objects.link(empty)
        bpy.context.view_layer.layer_collection.children[collection.name].exclude = True
    for shape, color in LOOKS:
        show(shape, color)
        picture = rendered(tmp_path / f"{shape}_{color}.png")
        expected = COLORS if color == "PHOTO" else [ORANGE] * 3
        found = picture[HEIGHT // 2, [10, 30, 50]]
        np.testing.assert_allclose(found, expected, atol=0.02, err_msg=f"{shape} {color}")
        # Beside them is nothing but the soft edge that Blender's own splats have, three sigmas out.
        assert picture[1, 1].max() < (0.1 if HAS_NATIVE else 0.02)


def test_ellipsoids_have_the_scale_and_rotation_of_their_gaussians(tmp_path) -> None:
    half = np.sqrt(0.5)
    scales = np.log(np.float32([[0.25, 0.05, 0.05]] * 3))
    # Along x, turned by 90° about z, and by 90° about y: seen end on.
    quats = np.float32([[1, 0, 0, 0], [half, 0, 0, half], [half, 0, half, 0]])
    add_splat(row_of_three(log_scales=scales, quats=quats))
    show("ELLIPSOIDS", "PHOTO")
    seen = rendered(tmp_path / "shapes.png").max(axis=2) > 0.2
    wide = [int(seen[:, 20 * n : 20 * n + 20].any(axis=0).sum()) for n in range(3)]
    high = [int(seen[:, 20 * n : 20 * n + 20].any(axis=1).sum()) for n in range(3)]
    assert wide[0] > 3 * high[0]
    assert high[1] > 3 * wide[1]
    assert abs(wide[2] - high[2]) <= 1


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_almost_transparent_is_not_drawn(tmp_path, shape) -> None:
    add_splat(row_of_three(logit_opacities=np.float32([8, -2, 8])))
    show(shape, "PHOTO")
    picture = rendered(tmp_path / "opacity.png")
    if (
        shape in ("SPLATS", "NATIVE") and HAS_NATIVE
    ):  # Blender's own splats are as transparent as they are
        assert 0.02 < picture[HEIGHT // 2, 30].max() < 0.4
    else:
        assert picture[HEIGHT // 2, 30].max() < 0.02
    assert picture[HEIGHT // 2, 10].max() > 0.5


def test_colours_darker_than_black_are_black(tmp_path) -> None:
    add_splat(row_of_three(sh=np.full((3, 1, 3), -4, dtype=np.float32)))
    show("POINTS", "PHOTO")
    assert rendered(tmp_path / "black.png").max() < 0.01


def test_materials_and_nodes_are_shared_and_made_once() -> None:
    items = [add_splat(row_of_three(), n) for n in range(1, 4)]
    for _ in range(2):
        for shape, color in LOOKS:
            show(shape, color)
            assert len({data_of(item).materials[0] for item in items}) == 1
            assert [len(data_of(item).materials) for item in items] == [1, 1, 1]
            names = {"ELLIPSOIDS": ["Ellipsoids"], "SPLATS": ["Splat Stand-In"]}.get(shape, [])
            assert [[m.name for m in item.modifiers] for item in items] == [names] * 3
    assert (len(bpy.data.materials), len(bpy.data.node_groups)) == (2, 2)


def test_the_look_is_that_of_the_scene_and_other_modifiers_stay() -> None:
    item = add_splat(row_of_three())
    other = item.modifiers.new("mine", "NODES")
    settings = of_scene(bpy.context.scene)
    settings.look_shape = "ELLIPSOIDS"
    apply_look(item)
    assert [m.name for m in item.modifiers] == ["mine", "Ellipsoids"]
    settings.look_shape = "SPLATS"
    assert [m.name for m in item.modifiers] == ["mine", "Splat Stand-In"]
    settings.look_shape = "POINTS"
    assert list(item.modifiers) == [other]


def test_an_appended_look_is_used_again(tmp_path) -> None:
    add_splat(row_of_three())
    show("ELLIPSOIDS", "PHOTO")
    path = str(tmp_path / "splat.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=False) as (source, target):
        target.objects = source.objects
    item = bpy.data.objects["splat"]
    bpy.context.scene.collection.objects.link(item)
    bpy.data.materials[0].name = "renamed"
    show("ELLIPSOIDS", "PHOTO")
    assert (len(bpy.data.materials), len(bpy.data.node_groups)) == (1, 1)
    assert len(item.modifiers) == 1


def test_a_linked_splat_keeps_its_look(tmp_path) -> None:
    add_splat(row_of_three())
    show("POINTS", "PHOTO")
    path = str(tmp_path / "splat.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (source, target):
        target.objects = source.objects
    item = bpy.data.objects["splat"]
    bpy.context.scene.collection.objects.link(item)
    show("ELLIPSOIDS", "SEGMENT")
    assert len(item.modifiers) == 0
    assert data_of(item).materials[0].library is not None


def test_the_colour_of_a_segment_is_that_of_its_objects_at_once() -> None:
    item = add_splat(row_of_three())
    of_collection(item.users_collection[0]).color = (1.0, 0.5, 0.0)
    np.testing.assert_allclose(item.color[:], (1.0, 0.21404114, 0.0, 1.0), atol=1e-6)


def test_a_look_that_is_there_already_is_not_applied_again() -> None:
    item = add_splat(row_of_three())
    of_collection(item.users_collection[0]).color = ORANGE
    for shape, color in LOOKS:
        show(shape, color)
        bpy.context.view_layer.update()
        updated: list[str] = []

        def note(_scene, graph, updated=updated) -> None:
            updated.extend(update.id.name for update in graph.updates)

        bpy.app.handlers.depsgraph_update_post.append(note)
        try:
            apply_look_to_scene(bpy.context.scene)
            bpy.context.view_layer.update()
        finally:
            bpy.app.handlers.depsgraph_update_post.remove(note)
        assert updated == [], (shape, color)


def test_colours_of_splats_alone_are_those_of_the_photos_elsewhere() -> None:
    item = add_splat(row_of_three())
    for shape in SHAPES:
        show(shape, "PHOTO")
        photo = data_of(item).materials[0]
        for color in COLORS_OF_SPLATS:
            show(shape, color)
            assert data_of(item).materials[0] == photo


def test_native_splats_are_for_the_photo_look_alone(monkeypatch) -> None:
    switched = []
    monkeypatch.setattr(
        "cgc_addon.blender.splats.looks.set_native", lambda _, on: switched.append(on)
    )
    add_splat(row_of_three())
    for shape, color in LOOKS:
        switched.clear()
        show(shape, color)
        assert switched[-1] == (shape in ("SPLATS", "NATIVE") and color == "PHOTO")
    assert NATIVE == "GAUSSIAN_SPLAT"


def test_twenty_objects_change_their_look_quickly() -> None:
    generator = np.random.default_rng(0)
    count = 10_000
    gaussians = Gaussians(
        means=generator.normal(size=(count, 3)).astype(np.float32),
        log_scales=np.full((count, 3), -4, dtype=np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        logit_opacities=np.zeros(count, dtype=np.float32),
        sh=np.zeros((count, 16, 3), dtype=np.float32),
    )
    for segment in range(1, 21):
        add_splat(gaussians, segment)
    start = time.process_time()
    for shape, color in LOOKS:
        show(shape, color)
        bpy.context.evaluated_depsgraph_get()
    assert time.process_time() - start < 4.0  # 0.3 s when nothing else runs
