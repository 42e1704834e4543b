# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of features, the tree they merge in, and where it is cut."""
