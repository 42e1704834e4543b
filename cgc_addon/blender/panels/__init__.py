# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn: the tab "CGC" of the sidebar and the page of the preferences."""
