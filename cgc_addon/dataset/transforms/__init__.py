# SPDX-License-Identifier: GPL-3.0-or-later
"""transforms.json, as Nerfstudio, instant-ngp and Polycam write it."""
