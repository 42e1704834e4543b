# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes hold what they hold with Blender's own engines, and masks are the same as masks."""

from __future__ import annotations

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Vector

from cgc_addon.blender.capture.parts import objects_of_kind, root_of, segment_collections
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.output.mask_files import read_labels
from cgc_addon.blender.render_engine.render_passes import INDEX_NAME
from cgc_addon.results.cryptomatte import hash_numbers, hash_of


def ask_for(*passes: str) -> None:
    for layer in bpy.context.scene.view_layers:
        for name in passes:
            setattr(layer, f"use_pass_{name}", True)


@pytest.fixture
def capture(scene, write_capture, write_run):
    """Return a capture with a splat of three segments, seen from aside by the scene's camera."""
    assert bpy.ops.cgc.import_run(directory=str(write_run(dataset=write_capture()))) == {"FINISHED"}
    capture = scene.collection.children[0]
    root = root_of(capture)
    root.scale = (1.5, 1.5, 1.5)
    for item in objects_of_kind(capture, "SPLAT"):  # larger: most pixels show something
        values = np.empty(3 * len(item.data.points), np.float32)
        item.data.attributes["scale"].data.foreach_get("vector", values)
        item.data.attributes["scale"].data.foreach_set("vector", 3 * values)
    bpy.context.view_layer.update()
    # The clusters stand along the diagonal of the capture's axes.
    middle = root.matrix_world @ Vector((3, 3, 3))
    backward = (root.matrix_world.to_3x3() @ Vector((1, -1, 0))).normalized()
    camera = bpy.data.objects["camera"]
    camera.location = middle + 14 * backward
    camera.rotation_euler = backward.to_track_quat("Z", "Y").to_euler()
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = 64, 52
    scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
    bpy.context.view_layer.update()
    return capture


