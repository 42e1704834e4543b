# SPDX-License-Identifier: GPL-3.0-or-later
"""First pass on the graphics card: each Gaussian becomes an ellipse with a colour.

A texel for each Gaussian in the order of drawing, so that what follows reads from front to end.
Rules and numbers are those of `rasterize.interface`: EWA projection (Zwicker et al. 2001; Kerbl
et al. 2023, eq. 5), a dilation of 0.3 px², harmonics up to degree 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...rasterize.rules import ALPHA_MINIMUM, DILATION, NEAR_PLANE, SLOPE_MARGIN
from .atlas import Atlas
from .graphics import (
    bind,
    drawing_into,
    new_framebuffer,
    new_shader_info,
    new_texture,
    shader_over_all,
    triangle_over_all,
    with_numbers,
)
from .ordering import Order
from .placements import COLUMNS, placement_table
from .placements import GLSL as PLACEMENTS
from .shown import Appearance, Viewpoint
from .textures import AT, WIDTH, list_texture, rows_for

if TYPE_CHECKING:
    from gpu.types import GPUShader, GPUTexture

MODES = ("PHOTO", "SEGMENT", "FEATURE", "DEPTH", "OPACITY")
"""Ways to colour, as the scene names them, numbered for the shader."""


@dataclass(frozen=True, eq=False)
class Ellipses:
    """K projected Gaussians, back to front, as textures."""

    count: int
    places: GPUTexture
    """Middle x, y in px from the lower left corner, depth as in a depth buffer, mark."""
    axes: GPUTexture
    """Longer standard deviation as a vector in px, length of the shorter one, opacity."""
    colors: GPUTexture
    """sRGB, and nearness: what a depth buffer's numbers are linear in."""


