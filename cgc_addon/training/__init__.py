# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: configuration, photometric training, feature training, run folder."""
