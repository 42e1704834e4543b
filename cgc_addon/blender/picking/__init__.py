# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments taken up in the viewport: pointed at, joined and split there, their edges painted."""
