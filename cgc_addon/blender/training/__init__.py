# SPDX-License-Identifier: GPL-3.0-or-later
"""Training from the scene: what is planned, the operators, the preview, what is on disk."""
