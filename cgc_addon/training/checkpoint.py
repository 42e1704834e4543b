# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a training on disk, without pickles: one safetensors file, replaced as a whole."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import CgcError
from ..files import replacing, write_json
from ..leftovers import temporary_path

CHECKPOINT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors and small plain values: everything that `Trainer` needs to go on."""

    tensors: dict[str, Tensor]
    values: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, summary: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and `summary`, a copy of its values for people and tools.

    Raises:
        CgcError: the folder cannot be written or the disk is full; the old checkpoint stands.
    """
    write_checkpoint(path, checkpoint)
    write_json(summary, {"version": CHECKPOINT_VERSION, **checkpoint.values})


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a kill at any moment leaves the previous one whole.

    The values travel inside the tensor file, so that the two can never disagree.

    Raises:
        CgcError: the folder cannot be written or the disk is full; the old checkpoint stands.
    """
    values = {"version": CHECKPOINT_VERSION, **checkpoint.values}
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()
    }
    with replacing(path) as temporary:
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)  # as the user's umask has it
        # safetensors writes a file of its own beside its target: killed then, it leaves that under
        # a name that tells nobody whose it was.
        folder = temporary_path(path.with_name(f"{path.name}.parts"))
        try:
            folder.mkdir(exist_ok=True)
            save_file(tensors, folder / path.name, metadata={"values": json.dumps(values)})
            (folder / path.name).replace(temporary)
        except safetensors.SafetensorError as error:
            raise CgcError(
                f"{path} could not be written: {error}; check free space, then use --resume."
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        temporary.chmod(mode)


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Read what `save_checkpoint` wrote.

    Raises:
        CgcError: missing, damaged, or of another version.
    """
    if not path.is_file():
        raise CgcError(f"{path} is missing: this run has nothing to go on from; start it anew.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        values = json.loads(metadata["values"])
        tensors = load_file(path, device=str(device))
    except (safetensors.SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise CgcError(f"{path} is damaged ({error}); start the run anew.") from error
    if values.pop("version", None) != CHECKPOINT_VERSION:
        raise CgcError(f"{path} was written by another version; start the run anew.")
    return Checkpoint(tensors, values)
