# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table is set with: teapot, mug, saucer, and a bowl with an apple and an orange."""

from __future__ import annotations

import math

import numpy as np
from materials import Shader, mottled, striped
from shapes import Parts, leaf, swept, turned


def teapot() -> Parts:
    """Body 1, lid 2, handle 3 and spout 4."""
    shader = Shader("teapot glaze")
    petals = shader.math("SINE", shader.math("MULTIPLY", shader.angle(), 12.0))
    height = shader.math("DIVIDE", shader.axis("Z"), 0.13)
    wave = shader.math("ADD", height, shader.math("MULTIPLY", petals, 0.06))
    bands = shader.ramp(
        wave, (0.0, "e9e1cf"), (0.2, "2b5c9e"), (0.34, "e9e1cf"), (0.62, "d0763c"), (0.7, "2b5c9e"),
        (0.86, "e9e1cf"),
    )  # fmt: skip
    bands.node.color_ramp.interpolation = "CONSTANT"
    flowers = shader.mix(shader.spots(75.0, 0.2), bands, "b8432f")
    cloud = shader.ramp(shader.noise(30.0), (0.3, "cfc8bb"), (0.7, "ffffff"))
    glaze = shader.finish(shader.mix(1.0, flowers, cloud, "MULTIPLY"), 0.3)
    blue = mottled("teapot blue", "1c4278", "3b74bb", 90.0, 0.3)
    body = [(0, 0), (0.048, 0), (0.056, 0.006), (0.082, 0.034), (0.089, 0.062), (0.076, 0.096)]
    body += [(0.052, 0.116), (0.046, 0.12), (0.04, 0.119), (0, 0.117)]
    lid = [
        (0, 0.119),
        (0.046, 0.12),
        (0.047, 0.124),
        (0.032, 0.136),
        (0.012, 0.142),
        (0.009, 0.147),
    ]
    lid += [(0.016, 0.156), (0.015, 0.165), (0, 0.17)]
    handle = [
        (-0.07, 0, 0.1),
        (-0.11, 0, 0.112),
        (-0.138, 0, 0.085),
        (-0.122, 0, 0.05),
        (-0.08, 0, 0.04),
    ]
    spout = [(0.07, 0, 0.045), (0.105, 0, 0.058), (0.122, 0, 0.09), (0.147, 0, 0.116)]
    return [
        (turned("teapot body", body, glaze), 1),
        (turned("teapot lid", lid, blue), 2),
        (swept("teapot handle", handle, [0.009, 0.0095, 0.01, 0.0095, 0.009], blue), 3),
        (swept("teapot spout", spout, [0.025, 0.018, 0.0125, 0.0105], blue), 4),
    ]


def mug() -> Parts:
    """Cup with its tea 1 and handle 2."""
    stops = [(0.0, "c5552f"), (0.14, "f2e6cf"), (0.3, "1f7a76"), (0.44, "f2e6cf"), (0.5, "e0a030")]
    stops += [(0.58, "f2e6cf"), (0.68, "1f7a76"), (0.86, "f2e6cf")]
    glaze = striped("mug glaze", stops, 0.1)
    cup = [(0, 0), (0.03, 0), (0.038, 0.004), (0.042, 0.03), (0.043, 0.09), (0.0415, 0.096)]
    cup += [(0.0395, 0.09), (0.038, 0.03), (0.034, 0.012), (0, 0.01)]
    handle = [
        (0.038, 0, 0.08),
        (0.062, 0, 0.085),
        (0.076, 0, 0.062),
        (0.064, 0, 0.034),
        (0.038, 0, 0.026),
    ]
    tea = mottled("tea", "5a2408", "8a4313", 60.0, 0.15)
    return [
        (turned("mug cup", cup, glaze), 1),
        (turned("mug tea", [(0, 0.074), (0.0395, 0.074)], tea, rounded=False), 1),
        (
            swept(
                "mug handle",
                handle,
                [0.0075] * 5,
                mottled("mug teal", "14605c", "2f948e", 80.0, 0.35),
            ),
            2,
        ),
    ]


