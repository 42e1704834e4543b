# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP models, photos and label maps become a `Scene` and arrays."""
