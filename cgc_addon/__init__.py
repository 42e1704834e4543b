# SPDX-License-Identifier: GPL-3.0-or-later
"""Contrastive Gaussian Clustering: photo captures become Gaussian splats separated into objects.

The sub-packages stand in the order data flows through them: `dataset` (photos and cameras),
`reconstruction` (where photos were taken), `masks` (what each photo shows),
`splats` (the Gaussians), `rasterize` (Gaussians to pixels and back), `cgc` (the method),
`training` (one run), `results` (what comes of it), `cli` (the verbs). `worker` runs verbs for
Blender in a process of their own; only `blender` knows Blender.
"""

from .version import __version__ as __version__


def register() -> None:
    """Enable the extension in Blender."""
    from .blender import registration

    registration.register()


def unregister() -> None:
    """Disable the extension in Blender and leave no trace."""
    from .blender import registration

    registration.unregister()