def saucer() -> Parts:
    """One plate with a ring of petals."""
    shader = Shader("saucer glaze")
    petals = shader.stripes(shader.angle(), math.pi / 12, 0.5)
    radius = shader.radius()
    ring = shader.math("COMPARE", radius, 0.07)
    ring.node.inputs[2].default_value = 0.009
    surface = shader.mix(shader.math("MULTIPLY", petals, ring), "efe3cd", "1f7a76")
    edge = shader.math("GREATER_THAN", radius, 0.083)
    surface = shader.mix(edge, surface, "c5552f")
    cloud = shader.ramp(shader.noise(40.0), (0.3, "cfc6b6"), (0.7, "ffffff"))
    glaze = shader.finish(shader.mix(1.0, surface, cloud, "MULTIPLY"), 0.3)
    profile = [(0, 0), (0.042, 0), (0.05, 0.003), (0.082, 0.014), (0.087, 0.0175), (0.083, 0.0185)]
    profile += [(0.05, 0.009), (0.042, 0.0075), (0, 0.007)]
    return [(turned("saucer", profile, glaze), 1)]


def bowl() -> Parts:
    """A turned wooden bowl, open to the top."""
    profile = [(0, 0), (0.042, 0), (0.05, 0.005), (0.078, 0.024), (0.101, 0.052), (0.106, 0.064)]
    profile += [(0.102, 0.066), (0.095, 0.052), (0.072, 0.03), (0.045, 0.012), (0, 0.009)]
    stops = [(0.0, "8a5a33"), (0.2, "2f6f8f"), (0.34, "f0e6d2"), (0.44, "2f6f8f"), (0.6, "f0e6d2")]
    stops += [(0.7, "c8873f"), (0.84, "2f6f8f")]
    return [(turned("bowl", profile, striped("bowl glaze", stops, 0.066)), 1)]


def apple() -> Parts:
    """Fruit 1, stalk with a leaf 2; the middle is the origin."""
    shader = Shader("apple skin")
    streaks = shader.noise(30.0, 5.0, shader.stretched(1.6, 1.6, 0.35))
    height = shader.math("MULTIPLY", shader.axis("Z"), 5.0)
    tone = shader.math("ADD", streaks, height)
    skin = shader.ramp(tone, (0.22, "d8c24a"), (0.42, "d2502c"), (0.6, "a81420"), (0.82, "c9b24a"))
    skin = shader.finish(skin, 0.35)
    profile = [
        (0, -0.03),
        (0.012, -0.036),
        (0.029, -0.03),
        (0.041, -0.004),
        (0.039, 0.02),
        (0.024, 0.036),
    ]
    profile += [(0.01, 0.034), (0, 0.026)]
    stalk = [(0, 0, 0.024), (0.001, 0.001, 0.038), (0.005, 0.002, 0.05)]
    twig = mottled("apple stalk", "3a2716", "6a4a2a", 200.0)
    blade = mottled("apple leaf", "2f6a2a", "6fae48", 120.0)
    path = [(0.002, 0.001, 0.042), (0.018, 0.012, 0.053), (0.036, 0.022, 0.048)]
    return [
        (turned("apple", profile, skin), 1),
        (swept("apple stalk", stalk, [0.002, 0.0016, 0.002], twig, sides=10), 2),
        (leaf("apple leaf", path, 0.022, 0.25, blade), 2),
    ]


def orange() -> Parts:
    """One fruit with pitted peel; the middle is the origin."""
    shader = Shader("orange peel")
    pits = shader.spots(260.0, 0.3)
    peel = shader.ramp(shader.noise(35.0, 6.0), (0.3, "d9660c"), (0.5, "f08a1c"), (0.7, "f9b04a"))
    peel = shader.finish(
        shader.mix(shader.math("MULTIPLY", pits, 0.45), peel, "a84a08"), 0.45, pits, -0.0006
    )
    angles = np.linspace(-math.pi / 2, math.pi / 2, 24)
    profile = [(max(0.0, 0.042 * math.cos(a)), 0.040 * math.sin(a)) for a in angles]
    return [(turned("orange", profile, peel, rounded=False), 1)]
