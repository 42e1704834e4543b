# SPDX-License-Identifier: GPL-3.0-or-later
"""Dense points: where the surfaces are that several photos show, by matching patches of pixels."""
