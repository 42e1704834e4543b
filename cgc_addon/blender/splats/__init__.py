# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians as point cloud objects: their data, their looks, their transforms."""
