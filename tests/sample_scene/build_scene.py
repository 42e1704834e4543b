# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample scene: a table set for tea in a small room, with soft daylight, all procedural.

One unit is a metre, z is up and the middle of the table top is the origin.
"""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np
from materials import Shader, color, mottled, wood
from mathutils import Euler, Matrix
from objects import OBJECTS
from shapes import Parts, box, mesh_object, turned

FLOOR = -0.62
"""Height of the floor, metres."""
ROOM = 1.45
"""From the middle of the table to each wall, metres."""


def part_code(object_id: int, part: int) -> int:
    """Return the number that a surface has in the renders: 10 × object id + part, part 1 to 9.

    Surroundings have object id 0 and part 1 table, 2 floor, 3 to 6 walls, 7 table cloth, 8 rug,
    9 book shelf.
    """
    return 10 * object_id + part


def build_scene() -> dict[int, str]:
    """Replace the open Blender file by the sample scene; return the name of each object id."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for part, things in _surroundings().items():
        for thing in things:
            thing.pass_index = part_code(0, part)
    names = {}
    for object_id, (name, make, place) in enumerate(OBJECTS, start=1):
        parts: Parts = make()
        for thing, part in parts:
            thing.matrix_world = place @ thing.matrix_world
            thing.pass_index = part_code(object_id, part)
        names[object_id] = name
    _add_light()
    layer: Any = bpy.context.view_layer
    layer.update()
    return names


def _surroundings() -> dict[int, list[bpy.types.Object]]:
    """Make table, floor, walls, cloth, rug and shelf; return their meshes by part number."""
    table = turned(
        "table top",
        [(0, -0.03), (0.49, -0.03), (0.5, -0.024), (0.5, -0.006), (0.494, 0.0), (0, 0)],
        wood("table wood", "6b3f20", "b98250", plank=0.105),
        rounded=False,
        sides=128,
    )
    leg_wood = wood("leg wood", "4a2a15", "84552f")
    leg = [(0.24, FLOOR), (0.22, FLOOR + 0.03), (0.05, FLOOR + 0.08), (0.04, -0.3), (0.07, -0.03)]
    surroundings = {
        1: [table, turned("table leg", leg, leg_wood)],
        2: [box("floor", (2 * ROOM, 2 * ROOM, 0.02), (0, 0, FLOOR - 0.01), _parquet())],
        7: [_cloth()],
        8: [
            turned(
                "rug",
                [(0, FLOOR + 0.006), (0.98, FLOOR + 0.006), (1.0, FLOOR)],
                _rug(),
                rounded=False,
            )
        ],
        9: _shelf(),
    }
    sides = ((3, _brick()), (4, _wallpaper()), (5, _panelling()), (6, _plaster()))
    for k, (part, material) in enumerate(sides):
        wall = box("wall", (2 * ROOM, 0.04, 2.2), (0, 0, 0), material)
        turn = Matrix.Rotation(k * math.pi / 2, 4, "Z")
        wall.matrix_world = turn @ Matrix.Translation((0, ROOM + 0.02, FLOOR + 1.1))
        skirting = box("skirting", (2 * ROOM, 0.02, 0.1), (0, 0, 0), leg_wood, 0.004)
        skirting.matrix_world = turn @ Matrix.Translation((0, ROOM - 0.01, FLOOR + 0.05))
        surroundings[part] = [wall, skirting]
    return surroundings


def _cloth() -> bpy.types.Object:
    """Make a gingham cloth that lies under the bowl, with a soft wave in its edges."""
    shader = Shader("gingham")
    columns, rows = (shader.stripes(shader.axis(name), 0.036) for name in "XY")
    checks = shader.math("MULTIPLY", shader.math("ADD", columns, rows), 0.5)
    surface = shader.ramp(checks, (0.0, "f4ead8"), (0.4, "d98a86"), (0.9, "b23a40"))
    surface.node.color_ramp.interpolation = "CONSTANT"
    threads = shader.noise(700.0, 2.0)
    weave = shader.ramp(shader.noise(90.0, 8.0), (0.3, "bdb0a0"), (0.7, "ffffff"))
    material = shader.finish(shader.mix(1.0, surface, weave, "MULTIPLY"), 0.85, threads, 0.0005)
    steps = np.linspace(-1, 1, 41)
    x, y = np.meshgrid(0.17 * steps, 0.15 * steps)
    edge = np.maximum(np.abs(x) / 0.17, np.abs(y) / 0.15) ** 8
    z = 0.0012 + 0.0025 * edge * (1 + np.sin(60 * x + 1.0) * np.cos(55 * y))
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    faces = [
        [41 * row + k, 41 * row + k + 1, 41 * (row + 1) + k + 1, 41 * (row + 1) + k]
        for row in range(40)
        for k in range(40)
    ]
    cloth = mesh_object("cloth", vertices, faces, material)
    turn = Euler((0, 0, math.radians(-32))).to_matrix().to_4x4()
    cloth.matrix_world = Matrix.Translation((0.2, 0.155, 0)) @ turn
    return cloth


