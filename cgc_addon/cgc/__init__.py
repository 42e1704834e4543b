# SPDX-License-Identifier: GPL-3.0-or-later
"""Contrastive Gaussian Clustering (arXiv 2404.12784): losses, clustering, prompts, metrics."""