def ranks(exr) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes and the coverages of Cryptomatte (H, W, ranks)."""
    count = sum("CryptoObject" in name for name in exr.channels) // 4
    layers = [exr.layer(f"ViewLayer.CryptoObject{n:02d}", "rgba") for n in range(count)]
    everything = np.concatenate(layers, axis=2)
    return everything[..., 0::2], everything[..., 1::2]


def test_only_what_is_asked_for_is_there(scene, ball, render) -> None:
    ball()
    assert {name.rpartition(".")[0] for name in render().channels} == {"ViewLayer.Combined"}
    ask_for("z", "position", "object_index", "cryptomatte_object")
    scene.view_layers[0].pass_cryptomatte_depth = 3
    expected = ["Combined", "Depth", "Position", INDEX_NAME, "CryptoObject00", "CryptoObject01"]
    assert {name.rpartition(".")[0] for name in render().channels} == {
        f"ViewLayer.{name}" for name in expected
    }


def test_depth_is_along_the_axis_in_units_of_the_scene(scene, ball, render) -> None:
    ask_for("z")
    ball(place=(0.0, 0.0, 1.0), radius=0.2)
    ball("aside", place=(1.5, 0.5, 2.0), radius=0.2).scale = (2.0, 2.0, 2.0)
    depth = render().layer("ViewLayer.Depth", "Z")[..., 0]
    assert depth[18, 24] == pytest.approx(5.0, rel=1e-4)
    assert depth[depth < 1e9].min() == pytest.approx(4.0, rel=1e-4)
    assert depth[0, 0] == np.float32(1e10)


def test_positions_are_in_the_world(scene, capture, render) -> None:
    ask_for("z", "position")
    exr = render()
    position = exr.layer("ViewLayer.Position", "XYZ")
    depth = exr.layer("ViewLayer.Depth", "Z")[..., 0]
    seen = depth < 1e9
    assert seen.mean() > 0.2
    assert not position[~seen].any()
    to_camera = np.array(scene.camera.matrix_world.inverted())
    along = position[seen] @ to_camera[:3, :3].T + to_camera[:3, 3]
    np.testing.assert_allclose(-along[:, 2], depth[seen], rtol=1e-4)
    focal_length = 64 * 50 / 36
    projected = focal_length * along[:, :2] / -along[:, 2:]
    rows, columns = np.nonzero(seen)
    np.testing.assert_allclose(projected[:, 0], columns + 0.5 - 32, atol=0.02)
    np.testing.assert_allclose(projected[:, 1], 26 - (rows + 0.5), atol=0.02)


def test_numbers_of_objects_are_theirs(scene, ball, render) -> None:
    ask_for("object_index")
    for number, x in ((7, -1.5), (300, 1.5), (0, 0.0)):
        ball(str(number), place=(x, 0, 0)).pass_index = number
    index = render().layer(f"ViewLayer.{INDEX_NAME}", "X")[18, :, 0]
    assert index[[8, 24, 39]].tolist() == [7, 0, 300]


def test_masks_passes_and_cryptomatte_agree(scene, capture, render, tmp_path) -> None:
    ask_for("object_index", "cryptomatte_object")
    folder = str(tmp_path / "masks")
    assert bpy.ops.cgc.render_masks(cameras="ACTIVE", folder=folder) == {"FINISHED"}
    (mask,) = (tmp_path / "masks" / "labels").iterdir()
    labels = read_labels(mask)
    assert len(np.unique(labels)) >= 3
    exr = render()
    np.testing.assert_array_equal(exr.layer(f"ViewLayer.{INDEX_NAME}", "X")[..., 0], labels)
    hashes, coverages = ranks(exr)
    segments = segment_collections(capture)
    names = hash_numbers([collection.objects[0].name for collection in segments])
    weights = np.stack([(coverages * (hashes == name)).sum(axis=2) for name in names], axis=2)
    # In label maps 0 is what is in no segment: Gaussians and the ground, together.
    weights = np.concatenate([1.0 - weights.sum(axis=2, keepdims=True), weights], axis=2)
    strongest = weights.argmax(axis=2)
    for number, collection in enumerate(segments, start=1):
        mask, matte = labels == of_collection(collection).segment, strongest == number
        if mask.any():
            assert (mask & matte).sum() / (mask | matte).sum() >= 0.999


def test_a_number_that_the_user_gave_goes_before_that_of_the_segment(capture, render) -> None:
    ask_for("object_index")
    before = render().layer(f"ViewLayer.{INDEX_NAME}", "X")
    collection = segment_collections(capture)[0]
    collection.objects[0].pass_index = 99
    after = render().layer(f"ViewLayer.{INDEX_NAME}", "X")
    was = before == of_collection(collection).segment
    assert was.any()
    np.testing.assert_array_equal(after, np.where(was, 99, before))


def test_cryptomatte_lists_coverage_and_names(scene, ball, render) -> None:
    ask_for("cryptomatte_object")
    ball('half "quoted"', radius=3.0, place=(0, 0, 1.0), logit=0.0)
    ball("behind", radius=3.0)
    exr = render()
    hashes, coverages = ranks(exr)
    assert hashes.shape[2] == 6
    half, behind = hash_numbers(['half "quoted"', "behind"])
    pairs = dict(zip(hashes[18, 24].tolist(), coverages[18, 24].tolist(), strict=True))
    assert pairs[float(half)] == pytest.approx(0.5, abs=0.01)
    assert pairs[float(behind)] == pytest.approx(0.5, abs=0.01)
    assert (np.diff(coverages, axis=2) <= 0).all()
    prefix = f"cryptomatte/{hash_of('ViewLayer.CryptoObject'):08x}"[: 12 + 7]
    assert exr.metadata[f"{prefix}/name"] == "ViewLayer.CryptoObject"
    assert exr.metadata[f"{prefix}/hash"] == "MurmurHash3_32"
    assert exr.metadata[f"{prefix}/conversion"] == "uint32_to_float32"
    manifest = json.loads(exr.metadata[f"{prefix}/manifest"])
    assert manifest == {name: f"{hash_of(name):08x}" for name in ('half "quoted"', "behind")}


def test_the_hash_of_a_name_is_cycles_own(scene, ball, render) -> None:
    ask_for("cryptomatte_object")
    ball("Segment 001")
    ours, _coverages = ranks(render())
    bpy.data.objects.remove(bpy.data.objects["Segment 001"])
    mesh = bpy.data.meshes.new("plane")
    mesh.from_pydata([(-3, -3, 0), (3, -3, 0), (3, 3, 0), (-3, 3, 0)], [], [(0, 1, 2, 3)])
    scene.collection.objects.link(bpy.data.objects.new("Segment 001", mesh))
    if not hasattr(bpy.context.scene, "cycles"):
        pytest.skip("this Blender has no Cycles")
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    theirs, _coverages = ranks(render())
    assert ours[18, 24, 0] == theirs[18, 24, 0] != 0.0


def test_the_compositor_finds_objects(scene, ball, render) -> None:
    ask_for("cryptomatte_object")
    ball("left", place=(-1.5, 0, 0))
    ball("right", place=(1.5, 0, 0))
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new("compositor", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        scene.compositing_node_group = tree
        output = tree.nodes.new("NodeGroupOutput")
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        output = tree.nodes.new("CompositorNodeComposite")
    node = tree.nodes.new("CompositorNodeCryptomatteV2")
    layers = tree.nodes.new("CompositorNodeRLayers")
    node.scene, node.layer_name, node.matte_id = scene, "ViewLayer.CryptoObject", "right"
    tree.links.new(layers.outputs["Image"], node.inputs["Image"])
    tree.links.new(node.outputs["Matte"], output.inputs[0])
    matte = render().layer("Composite.Combined", "R")[18, :, 0]
    assert matte[39] == pytest.approx(0.97, abs=0.01)
    assert matte[8] < 0.01


def test_holdouts_are_in_no_pass(scene, ball, render) -> None:
    ask_for("object_index", "cryptomatte_object")
    ball("shown", place=(-1.5, 0, 0)).pass_index = 3
    hole = ball("hole", place=(1.5, 0, 0))
    hole.pass_index, hole.is_holdout = 4, True
    exr = render()
    index = exr.layer(f"ViewLayer.{INDEX_NAME}", "X")[18, :, 0]
    assert index[[8, 39]].tolist() == [3, 0]
    hashes, _coverages = ranks(exr)
    assert set(np.unique(hashes)) == {0.0, float(hash_numbers(["shown"])[0])}


def test_the_backend_is_the_scenes(scene, ball) -> None:
    ball()
    of_scene(scene).backend = "cuda"
    try:
        bpy.ops.render.render()
    except RuntimeError as error:
        assert "backend cuda cannot be used" in str(error)  # noqa: PT017 - it may be there