def _shelf() -> list[bpy.types.Object]:
    """Make a low shelf full of books against the wall at +x."""
    board = wood("shelf wood", "5a3418", "9a673a")
    depth, width, gap, rows = 0.24, 1.5, 0.3, 4
    left = ROOM - depth / 2
    things = [
        box("shelf board", (depth, width, 0.022), (left, 0, FLOOR + 0.06 + row * gap), board, 0.002)
        for row in range(rows + 1)
    ]
    for side in (-1, 1):
        center = (left, side * (width / 2 + 0.011), FLOOR + rows * gap / 2 + 0.06)
        things.append(box("shelf side", (depth, 0.022, rows * gap + 0.1), center, board, 0.002))
    generator = np.random.default_rng(11)
    shades = [
        ("5d2220", "a84a40"),
        ("1f3f5c", "4f7fa6"),
        ("2a4a30", "6d9a62"),
        ("8a6a22", "d3b25a"),
    ]
    shades += [
        ("d0c0a0", "f0e6d0"),
        ("4a3058", "8a6a9a"),
        ("7a4a2a", "c08a5a"),
        ("2a5a5a", "6aa6a0"),
    ]
    bindings = [mottled(f"binding {k}", *shade, 35.0) for k, shade in enumerate(shades)]
    for row in range(rows):
        y = -width / 2 + 0.01
        while y < width / 2 - 0.06:
            thick = generator.uniform(0.025, 0.06)
            high, deep = generator.uniform(0.17, 0.26), generator.uniform(0.13, 0.2)
            center = (left - 0.1 + deep / 2, y + thick / 2, FLOOR + 0.071 + row * gap + high / 2)
            binding = bindings[generator.integers(len(bindings))]
            things.append(box("shelf book", (deep, 0.96 * thick, high), center, binding, 0.004))
            y += thick + (0.05 if generator.random() < 0.06 else 0.0)
    return things


def _parquet() -> bpy.types.Material:
    """Return boards with offset joints and grain."""
    shader = Shader("parquet")
    inputs = {"Vector": shader.place, "Scale": 1.0, "Brick Width": 0.5, "Row Height": 0.09}
    inputs |= {"Mortar Size": 0.0025, "Color1": color("a87a4c"), "Color2": color("75492a")}
    inputs |= {"Mortar": color("2a180d")}
    boards = shader.node("ShaderNodeTexBrick", inputs).outputs["Color"]
    grain = shader.noise(14.0, 8.0, shader.stretched(0.6, 8.0, 1.0))
    shade = shader.ramp(grain, (0.35, "8a7468"), (0.65, "ffffff"))
    return shader.finish(shader.mix(1.0, boards, shade, "MULTIPLY"), 0.5)


def _rug() -> bpy.types.Material:
    """Return rings of wool with a ring of petals."""
    shader = Shader("rug")
    petals = shader.math("SINE", shader.math("MULTIPLY", shader.angle(), 24.0))
    wavy = shader.math("ADD", shader.radius(), shader.math("MULTIPLY", petals, 0.02))
    stops = [(0.0, "8f3b34"), (0.34, "d9b98a"), (0.4, "34556b"), (0.58, "e6d5b4"), (0.63, "b5563f")]
    stops += [(0.8, "34556b"), (0.86, "e6d5b4"), (0.93, "8f3b34")]
    surface = shader.ramp(wavy, *stops)
    surface.node.color_ramp.interpolation = "CONSTANT"
    wool = shader.noise(60.0, 8.0)
    shade = shader.ramp(wool, (0.3, "8a8078"), (0.7, "ffffff"))
    return shader.finish(shader.mix(1.0, surface, shade, "MULTIPLY"), 0.95, wool, 0.004)


