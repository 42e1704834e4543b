# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each photo was taken: photos or a video become a dataset with cameras and points."""
