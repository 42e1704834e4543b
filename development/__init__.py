# SPDX-License-Identifier: GPL-3.0-or-later
"""What `dev.py` is made of: environments, the engine's and Blender's, and the checks.

Python's standard library alone, since it runs before anything is installed.
"""