def _brick() -> bpy.types.Material:
    """Return limewashed bricks for a wall in the x–z plane."""
    shader = Shader("brick")
    turned_up = shader.node(
        "ShaderNodeCombineXYZ", {"X": shader.axis("X"), "Y": shader.axis("Z")}
    ).outputs[0]
    inputs = {"Vector": turned_up, "Scale": 1.0, "Brick Width": 0.22, "Row Height": 0.075}
    inputs |= {"Mortar Size": 0.006, "Color1": color("c9826a"), "Color2": color("a85d48")}
    inputs |= {"Mortar": color("d8cdbd")}
    bricks = shader.node("ShaderNodeTexBrick", inputs)
    wash = shader.ramp(shader.noise(5.0, 10.0), (0.42, "000000"), (0.62, "c0c0c0"))
    surface = shader.mix(wash, bricks.outputs["Color"], "e2d6c4")
    return shader.finish(surface, 0.9, bricks.outputs["Fac"], -0.006)


def _wallpaper() -> bpy.types.Material:
    """Return blue-green wallpaper with stripes and lozenges."""
    shader = Shader("wallpaper")
    across = shader.axis("X")
    x = shader.math("MULTIPLY", across, 2 * math.pi / 0.16)
    z = shader.math("MULTIPLY", shader.axis("Z"), 2 * math.pi / 0.2)
    lozenges = shader.math("MULTIPLY", shader.math("COSINE", x), shader.math("COSINE", z))
    paper = shader.ramp(shader.noise(18.0, 8.0), (0.3, "4f7f7a"), (0.7, "7fb0a6"))
    paper = shader.mix(shader.stripes(across, 0.16, 0.3), paper, "a9ccbf")
    paper = shader.mix(shader.math("GREATER_THAN", lozenges, 0.5), paper, "ead9a8")
    paper = shader.mix(shader.math("GREATER_THAN", lozenges, 0.8), paper, "b86a4a")
    return shader.finish(paper, 0.85)


def _panelling() -> bpy.types.Material:
    """Return upright painted boards for a wall in the x–z plane."""
    shader = Shader("panelling")
    grain = shader.noise(10.0, 8.0, shader.stretched(9.0, 1.0, 0.7))
    number = shader.math("FLOOR", shader.math("DIVIDE", shader.axis("X"), 0.14))
    tone = shader.node("ShaderNodeTexWhiteNoise", {"W": number}, noise_dimensions="1D").outputs[0]
    paint = shader.ramp(grain, (0.35, "5f7a4c"), (0.5, "8fa874"), (0.65, "b9c79a"))
    paint = shader.mix(0.6, paint, shader.ramp(tone, (0.0, "b9a98a"), (1.0, "ffffff")), "MULTIPLY")
    gap = shader.stripes(shader.axis("X"), 0.14, 0.05)
    return shader.finish(shader.mix(gap, paint, "3a4a2c"), 0.7, grain, 0.002)


def _plaster() -> bpy.types.Material:
    """Return warm, stained plaster."""
    shader = Shader("plaster")
    rough = shader.noise(7.0, 12.0)
    stain = shader.ramp(rough, (0.32, "b07f4a"), (0.5, "dcb27a"), (0.68, "f0d7ac"))
    return shader.finish(stain, 0.9, rough, 0.02)


def _add_light() -> None:
    """Add a hazy sun and a bright, even sky; the room has no ceiling."""
    scene: Any = bpy.context.scene
    world: Any = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    sky = world.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value = color("dfe8f5")
    sky.inputs["Strength"].default_value = 1.35
    sun: Any = bpy.data.lights.new("sun", "SUN")
    sun.energy = 4.2
    sun.angle = math.radians(7)
    sun.color = color("ffe9c8")[:3]
    lamp = bpy.data.objects.new("sun", sun)
    lamp.rotation_euler = Euler((math.radians(30), math.radians(14), math.radians(-35)))
    scene.collection.objects.link(lamp)
