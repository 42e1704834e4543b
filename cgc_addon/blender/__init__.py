# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender side: everything that imports bpy.

It knows no torch, gsplat, Numba, scikit-learn or pycolmap: work that needs them is done by the
worker process. Nothing is imported before Blender enables the extension.
"""
