# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's environment: brought to this machine, checked, mended, and taken away again.

It works with the standard library alone, since Blender's own Python runs it. What is to be
installed stands in `locks/`, one file for each platform, Python and build of PyTorch; `install`
does it with pip and `venv`, `checking` says what is wrong with what is there, `removal` takes it
away.
"""
