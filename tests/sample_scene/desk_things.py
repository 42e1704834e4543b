# SPDX-License-Identifier: GPL-3.0-or-later
"""What else stands on the table: two books, a toy car, a plant and a cup of pencils."""

from __future__ import annotations

import math

import bpy
import numpy as np
from materials import Shader, mottled
from mathutils import Euler, Matrix
from shapes import Parts, box, extruded, leaf, swept, turned


def green_book() -> Parts:
    """A large book, bound in green with gold diamonds."""
    shader = Shader("green cover")
    x, y = (shader.math("MULTIPLY", shader.axis(name), 2 * math.pi / 0.034) for name in "XY")
    diamonds = shader.math("MULTIPLY", shader.math("COSINE", x), shader.math("COSINE", y))
    surface = shader.mix(
        shader.math("GREATER_THAN", diamonds, 0.45),
        shader.ramp(shader.noise(70.0, 6.0), (0.35, "174330"), (0.65, "2f7350")),
        "d3a84a",
    )
    cover = shader.finish(surface, 0.6, shader.noise(500.0), 0.0005)
    return book("green book", 0.25, 0.185, 0.038, cover, "c9a24b")


def red_book() -> Parts:
    """A smaller book in red cloth with light stripes."""
    shader = Shader("red cover")
    slanted = shader.math("ADD", shader.axis("X"), shader.axis("Y"))
    surface = shader.mix(
        shader.stripes(slanted, 0.03, 0.22),
        shader.ramp(shader.noise(90.0, 6.0), (0.35, "7c1b1f"), (0.65, "b8393a")),
        "e8b9a0",
    )
    cover = shader.finish(surface, 0.65, shader.noise(600.0), 0.0005)
    return book("red book", 0.205, 0.15, 0.03, cover, "34261f")


def book(
    name: str, length: float, width: float, height: float, cover: bpy.types.Material, plate: str
) -> Parts:
    """Covers, spine and title plate 1, pages 2; the spine is on the side of -y."""
    shader = Shader(f"{name} pages")
    lines = shader.noise(40.0, 4.0, shader.stretched(0.15, 0.15, 14.0))
    pages = shader.finish(shader.ramp(lines, (0.35, "a58e6a"), (0.55, "efe3c8")), 0.8)
    plate_material = mottled(f"{name} title", plate, "f6ecd2", 120.0, 0.5)
    board = 0.0035
    parts: Parts = [
        (box(f"{name} {side}", (length, width, board), (0, 0, z), cover, 0.001), 1)
        for side, z in (("back", board / 2), ("front", height - board / 2))
    ]
    spine = (0, -width / 2 + board / 2, height / 2)
    parts.append((box(f"{name} spine", (length, board, height - board), spine, cover, 0.001), 1))
    title = (0.02 * length, 0.12 * width, height + 0.0002)
    parts.append(
        (box(f"{name} title", (0.5 * length, 0.3 * width, 0.001), title, plate_material), 1)
    )
    label = (-0.22 * length, -width / 2, height / 2)
    parts.append(
        (box(f"{name} label", (0.3 * length, 0.001, 0.6 * height), label, plate_material), 1)
    )
    block = (length - 0.01, width - 0.01, height - 2 * board)
    parts.append((box(f"{name} pages", block, (0, -0.001, height / 2), pages), 2))
    return parts


