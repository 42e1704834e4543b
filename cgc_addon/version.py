# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of the extension, in a file of its own: the top of the package imports everything."""

__version__ = "0.2.0"
