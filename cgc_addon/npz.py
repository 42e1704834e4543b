# SPDX-License-Identifier: GPL-3.0-or-later
"""Named arrays in one file, as NumPy's `savez` writes them, whole or not at all.

`savez` itself leaves an open archive behind where the disk is full, which complains later.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import ArrayLike

from .files import replacing


def write_npz(path: Path, arrays: Mapping[str, ArrayLike], *, compressed: bool = False) -> None:
    """Write arrays, by their names.

    Raises:
        CgcError: it cannot be written; what was there is as it was.
    """
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", kind) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy_format.write_array(file, np.asanyarray(array), allow_pickle=False)
