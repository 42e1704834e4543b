# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as files of any kind that is written.

NumPy alone: Blender writes them, too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..progress import Reporter, ShouldStop, never, silent
from .formats import SPZ_VERSIONS, WriteSettings
from .gaussians import Gaussians
from .glb import write_glb
from .pictures import PictureCodec
from .ply import write_plain_ply, write_ply
from .sog_writing import write_sog
from .spz_writing import write_spz


def write_splat(
    path: Path,
    gaussians: Gaussians,
    settings: WriteSettings,
    codec: PictureCodec | None = None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
    origin: NDArray[np.float64] | None = None,
) -> None:
    """Write a splat in COLMAP's axes, whole or not at all.

    What the format has axes of its own for is turned; PLY and SOG keep the numbers.

    Args:
        path: the file, whatever its ending.
        gaussians: N Gaussians.
        settings: of the file.
        codec: writes the pictures of SOG.
        report: takes the progress of SOG; all others take a second for some 100,000 Gaussians.
        should_stop: asked while SOG is written.
        origin: (3,) what means are relative to, scene units; put back by the PLY with segments,
            whose positions may be doubles. All others keep what 32 bits can hold.

    Raises:
        CgcError: there are no Gaussians, one holds no numbers, or the file cannot be written.
        Interrupted: `should_stop` said so; nothing is left behind.
    """
    _check(path, gaussians)
    match settings.format:
        case "plain":
            write_plain_ply(path, gaussians)
        case "ply":
            write_ply(path, gaussians, origin)
        case "spz":
            if settings.spz_version not in SPZ_VERSIONS:
                versions = ", ".join(map(str, SPZ_VERSIONS))
                raise CgcError(f"SPZ is written in version {versions}; choose one of these.")
            write_spz(path, gaussians, settings.spz_version)
        case "sog":
            if codec is None:
                raise CgcError(f"{path} would hold pictures; choose another format than SOG.")
            write_sog(path, gaussians, codec, report, should_stop)
        case "glb":
            write_glb(path, gaussians)


def _check(path: Path, gaussians: Gaussians) -> None:
    count = len(gaussians)
    if count == 0:
        raise CgcError(f"{path} was not written: there are no Gaussians to write.")
    sound = np.isfinite(gaussians.logit_opacities) & np.isfinite(gaussians.sh).all(axis=(1, 2))
    for values in (gaussians.means, gaussians.log_scales, gaussians.quats):
        sound &= np.isfinite(values).all(axis=1)
    sound &= gaussians.quats.any(axis=1)
    if not sound.all():
        raise CgcError(
            f"{path} was not written: {count - int(sound.sum())} of {count} Gaussians hold values "
            f"that are no finite numbers or a rotation of zero, the first is number "
            f"{int(np.argmin(sound))}; delete them, then export again."
        )
