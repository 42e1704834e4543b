# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians: their parameters, the PLY file, first placement, rigid and scale transforms."""
