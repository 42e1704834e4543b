# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that find masks in a photo: one interface, their weights, how these are fetched."""
