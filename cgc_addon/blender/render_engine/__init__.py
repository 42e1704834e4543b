# SPDX-License-Identifier: GPL-3.0-or-later
"""The render engine "CGC Splats": F12 draws splats as they were trained, in a worker of its own."""
