# SPDX-License-Identifier: GPL-3.0-or-later
"""`cgc_addon.srgb` for shaders."""

from __future__ import annotations

SRGB = """
vec3 linear_from_srgb(vec3 srgb)
{
  vec3 above = pow((max(srgb, vec3(0.0)) + 0.055) / 1.055, vec3(2.4));
  return mix(srgb / 12.92, above, greaterThan(srgb, vec3(0.04045)));
}

vec3 srgb_from_linear(vec3 linear)
{
  vec3 above = 1.055 * pow(max(linear, vec3(0.0)), vec3(1.0 / 2.4)) - 0.055;
  return mix(linear * 12.92, above, greaterThan(linear, vec3(0.0031308)));
}
"""
