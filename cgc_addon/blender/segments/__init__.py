# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments as collections: built from a run, chosen, edited, recut, shown and listed."""
