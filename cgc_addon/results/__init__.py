# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finished run gives: renders, scores, exports, a contact sheet."""
