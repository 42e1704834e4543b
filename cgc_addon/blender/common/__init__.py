# SPDX-License-Identifier: GPL-3.0-or-later
"""What every other room here stands on: choices, attributes, names, preferences."""
