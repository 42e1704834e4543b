# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture in the scene: its collections, cameras and sparse points, and how it is imported."""
