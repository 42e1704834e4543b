# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that runs the engine for Blender (`python -m cgc_addon.worker`), and its client.

Blender's own Python has numpy and little else, and a crash in it takes the user's scene along; so
whatever is heavy runs in a process of its own, that talks in JSON lines and leaves files. `client`
is Blender's end and needs the standard library alone; the other modules are the child's.
"""
