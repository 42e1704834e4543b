# SPDX-License-Identifier: GPL-3.0-or-later
"""What an add-on can leave behind in Blender; for scripts that enable and disable it."""

from __future__ import annotations

import sys
import threading

import bpy

HEAVY = {
    *("torch", "gsplat", "numba", "sklearn", "scipy", "pycolmap", "cv2", "onnxruntime", "PIL"),
    *("plyfile", "safetensors", "rich"),
}


def traces() -> set[str]:
    """Return everything registered: types, their properties, handlers, entries of menus, keys."""
    found = {f"thread {thread.name}" for thread in threading.enumerate()}
    for name in dir(bpy.types):
        cls = getattr(bpy.types, name)
        found.add(f"type {name}")
        if hasattr(cls, "bl_rna"):
            found |= {f"property {name}.{item.identifier}" for item in cls.bl_rna.properties}
        found |= {f"engine {name} {engine}" for engine in getattr(cls, "COMPAT_ENGINES", ())}
        for function in getattr(getattr(cls, "draw", None), "_draw_funcs", ()):
            if "cgc_addon" in function.__module__:
                found.add(f"entry {name} {function.__qualname__}")
    found |= {f"operators {name}" for name in dir(bpy.ops)}
    for name in dir(bpy.app.handlers):
        functions = getattr(bpy.app.handlers, name)
        if isinstance(functions, list):
            found |= {f"handler {name} {function!r}" for function in functions}
    for configuration in bpy.context.window_manager.keyconfigs:
        for keymap in configuration.keymaps:
            found |= {f"key {item.idname}" for item in keymap.keymap_items}
    return found


def heavy_modules() -> set[str]:
    """Return which packages are loaded that Blender's own Python does not have."""
    return HEAVY & set(sys.modules)
