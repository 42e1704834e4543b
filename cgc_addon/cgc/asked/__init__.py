# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a mask model is asked for, in one view after the other."""
