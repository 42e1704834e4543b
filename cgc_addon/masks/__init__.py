# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps from photos: a promptable model proposes masks, which become one id per pixel."""
