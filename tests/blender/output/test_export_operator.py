# SPDX-License-Identifier: GPL-3.0-or-later
"""One exporter for every format: in the menu, for collections and for scripts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.webp import blender_codec
from cgc_addon.blender.output.export_operator import SPZ_VERSIONS, CGC_OT_export_splat
from cgc_addon.splats.formats import SPZ_VERSIONS as WRITTEN
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.spz_container import unpack

from ..kitchen import kitchen
from ..recorded_layout import RecordedLayout


@pytest.mark.parametrize("name", ["a.ply", "a.spz", "a.SOG"])
def test_the_ending_says_the_format(tmp_path, name) -> None:
    kitchen()
    assert bpy.ops.cgc.export_splat(filepath=str(tmp_path / name)) == {"FINISHED"}
    read = read_splat(tmp_path / name, blender_codec())
    assert (len(read.gaussians), read.gaussians.segments) == (300, None)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not bpy.data.images


def test_glb_is_written(tmp_path) -> None:
    kitchen()
    assert bpy.ops.cgc.export_splat(filepath=str(tmp_path / "a.glb")) == {"FINISHED"}
    assert (tmp_path / "a.glb").read_bytes().startswith(b"glTF")


def test_the_format_goes_before_the_ending(tmp_path) -> None:
    kitchen()
    path = str(tmp_path / "a.ply")
    assert bpy.ops.cgc.export_splat(filepath=path, format="ply") == {"FINISHED"}
    assert set(read_ply(tmp_path / "a.ply").gaussians.segments) == {0, 1, 2}
    for version in SPZ_VERSIONS:
        choice = {"format": "spz", "spz_version": version[0]}
        assert bpy.ops.cgc.export_splat(filepath=path, **choice) == {"FINISHED"}
        assert unpack(tmp_path / "a.spz").header.version == int(version[0])
    assert tuple(int(version[0]) for version in SPZ_VERSIONS) == WRITTEN


@pytest.mark.parametrize("name", ["a.obj", "a"])
def test_an_ending_of_no_format_is_said(tmp_path, name) -> None:
    kitchen()
    with pytest.raises(RuntimeError, match=r"ending of no format .*\.ply, \.spz, \.sog, \.glb"):
        bpy.ops.cgc.export_splat(filepath=str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "chosen", "named"),
    [
        ("room.ply", "spz", "room.spz"),
        ("room.spz", "spz", "room.spz"),
        ("room.1", "glb", "room.1.glb"),
        ("room.GLB", "plain", "room.ply"),
        ("room", "sog", "room.sog"),
        ("", "sog", ""),
        ("//room.ply", "spz", "//room.spz"),
        ("/tmp/a folder.ply/", "spz", "/tmp/a folder.ply/"),
    ],
)
def test_the_file_browser_shows_the_ending_of_the_format(typed, chosen, named) -> None:
    operator = SimpleNamespace(filepath=typed, format=chosen)
    changed = CGC_OT_export_splat.check(operator, bpy.context)
    assert operator.filepath == named
    assert changed == (named != typed)


@pytest.mark.parametrize("chosen", ["plain", "spz"])
@pytest.mark.parametrize("collection", ["", "Chair"])
def test_what_can_be_chosen_is_drawn(chosen, collection) -> None:
    layout = RecordedLayout()
    rna = bpy.ops.cgc.export_splat.get_rna_type()
    stored = dict.fromkeys(("what", "frame", "include_hidden", "spz_version"))
    operator = SimpleNamespace(
        layout=layout, bl_rna=rna, format=chosen, collection=collection, **stored
    )
    CGC_OT_export_splat.draw(operator, bpy.context)
    expected = ["format", "frame", "include_hidden"]
    expected += ["spz_version"] * (chosen == "spz") + ["what"] * (not collection)
    assert sorted(layout.record.properties) == sorted(expected)


def test_hidden_scenes_are_said_to_be(tmp_path) -> None:
    kitchen()
    bpy.data.collections["Kitchen"].hide_viewport = True
    with pytest.raises(RuntimeError, match="no splat to see"):
        bpy.ops.cgc.export_splat(filepath=str(tmp_path / "b.spz"))
    assert not (tmp_path / "b.spz").exists()


@pytest.mark.parametrize("name", ["chair.ply", "chair.spz", "chair.sog"])
def test_a_collection_can_have_it_among_its_exporters(tmp_path, name) -> None:
    gaussians = kitchen()
    chair = bpy.data.collections["Chair"]
    layer = bpy.context.view_layer.layer_collection.children["Kitchen"]
    bpy.context.view_layer.active_layer_collection = layer.children["Chair"]
    assert bpy.ops.collection.exporter_add(name="CGC_FH_export_splat") == {"FINISHED"}
    chair.exporters[0].export_properties.filepath = str(tmp_path / name)
    assert bpy.ops.collection.exporter_export(index=0) == {"FINISHED"}
    read = read_splat(tmp_path / name, blender_codec()).gaussians
    assert len(read) == (gaussians.segments == 1).sum()
