# SPDX-License-Identifier: GPL-3.0-or-later
"""A world of one colour is that colour; any other shows what it shows in viewports."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine.world_color import scene_primaries, world_color

VIEWPORT = (0.25, 0.5, 0.75)


@pytest.fixture
def world():
    """Return a world whose Background node has a colour and a strength of 2."""
    made = bpy.data.worlds.new("world")
    if made.node_tree is None:
        made.use_nodes = True
    made.color = VIEWPORT
    node = background(made)
    node.inputs["Color"].default_value = (0.5, 0.25, 0.125, 1.0)
    node.inputs["Strength"].default_value = 2.0
    return made


def background(world):
    nodes = world.node_tree.nodes
    return next(node for node in nodes if node.bl_idname == "ShaderNodeBackground")


def test_no_world_is_black() -> None:
    assert world_color(None) == ((0.0, 0.0, 0.0), True)


def test_the_background_is_colour_times_strength(world) -> None:
    assert world_color(world) == ((1.0, 0.5, 0.25), True)


def test_a_world_without_nodes_has_its_colour(world) -> None:
    if bpy.app.version >= (5, 0):
        pytest.skip("every world of this Blender has nodes")
    world.use_nodes = False
    assert world_color(world) == (VIEWPORT, True)
    assert world_color(bpy.data.worlds.new("new"))[1]


@pytest.mark.parametrize("spoiled", ["Color", "Strength", "mute", "unlinked", "mixed"])
def test_what_is_more_than_one_colour_is_told(world, spoiled) -> None:
    tree, node = world.node_tree, background(world)
    if spoiled == "mute":
        node.mute = True
    elif spoiled == "unlinked":
        tree.nodes.remove(node)
    elif spoiled == "mixed":
        mix = tree.nodes.new("ShaderNodeMixShader")
        output = next(n for n in tree.nodes if n.bl_idname == "ShaderNodeOutputWorld")
        tree.links.new(node.outputs[0], mix.inputs[1])
        tree.links.new(mix.outputs[0], output.inputs["Surface"])
    else:
        source = tree.nodes.new("ShaderNodeTexEnvironment")
        tree.links.new(source.outputs["Color"], node.inputs[spoiled])
    assert world_color(world) == (VIEWPORT, False)


def test_the_usual_space_of_a_file_is_that_of_the_colours() -> None:
    np.testing.assert_allclose(scene_primaries(), np.eye(3), atol=1e-3)
