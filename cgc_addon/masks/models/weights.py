# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of the mask models: where they lie on this machine, and how they are fetched.

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
from .fetch import MEGABYTE, content_is, fetch
from .known import KNOWN, Family, KnownModel

VARIABLE = "CGC_MODELS"
"""Environment variable that names the folder of the models."""
_CHECKPOINTS = (".pth", ".pt")


@dataclass(frozen=True)
class Weights:
    """The files of a model on this machine."""

    family: Family
    """How they are opened."""
    files: tuple[Path, ...]


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


def find_weights(name_or_path: str, folders: Sequence[Path] = ()) -> Weights:
    """Return the files of a model.

    Args:
        name_or_path: a name of `KNOWN`; or a file of one, wherever it lies; or a checkpoint, one
            file of an ONNX pair, or a folder that holds one of both.
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
    for model in KNOWN.values():
        if path.name in {file.name for file in model.files} and model.lies_in(path.parent):
            return _files_of(model, path.parent)
    ending = path.suffix.lower()
    if ending == ".onnx":
        return _pair(path.parent, path)
    if ending in _CHECKPOINTS:
        return _checkpoint(path)
    raise CgcError(
        f"{path} is no mask model: that is a checkpoint of Segment Anything (.pth), or an ONNX "
        "encoder beside its decoder (.onnx)."
    )


def check_content(weights: Weights) -> None:
    """Check that files that claim to be those of a known model are: a disk may have harmed them.

    Raises:
        CgcError: one is not, or cannot be read.
    """
    for path in weights.files:
        for model in KNOWN.values():
            for file in model.files:
                try:
                    claims = (file.name, file.size) == (path.name, path.stat().st_size)
                    sound = not claims or content_is(path, file)
                except OSError as error:
                    reason = error.strerror or error
                    raise CgcError(f"{path} could not be read: {reason}.") from error
                if not sound:
                    raise CgcError(
                        f"{path} is damaged: it has not the content of {model.label}; fetch it "
                        f"anew with `models --download {model.name}`, or give it another name if "
                        "it is a model of your own."
                    )


def _find_known(model: KnownModel, folders: Sequence[Path]) -> Weights:
    for folder in folders:
        if model.is_in(folder):
            return _files_of(model, model.home(folder))
    for folder in folders:
        for path, file in zip(model.paths(folder), model.files, strict=True):
            if path.is_file() and path.stat().st_size != file.size:
                raise CgcError(
                    f"{path} has {path.stat().st_size:,} bytes instead of {file.size:,}; fetch it "
                    f"anew with `models --download {model.name}`."
                )
    raise CgcError(
        f"The weights of {model.label} are not on this machine ({model.home(folders[-1])}); fetch "
        f"them once with `models --download {model.name}` ({model.size / MEGABYTE:.0f} MB), or "
        "name a file that you have."
    )


def _find_in(folder: Path) -> Weights:
    for model in KNOWN.values():
        for home in (model.home(folder), folder):
            if model.lies_in(home):
                return _files_of(model, home)
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    checkpoints = [path for path in files if path.suffix.lower() in _CHECKPOINTS]
    if len(checkpoints) == 1:
        return _checkpoint(checkpoints[0])
    if checkpoints:
        raise CgcError(f"{folder} holds {len(checkpoints)} checkpoints; name one of them.")
    return _pair(folder)


def _files_of(model: KnownModel, home: Path) -> Weights:
    return Weights(model.family, tuple(home / file.name for file in model.files))


def _checkpoint(path: Path) -> Weights:
    return Weights("segment-anything", (path,))


def _pair(folder: Path, named: Path | None = None) -> Weights:
    """Return the encoder and the decoder of a folder: the encoder's name says what it is."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".onnx")
    encoders = [path for path in files if "encoder" in path.name.lower()]
    decoders = [path for path in files if path not in encoders]
    if named in encoders:
        encoders = [named]
    elif named in decoders:
        decoders = [named]
    if len(encoders) == 1 and len(decoders) == 1:
        return Weights("mobilesam", (encoders[0], decoders[0]))
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
        The files, in the order of the model's.

    Raises:
        CgcError: it cannot be had or written; another call goes on with what has come.
        Interrupted: `should_stop` said so; another call goes on with what has come.
    """
    model = known_model(name)
    home = model.home(models_folder() if folder is None else folder)
    return tuple(fetch(file, home, report=report, should_stop=should_stop) for file in model.files)
