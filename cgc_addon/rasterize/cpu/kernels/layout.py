# SPDX-License-Identifier: GPL-3.0-or-later
"""How the kernels lay out what they hand to each other."""

from __future__ import annotations

from ..simd import LANES

# --- A record: what the rasterizer must know of one projected Gaussian, one cache line -----------
RECORD_SIZE = 16
"""Floats per row of `records` (N, 16). The gradient of a record has the same slots."""
MEAN_X, MEAN_Y = 0, 1
"""Centre, px."""
CONIC_A, CONIC_B, CONIC_C = 2, 3, 4
"""Inverse of the 2D covariance, px⁻²: σ = ½(a·dx² + c·dy²) + b·dx·dy."""
OPACITY = 5
CUTOFF = 6
"""ln(255 · opacity): where σ exceeds it, α is below 1/255."""
DEPTH = 7
"""Along the camera axis, scene units; infinite where the Gaussian is not drawn."""
RED, GREEN, BLUE = 8, 9, 10
EXTENT_X, EXTENT_Y = 11, 12
"""Half the box around the ellipse σ = cutoff, px."""
INVERSE_A = 13
"""1 / a."""
TIP = 14
"""Where the ellipse reaches farthest right, px below its centre."""

# --- The camera: 24 floats -----------------------------------------------------------------------
CAMERA_SIZE = 24
ROTATION = 0
"""World to camera, row by row, 9 floats."""
TRANSLATION = 9
FOCAL_X, FOCAL_Y, CENTER_X, CENTER_Y = 12, 13, 14, 15
POSITION = 16
"""The camera's place in the world, 3 floats."""
LIMIT_LEFT, LIMIT_RIGHT, LIMIT_TOP, LIMIT_BOTTOM = 19, 20, 21, 22
"""Where x/z and y/z are clamped for the projection's Jacobian."""
NEAR = 23

# --- Tiles and chunks ----------------------------------------------------------------------------
TILE = 16
"""A tile is 16 × 16 pixels."""
CHUNK_WIDTH = 4 if LANES >= 8 else 2
CHUNK_HEIGHT = LANES // CHUNK_WIDTH
"""A chunk is the pixels of one vector; a tile's chunks are numbered column by column."""
CHUNKS_ACROSS = TILE // CHUNK_WIDTH
CHUNKS_DOWN = TILE // CHUNK_HEIGHT
CHUNKS = CHUNKS_ACROSS * CHUNKS_DOWN
"""At most 64: a set of chunks is the bits of one integer."""

# --- Channels ------------------------------------------------------------------------------------
GROUP = 8
"""Channels beyond RGB come in groups of eight; the last group is filled up with zeros."""

# --- Gradient of one (Gaussian, tile) pair: moments, colours, then the groups ---------------------
PAIR_SIZE = 9
"""Σg, Σg·dx, Σg·dy, Σg·dx², Σg·dx·dy, Σg·dy², red, green, blue; g = −dL/dσ."""
