# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine is installed from: locks, bundles, engine archives and the folder of a release.

`build.py` beside this file is the door; it needs nothing but Python.
"""
