# SPDX-License-Identifier: GPL-3.0-or-later
"""Procedural materials: every surface of the sample scene has texture, none comes from a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

Socket = Any
"""A node's output (`bpy.types.NodeSocket`)."""


def color(code: str) -> tuple[float, float, float, float]:
    """Return linear RGBA of an sRGB colour written as six hexadecimal digits."""
    channels = [int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return red, green, blue, 1.0


class Shader:
    """A material under construction; its methods add texture nodes and return their outputs.

    Textures are fixed to the object's own coordinates, in metres.
    """

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree: Any = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]
        self.place = self.node("ShaderNodeTexCoord").outputs["Object"]

    def node(self, kind: str, inputs: dict[Any, Any] | None = None, **settings: Any) -> Any:
        """Add a node; `inputs` are constants or sockets by name or number."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[key])
            else:
                node.inputs[key].default_value = value
        return node

    def math(self, operation: str, first: Socket | float, second: Socket | float = 0.0) -> Socket:
        """Return first ∘ second, number by number."""
        return self.node("ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]

    def axis(self, name: str) -> Socket:
        """Return one coordinate, "X", "Y" or "Z", in metres."""
        return self.node("ShaderNodeSeparateXYZ", {0: self.place}).outputs[name]

    def stretched(self, x: float, y: float, z: float) -> Socket:
        """Return the coordinates multiplied by (x, y, z), for grain that runs one way."""
        return self.node("ShaderNodeMapping", {"Vector": self.place, "Scale": (x, y, z)}).outputs[0]

    def noise(self, scale: float, detail: float = 4.0, place: Socket | None = None) -> Socket:
        """Return cloudy noise, 0 to 1, with features of about 1/scale metres."""
        inputs = {"Vector": place or self.place, "Scale": scale, "Detail": detail}
        return self.node("ShaderNodeTexNoise", inputs).outputs[0]

    def spots(self, scale: float, size: float) -> Socket:
        """Return 1 inside round spots, 0 between them."""
        inputs = {"Vector": self.place, "Scale": scale}
        distance = self.node("ShaderNodeTexVoronoi", inputs).outputs["Distance"]
        return self.math("LESS_THAN", distance, size)

    def stripes(self, coordinate: Socket, period: float, share: float = 0.5) -> Socket:
        """Return 1 in stripes that fill `share` of each `period` of `coordinate`, 0 between."""
        return self.math(
            "LESS_THAN", self.math("FLOORED_MODULO", coordinate, period), share * period
        )

    def radius(self) -> Socket:
        """Return the distance from the z axis in metres."""
        squares = (self.math("POWER", self.axis(name), 2.0) for name in "XY")
        return self.math("SQRT", self.math("ADD", *squares))

    def angle(self) -> Socket:
        """Return the angle around z in radians."""
        return self.math("ARCTAN2", self.axis("Y"), self.axis("X"))

    def ramp(self, value: Socket, *stops: tuple[float, str]) -> Socket:
        """Return the colour that `value` has on a scale of (position, colour) stops."""
        node = self.node("ShaderNodeValToRGB", {0: value})
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(1.0)
        for element, (position, code) in zip(elements, stops, strict=True):
            element.position, element.color = position, color(code)
        return node.outputs[0]

    def mix(
        self, factor: Socket | float, first: Socket | str, second: Socket | str, blend: str = "MIX"
    ) -> Socket:
        """Return the colour `first` where factor is 0 and `second` where it is 1."""
        node = self.node("ShaderNodeMix", data_type="RGBA", blend_type=blend)
        for number, value in ((0, factor), (6, first), (7, second)):
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[number])
            else:
                node.inputs[number].default_value = (
                    color(value) if isinstance(value, str) else value
                )
        return node.outputs[2]

    def finish(
        self, base: Socket | str, roughness: float, bump: Socket | None = None, depth: float = 0.001
    ) -> bpy.types.Material:
        """Connect colour, roughness and a bump of `depth` metres; return the material."""
        base = self.mix(0.0, base, base) if isinstance(base, str) else base
        self.tree.links.new(base, self.surface.inputs["Base Color"])
        self.surface.inputs["Roughness"].default_value = roughness
        if bump is not None:
            inputs = {"Height": bump, "Distance": depth, "Strength": 0.7}
            normal = self.node("ShaderNodeBump", inputs).outputs[0]
            self.tree.links.new(normal, self.surface.inputs["Normal"])
        return self.material


def mottled(
    name: str, dark: str, light: str, scale: float, roughness: float = 0.6
) -> bpy.types.Material:
    """Return a material of two shades in clouds of about 1/scale metres."""
    shader = Shader(name)
    noise = shader.noise(scale, 6.0)
    return shader.finish(shader.ramp(noise, (0.35, dark), (0.65, light)), roughness, noise)


def wood(
    name: str, dark: str, light: str, *, plank: float = 0.0, roughness: float = 0.45
) -> bpy.types.Material:
    """Return wood with grain along x, cut into planks `plank` metres wide if that is above 0."""
    shader = Shader(name)
    grain = shader.noise(9.0, 8.0, shader.stretched(0.5, 9.0, 9.0))
    fibres = shader.noise(60.0, 3.0, shader.stretched(0.4, 8.0, 8.0))
    tone = shader.math(
        "ADD", shader.math("MULTIPLY", grain, 0.75), shader.math("MULTIPLY", fibres, 0.25)
    )
    surface = shader.ramp(tone, (0.36, dark), (0.5, light), (0.56, dark), (0.66, light))
    if plank > 0:
        position = shader.math("DIVIDE", shader.axis("Y"), plank)
        inputs = {"W": shader.math("FLOOR", position)}
        shade = shader.node("ShaderNodeTexWhiteNoise", inputs, noise_dimensions="1D").outputs[0]
        surface = shader.mix(
            0.55, surface, shader.ramp(shade, (0.0, "b08058"), (1.0, "ffffff")), "MULTIPLY"
        )
        gap = shader.stripes(shader.axis("Y"), plank, 0.035)
        surface = shader.mix(gap, surface, "24150c")
    return shader.finish(surface, roughness, fibres, 0.0006)


def striped(
    name: str, stops: Sequence[tuple[float, str]], height: float, roughness: float = 0.35
) -> bpy.types.Material:
    """Return glaze in bands up z: (share of `height` where it begins, colour), with speckles."""
    shader = Shader(name)
    wobble = shader.math("MULTIPLY", shader.math("SUBTRACT", shader.noise(30.0), 0.5), 0.004)
    level = shader.math("DIVIDE", shader.math("ADD", shader.axis("Z"), wobble), height)
    node = shader.ramp(level, *stops)
    node.node.color_ramp.interpolation = "CONSTANT"
    speckles = shader.spots(260.0, 0.22)
    cloud = shader.ramp(shader.noise(25.0), (0.3, "c8c0b0"), (0.7, "ffffff"))
    surface = shader.mix(0.8, node, cloud, "MULTIPLY")
    return shader.finish(shader.mix(speckles, surface, "4a3a30"), roughness)
