# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves Blender: splats as PLY files, segment masks from any camera."""
