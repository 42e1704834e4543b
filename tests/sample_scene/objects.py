# SPDX-License-Identifier: GPL-3.0-or-later
"""The eleven objects of the sample scene: their ids, who makes them and where they stand."""

from __future__ import annotations

import math
from collections.abc import Callable

from desk_things import green_book, pencil_cup, plant, red_book, toy_car
from mathutils import Euler, Matrix
from shapes import Parts
from tea_things import apple, bowl, mug, orange, saucer, teapot


def _placed(x: float, y: float, z: float, degrees: float = 0.0, lean: float = 0.0) -> Matrix:
    """Return where an object stands: metres, turn around z in degrees, lean to +x in degrees."""
    turn = Euler((0, math.radians(lean), math.radians(degrees))).to_matrix().to_4x4()
    return Matrix.Translation((x, y, z)) @ turn


OBJECTS: tuple[tuple[str, Callable[[], Parts], Matrix], ...] = (
    ("teapot", teapot, _placed(-0.2, 0.02, 0.0, 205)),
    ("mug", mug, _placed(-0.1, -0.21, 0.0075, -65)),
    ("saucer", saucer, _placed(-0.1, -0.21, 0.0)),
    ("green book", green_book, _placed(0.17, -0.12, 0.0, 24)),
    ("red book", red_book, _placed(0.165, -0.115, 0.0388, 8)),
    ("toy car", toy_car, _placed(0.165, -0.105, 0.0698, 150)),
    ("plant", plant, _placed(-0.05, 0.23, 0.0)),
    ("bowl", bowl, _placed(0.19, 0.15, 0.0)),
    ("apple", apple, _placed(0.1535, 0.128, 0.0685, 40, 14)),
    ("orange", orange, _placed(0.227, 0.171, 0.069, 20, 35)),
    ("pencil cup", pencil_cup, _placed(0.045, 0.09, 0.0)),
)
"""Name, maker and place of every object; its id is its position here, counted from 1."""
