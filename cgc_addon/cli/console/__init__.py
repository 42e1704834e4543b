# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person or a program reads while a verb runs, and how it is interrupted or fails."""
