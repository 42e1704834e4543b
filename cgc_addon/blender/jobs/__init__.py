# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: the worker as a modal job, with progress, pause, cancel and problems told."""
