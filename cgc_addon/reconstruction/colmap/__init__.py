# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP's work in a process of its own: starting it, and what is on disk between its stages."""
