# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a person corrected: kept through every cut and every training. NumPy alone."""