def toy_car() -> Parts:
    """Body with lamps and bumpers 1, cabin 2, wheels 3; it looks along +x."""
    shader = Shader("car paint")
    stripe = shader.math("LESS_THAN", shader.math("ABSOLUTE", shader.axis("Y")), 0.008)
    paint = shader.ramp(shader.noise(45.0, 6.0), (0.35, "d99a12"), (0.65, "f5c53a"))
    paint = shader.finish(shader.mix(stripe, paint, "f7f0e0"), 0.35)
    roof = mottled("car roof", "ddcfb3", "f8efdc", 60.0, 0.4)
    glass = mottled("car glass", "274a5e", "5d8ba3", 50.0, 0.15)
    chrome = mottled("car bumper", "6d6a66", "a9a59d", 90.0, 0.3)
    outline = [(-0.082, 0.018), (0.082, 0.018), (0.086, 0.03), (0.082, 0.044), (0.035, 0.05)]
    outline += [(-0.078, 0.052), (-0.086, 0.04)]
    cabin = [(-0.062, 0.049), (0.04, 0.049), (0.018, 0.08), (-0.045, 0.082)]
    parts: Parts = [
        (extruded("car body", outline, 0.07, paint, 0.006), 1),
        (extruded("car cabin", cabin, 0.058, roof, 0.005), 2),
    ]
    windows = [(-0.05, 0.054), (-0.014, 0.054), (-0.014, 0.074), (-0.042, 0.075)]
    doors = [(-0.008, 0.054), (0.03, 0.054), (0.015, 0.074), (-0.008, 0.074)]
    parts += [(extruded("car window", pane, 0.0592, glass), 2) for pane in (windows, doors)]
    front = box("car windscreen", (0.0012, 0.044, 0.024), (0, 0, 0), glass)
    front.matrix_world = (
        Matrix.Translation((0.0297, 0, 0.0638)) @ Euler((0, -0.617, 0)).to_matrix().to_4x4()
    )
    rear = box("car rear window", (0.0012, 0.044, 0.022), (0, 0, 0), glass)
    rear.matrix_world = (
        Matrix.Translation((-0.0541, 0, 0.0655)) @ Euler((0, 0.475, 0)).to_matrix().to_4x4()
    )
    parts += [(front, 2), (rear, 2)]
    for end in (-1, 1):
        bumper = box("car bumper", (0.012, 0.076, 0.009), (end * 0.085, 0, 0.023), chrome, 0.003)
        parts.append((bumper, 1))
    shader = Shader("car wheel")
    spokes = shader.stripes(shader.angle(), math.pi / 4, 0.5)
    hub = shader.mix(spokes, "c23b2c", "efe0c4")
    rubber = shader.ramp(shader.noise(120.0), (0.3, "241f1c"), (0.7, "4b423b"))
    wheel = shader.finish(
        shader.mix(shader.math("LESS_THAN", shader.radius(), 0.013), rubber, hub), 0.6
    )
    lamp = mottled("car lamp", "efe2b0", "fff8dc", 100.0, 0.25)
    tyre = [
        (0, -0.007),
        (0.018, -0.007),
        (0.022, -0.004),
        (0.022, 0.004),
        (0.018, 0.007),
        (0, 0.007),
    ]
    for side in (-1, 1):
        for x in (-0.05, 0.052):
            thing = turned("car wheel", tyre, wheel, rounded=False, sides=40)
            turn = Euler((math.pi / 2, 0, 0)).to_matrix().to_4x4()
            thing.matrix_world = Matrix.Translation((x, side * 0.036, 0.022)) @ turn
            parts.append((thing, 3))
        bulb = turned(
            "car lamp", [(0, -0.003), (0.008, -0.003), (0.006, 0.003), (0, 0.005)], lamp, sides=24
        )
        turn = Euler((0, math.pi / 2, 0)).to_matrix().to_4x4()
        bulb.matrix_world = Matrix.Translation((0.084, side * 0.022, 0.036)) @ turn
        parts.append((bulb, 1))
    return parts


