# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats drawn in the viewport: sorted, blended, by NumPy and Blender's own `gpu` module alone."""
