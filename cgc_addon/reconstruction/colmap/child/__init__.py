# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of COLMAP's work: what runs only in the child process that `process` starts."""
