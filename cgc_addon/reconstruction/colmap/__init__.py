# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP's stages in a process of their own, and what stands between them on disk."""
