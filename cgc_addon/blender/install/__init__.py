# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine, brought by the extension: installed, checked, mended, updated, taken away."""
