# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of other programs, as pictures or annotations, become label maps."""