def plant() -> Parts:
    """Pot with soil 1, leaves and stems 2."""
    shader = Shader("terracotta")
    clay = shader.ramp(shader.noise(28.0, 8.0), (0.3, "97492b"), (0.7, "cf7d52"))
    height = shader.axis("Z")
    zigzag = shader.math("PINGPONG", shader.math("MULTIPLY", shader.angle(), 0.07), 0.0183)
    band = shader.math("COMPARE", shader.math("SUBTRACT", height, zigzag), 0.045)
    band.node.inputs[2].default_value = 0.006
    clay = shader.finish(shader.mix(band, clay, "f0dcc0"), 0.75, shader.noise(200.0), 0.0008)
    pot = [
        (0, 0),
        (0.05, 0),
        (0.071, 0.088),
        (0.078, 0.088),
        (0.081, 0.112),
        (0.072, 0.113),
        (0.068, 0.098),
    ]
    pot += [(0, 0.098)]
    parts: Parts = [(turned("pot", pot, clay, rounded=False), 1)]
    soil = mottled("soil", "20140c", "5d432d", 160.0, 0.95)
    parts.append(
        (turned("soil", [(0, 0.102), (0.04, 0.1015), (0.069, 0.1)], soil, rounded=False), 1)
    )
    shader = Shader("leaf")
    veins = shader.noise(26.0, 5.0)
    green = shader.ramp(
        veins, (0.33, "1d4a22"), (0.48, "3f8a3a"), (0.62, "8fbf4d"), (0.72, "d9e0a0")
    )
    foliage = shader.finish(green, 0.5)
    stalk = mottled("stalk", "3b5f2a", "7c9a4a", 60.0, 0.6)
    generator = np.random.default_rng(7)
    count = 22
    for k in range(count):
        turn = k * 2.39996 + generator.uniform(-0.2, 0.2)  # the golden angle, as plants have it
        rise = 0.035 + 0.13 * (1 - k / count) ** 0.8 + generator.uniform(-0.012, 0.012)
        reach = 0.035 + 0.075 * k / count
        length = generator.uniform(0.065, 0.098)
        out = np.array([math.cos(turn), math.sin(turn), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        root = 0.02 * generator.uniform(0.2, 1) * out + 0.1 * up
        joint = root + 0.55 * reach * out + rise * up
        middle = joint + 0.5 * length * out + (0.25 - 0.2 * k / count) * length * up
        tip = joint + length * out - (0.1 + 0.5 * k / count) * length * up
        path = [tuple(point) for point in (joint, middle, tip)]
        width = generator.uniform(0.038, 0.05)
        parts.append((leaf("leaf", path, width, 0.28, foliage), 2))
        bend = root + 0.15 * reach * out + 0.6 * rise * up
        stem = swept(
            "stem", [root, bend, joint], [0.0026, 0.0022, 0.0018], stalk, sides=8, steps=12
        )
        parts.append((stem, 2))
    return parts


def pencil_cup() -> Parts:
    """Cup 1, pencils 2."""
    shader = Shader("cup cloth")
    around = shader.stripes(shader.angle(), math.pi / 7)
    rows = shader.stripes(shader.axis("Z"), 0.032)
    checks = shader.math(
        "ADD", shader.math("MULTIPLY", around, 0.5), shader.math("MULTIPLY", rows, 0.5)
    )
    surface = shader.ramp(checks, (0.0, "efe4d2"), (0.4, "8f6fae"), (0.9, "4a2f6b"))
    surface.node.color_ramp.interpolation = "CONSTANT"
    cloud = shader.ramp(shader.noise(60.0, 6.0), (0.3, "c2b8aa"), (0.7, "ffffff"))
    cloth = shader.finish(shader.mix(1.0, surface, cloud, "MULTIPLY"), 0.7)
    cup = [
        (0, 0),
        (0.038, 0),
        (0.04, 0.002),
        (0.042, 0.105),
        (0.04, 0.107),
        (0.038, 0.105),
        (0.037, 0.006),
    ]
    parts: Parts = [(turned("pencil cup", [*cup, (0, 0.006)], cloth, rounded=False), 1)]
    bare = mottled("bare wood", "b98a55", "e6c08a", 200.0)
    paints = ["c62f2f", "2f62b5", "e3b227", "2f8f4f", "d9702a", "3aa0a8", "7a3f8f"]
    for k, paint in enumerate(paints):
        shader = Shader(f"pencil {k}")
        rings = shader.stripes(shader.axis("Z"), 0.045, 0.12)
        coat = shader.finish(
            shader.mix(rings, shader.mix(shader.noise(90.0), paint, "30201a"), "f2e8d8"), 0.4
        )
        length = 0.135 + 0.011 * ((3 * k) % 5)
        turn = 2 * math.pi * k / len(paints) + 0.3
        lean = Matrix.Rotation(turn, 4, "Z") @ Matrix.Rotation(0.13 + 0.03 * (k % 3), 4, "Y")
        place = Matrix.Translation((0.016 * math.cos(turn), 0.016 * math.sin(turn), 0.008)) @ lean
        shaft = [(0, 0), (0.0048, 0), (0.0048, length), (0.0046, length + 0.0005)]
        tip = [(0.0047, length), (0.0017, length + 0.015)]
        lead = [(0.0018, length + 0.0148), (0, length + 0.02)]
        for profile, material in ((shaft, coat), (tip, bare), (lead, coat)):
            thing = turned("pencil", profile, material, rounded=False, sides=6)
            thing.matrix_world = place
            parts.append((thing, 2))
    return parts
