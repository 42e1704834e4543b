# SPDX-License-Identifier: GPL-3.0-or-later
"""The features: the method's losses, how they are trained, lifted and started."""
