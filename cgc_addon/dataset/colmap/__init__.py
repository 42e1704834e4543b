# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP's models, binary and text, with every camera model."""
