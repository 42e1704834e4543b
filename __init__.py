# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's door to the extension: hands `register` and `unregister` on, nothing else."""

from .cgc_addon import register, unregister

__all__ = ["register", "unregister"]
