# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel is made of: its module and the modules of the rasterizer that this one imports.

Numba compiles a cached kernel again when its own file changes, not when a helper in another file
does. A digest of all of them, in the kernel's name, makes it do so, and leaves other kernels alone.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

_RASTERIZER = Path(__file__).resolve().parents[1]
"""Nothing outside of this folder has a part in kernels."""


@cache
def digest_of_sources(path: Path) -> str:
    """Return a digest of a module's source and of what it imports, at once or over others.

    Args:
        path: of the module's file.
    """
    digest = hashlib.sha256()
    # Whoever makes a kernel takes `simd` for it, also where it is imported in another way.
    vectors = Path(__file__).resolve().with_name("simd.py")
    for source in sorted(sources_of(path.resolve()) | sources_of(vectors)):
        digest.update(f"{source.name}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:10]


def sources_of(path: Path) -> set[Path]:
    """Return a module's file and those of the rasterizer that it imports, at once or over others.

    Args:
        path: of the module's file, absolute.
    """
    found, ahead = {path}, [path]
    while ahead:
        new = _imported(ahead.pop()) - found
        found |= new
        ahead += new
    return found


@cache
def _imported(path: Path) -> frozenset[Path]:
    """Return the files of the rasterizer that a file of it imports with `from .x import y`."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        place = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        files = [place.with_suffix(".py"), *(place / f"{name.name}.py" for name in node.names)]
        found |= {file for file in files if _RASTERIZER in file.parents and file.is_file()}
    return frozenset(found)
