# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of the photos: made, imported, laid over the photo, corrected."""