class Projector:
    """The shader and its screen-filling triangle."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._shader = _shader()
        self._everywhere = triangle_over_all()

    def project(
        self,
        atlas: Atlas,
        features: GPUTexture | None,
        appearances: Sequence[Appearance],
        order: Order,
        viewpoint: Viewpoint,
        *,
        mode: str = "PHOTO",
        size: float = 1.0,
        depth_range: tuple[float, float] = (1.0, 2.0),
    ) -> Ellipses:
        """Project Gaussians for one picture.

        Args:
            atlas: holds every splat that appears.
            features: colours of the features, None where they are not known.
            appearances: where they stand.
            order: which Gaussians, of which appearance.
            viewpoint: at the size of the picture.
            mode: one of `MODES`.
            size: factor on all standard deviations.
            depth_range: what is white and what is nearly black in the mode DEPTH, scene units.
        """
        rows = rows_for(len(order))
        size_of_all = (WIDTH, rows)
        targets = tuple(new_texture(size_of_all, "RGBA32F") for _ in range(3))
        starts = np.array([atlas.start_of(a.splat.gaussians) for a in appearances], dtype=np.int64)
        entries = np.column_stack(
            [starts[order.appearances] + order.gaussians, order.appearances]
        ).astype(np.float32)
        table = placement_table(appearances, viewpoint)
        samplers = {
            "entries": list_texture(entries, "RG32F"),
            "placements": new_texture((COLUMNS, len(appearances)), "RGBA32F", table),
            "means": atlas.means,
            "scales": atlas.scales,
            "quats": atlas.quats,
            "harmonics": atlas.harmonics,
            "features": features or atlas.quats,
        }
        known = mode != "FEATURE" or features is not None
        constants = {
            "focal": _focal_lengths(viewpoint),
            "limits": _slope_limits(viewpoint),
            "to_depth": _depth_mapping(viewpoint),
            "numbers": (size * size, *depth_range, NEAR_PLANE),
            "mode": MODES.index(mode if known else "PHOTO"),
            "count": len(order),
            "degree": atlas.degree,
            "texels": atlas.texels,
            "perspective": int(viewpoint.is_perspective),
        }
        shader = self._shader
        with drawing_into(new_framebuffer(*targets), size_of_all):
            bind(shader, samplers, constants)
            self._everywhere.draw(shader)
        return Ellipses(len(order), *targets)


def depth_of_nearness(viewpoint: Viewpoint) -> tuple[float, float]:
    """Return a and b: at nearness n, a depth buffer holds a + b n.

    Nearness is 1 / depth in a perspective view and −depth in an orthographic one: other than the
    number in a depth buffer, it keeps its precision in half floats.
    """
    z, constant = viewpoint.projection[2, 2], viewpoint.projection[2, 3]
    if viewpoint.is_perspective:
        z, constant = constant, -z
    return float(0.5 * constant + 0.5), float(0.5 * z)


def _focal_lengths(viewpoint: Viewpoint) -> tuple[float, float, float, float]:
    """Return fx, fy and the principal point in px from the lower left corner.

    In an orthographic view they are px in a scene unit, and where its axis goes through.
    """
    projection, width, height = viewpoint.projection, viewpoint.width, viewpoint.height
    column, sign = (2, -1.0) if viewpoint.is_perspective else (3, 1.0)
    return (
        projection[0, 0] * width / 2,
        projection[1, 1] * height / 2,
        (1.0 + sign * projection[0, column]) * width / 2,
        (1.0 + sign * projection[1, column]) * height / 2,
    )


def _slope_limits(viewpoint: Viewpoint) -> tuple[float, float, float, float]:
    """Return the smallest x and y, and the largest, of slopes in the Jacobian."""
    fx, fy, cx, cy = _focal_lengths(viewpoint)
    width, height = viewpoint.width, viewpoint.height
    return (
        (-cx - SLOPE_MARGIN * width) / fx,
        (-cy - SLOPE_MARGIN * height) / fy,
        (width - cx + SLOPE_MARGIN * width) / fx,
        (height - cy + SLOPE_MARGIN * height) / fy,
    )


def _depth_mapping(viewpoint: Viewpoint) -> tuple[float, float, float, float]:
    """Return what makes of z in the view the number that a depth buffer holds."""
    rows = viewpoint.projection
    return (rows[2, 2], rows[2, 3], rows[3, 2], rows[3, 3])


def _shader() -> GPUShader:
    constants: dict[str, str] = dict.fromkeys(
        ("mode", "count", "degree", "texels", "perspective"), "INT"
    )
    constants |= dict.fromkeys(("focal", "limits", "to_depth", "numbers"), "VEC4")
    info = new_shader_info(
        ("entries", "placements", "means", "scales", "quats", "harmonics", "features"),
        constants,
        ("place", "axes", "color"),
    )
    numbers = {"WIDTH": WIDTH, "DILATION": DILATION, "ALPHA_MINIMUM": ALPHA_MINIMUM}
    main = with_numbers(_MAIN, numbers)
    return shader_over_all(info, AT + PLACEMENTS + _HARMONICS + main)


_HARMONICS = """
/* Real spherical harmonics in the order and with the signs of 3DGS, in Cartesian form. */
vec3 color_towards(int gaussian, vec3 d)
{
  float xx = d.x * d.x, yy = d.y * d.y, zz = d.z * d.z;
  float basis[16];
  basis[0] = 0.28209479177387814;
  basis[1] = -0.4886025119029199 * d.y;
  basis[2] = 0.4886025119029199 * d.z;
  basis[3] = -0.4886025119029199 * d.x;
  basis[4] = 1.0925484305920792 * d.x * d.y;
  basis[5] = -1.0925484305920792 * d.y * d.z;
  basis[6] = 0.31539156525252005 * (2.0 * zz - xx - yy);
  basis[7] = -1.0925484305920792 * d.x * d.z;
  basis[8] = 0.5462742152960396 * (xx - yy);
  basis[9] = -0.5900435899266435 * d.y * (3.0 * xx - yy);
  basis[10] = 2.890611442640554 * d.x * d.y * d.z;
  basis[11] = -0.4570457994644658 * d.y * (4.0 * zz - xx - yy);
  basis[12] = 0.3731763325901154 * d.z * (2.0 * zz - 3.0 * xx - 3.0 * yy);
  basis[13] = -0.4570457994644658 * d.x * (4.0 * zz - xx - yy);
  basis[14] = 1.445305721320277 * d.z * (xx - yy);
  basis[15] = -0.5900435899266435 * d.x * (xx - 3.0 * yy);
  int coefficients = (degree + 1) * (degree + 1);
  vec3 color = vec3(0.5);
  /* Three texels hold four coefficients, the last of degree 0 and 2 but one. */
  for (int k = 0; 4 * k < coefficients; k++) {
    int first = gaussian * texels + 3 * k;
    vec4 a = texelFetch(harmonics, at(first), 0);
    color += basis[4 * k] * a.rgb;
    if (4 * k + 1 < coefficients) {
      vec4 b = texelFetch(harmonics, at(first + 1), 0);
      vec4 c = texelFetch(harmonics, at(first + 2), 0);
      color += basis[4 * k + 1] * vec3(a.a, b.rg);
      color += basis[4 * k + 2] * vec3(b.ba, c.r);
      color += basis[4 * k + 3] * c.gba;
    }
  }
  return max(color, vec3(0.0));
}
"""

_MAIN = """
mat3 rotation(vec4 q)
{
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main()
{
  place = axes = color = vec4(0.0);
  int item = int(gl_FragCoord.y) * WIDTH + int(gl_FragCoord.x);
  if (item >= count) {
    return;
  }
  vec2 entry = texelFetch(entries, at(item), 0).xy;
  int gaussian = int(entry.x), appearance = int(entry.y);
  mat4x3 to_view = placement_to_view(appearance);
  vec4 mean = texelFetch(means, at(gaussian), 0);
  vec3 point = to_view * vec4(mean.xyz, 1.0);
  float depth = -point.z;
  if (mean.w < ALPHA_MINIMUM || (perspective != 0 && depth < numbers.w)) {
    return;
  }
  /* Half the covariance: its three columns are the axes of the Gaussian, seen from the eye. */
  mat3 half_view = mat3(to_view) * rotation(normalize(texelFetch(quats, at(gaussian), 0)));
  vec3 sizes = texelFetch(scales, at(gaussian), 0).xyz;
  half_view[0] *= sizes.x;
  half_view[1] *= sizes.y;
  half_view[2] *= sizes.z;
  vec2 middle;
  vec3 along_x, along_y;
  if (perspective != 0) {
    vec2 slope = point.xy / depth;
    middle = focal.xy * slope + focal.zw;
    slope = clamp(slope, limits.xy, limits.zw);
    along_x = vec3(focal.x, 0.0, focal.x * slope.x) / depth;
    along_y = vec3(0.0, focal.y, focal.y * slope.y) / depth;
  }
  else {
    middle = focal.xy * point.xy + focal.zw;
    along_x = vec3(focal.x, 0.0, 0.0);
    along_y = vec3(0.0, focal.y, 0.0);
  }
  vec3 half_x = along_x * half_view, half_y = along_y * half_view;
  float xx = dot(half_x, half_x) * numbers.x + DILATION;
  float xy = dot(half_x, half_y) * numbers.x;
  float yy = dot(half_y, half_y) * numbers.x + DILATION;
  /* Eigenvalues of the covariance are the squares of both standard deviations. */
  float mean_square = 0.5 * (xx + yy), difference = 0.5 * (xx - yy);
  float radius = sqrt(difference * difference + xy * xy);
  float longer = mean_square + radius;
  float shorter = max((xx * yy - xy * xy) / longer, 1e-6);
  vec2 direction = difference >= 0.0 ? vec2(difference + radius, xy)
                                     : vec2(xy, radius - difference);
  float length_of_it = length(direction);
  direction = length_of_it > 1e-12 * longer ? direction / length_of_it : vec2(1.0, 0.0);

  vec4 painted = color_and_mark(appearance);
  if (mode == 0) {
    vec3 towards = perspective != 0 ? normalize(point) : vec3(0.0, 0.0, -1.0);
    color.rgb = color_towards(gaussian, view_to_harmonics(appearance) * towards);
  }
  else if (mode == 1) {
    color.rgb = painted.rgb;
  }
  else if (mode == 2) {
    color.rgb = texelFetch(features, at(gaussian), 0).rgb;
  }
  else if (mode == 3) {
    float share = (1.0 / depth - 1.0 / numbers.z) / (1.0 / numbers.y - 1.0 / numbers.z);
    color.rgb = vec3(0.1 + 0.9 * clamp(share, 0.0, 1.0));
  }
  else {
    color.rgb = vec3(mean.w);
  }
  float clip_depth = (to_depth.x * point.z + to_depth.y) / (to_depth.z * point.z + to_depth.w);
  place = vec4(middle, 0.5 * clip_depth + 0.5, painted.a);
  axes = vec4(direction * sqrt(longer), sqrt(shorter), mean.w);
  color.a = perspective != 0 ? 1.0 / depth : -depth;
}
"""
