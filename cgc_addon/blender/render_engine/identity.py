# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender knows the engine by."""

ENGINE = "CGC_SPLATS"
LABEL = "CGC Splats"
