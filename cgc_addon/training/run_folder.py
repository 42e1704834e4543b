# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of one run: where each file lies, and the two that grow while it runs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CgcError
from ..files import read_json, write_json, write_text
from .config import TrainingConfig
from .config_json import from_json, to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PHOTOS = 10_000
"""Of one step."""
SEGMENTS_FILE = "segments.json"
"""Renders may have one, too."""


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run; creating the object touches nothing on disk."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def splat(self) -> Path:
        return self.path / "splat.ply"

    @property
    def segments(self) -> Path:
        return self.path / SEGMENTS_FILE

    @property
    def clusters(self) -> Path:
        """Merge tree of the clusters: what `segment` cuts again without training."""
        return self.path / "clusters.npz"

    @property
    def corrections(self) -> Path:
        """Objects that a person corrected; they are of the scene, and outlive trainings."""
        return self.path / "corrections.npz"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def checkpoint_summary(self) -> Path:
        return self.path / "checkpoint.json"

    @property
    def matching(self) -> Path:
        """What comparing the photos has found, see `matching_state`."""
        return self.path / "matching.safetensors"

    @property
    def background_trials(self) -> Path:
        """How well the photos were explained by each distance of the background tried so far."""
        return self.path / "background.json"

    @property
    def background_state(self) -> Path:
        """How far the distance of the background that is being tried has come."""
        return self.path / "background.safetensors"

    @property
    def feature_state(self) -> Path:
        return self.path / "features.safetensors"

    @property
    def edge_state(self) -> Path:
        return self.path / "edges.safetensors"

    @property
    def looking_state(self) -> Path:
        return self.path / "looking.safetensors"

    @property
    def finding_state(self) -> Path:
        return self.path / "finding.safetensors"

    @property
    def shown_state(self) -> Path:
        return self.path / "shown.safetensors"

    @property
    def edge_target_state(self) -> Path:
        return self.path / "edge_targets.safetensors"

    @property
    def looking_again_state(self) -> Path:
        return self.path / "looking_again.safetensors"

    @property
    def stage_states(self) -> tuple[Path, ...]:
        """States of single stages, of use until the run is complete."""
        background = (self.background_trials, self.background_state)
        segments = (self.looking_state, self.feature_state, self.finding_state)
        edges = (self.shown_state, self.edge_target_state, self.edge_state)
        return (*background, *segments, *edges, self.looking_again_state)

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def preview(self) -> Path:
        """Points that show how the training looks so far, where that was asked for."""
        return self.path / "preview.npy"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    def start(
        self,
        dataset: Path,
        config: TrainingConfig,
        versions: dict[str, str],
        origin: NDArray[np.float64] | None = None,
        batch: int = 1,
        asked: dict[str, Any] | None = None,
    ) -> None:
        """Make the folder and write its configuration.

        Args:
            dataset: folder.
            config: of the run.
            versions: of what it is made with.
            origin: (3,) what all places are relative to, scene units, as `Scene.origin`;
                None = 0 0 0.
            batch: photos of a step, of all processes together.
            asked: what was fixed before the configuration was fitted, see `asked.Asked`; None
                where it was not fitted.

        Raises:
            CgcError: the folder cannot be written.
        """
        record = {"dataset": str(dataset.resolve()), "versions": versions, **to_json(config)}
        if origin is not None and origin.any():
            record["origin"] = origin.tolist()
        if batch != 1:
            record["batch"] = batch
        if asked is not None:
            record["asked"] = asked
        write_text(self.metrics, "")
        write_text(self.log, "")
        write_json(self.config, record)  # last: with it, there is a run to go on with

    def read_config(self) -> tuple[Path, TrainingConfig]:
        """Return the dataset folder and the configuration of this run.

        Raises:
            CgcError: this is no run folder, or another version wrote it.
        """
        value = self._read_record()
        dataset = Path(value.pop("dataset"))
        value.pop("versions", None)
        value.pop("origin", None)
        value.pop("batch", None)
        value.pop("asked", None)
        return dataset, from_json(value, str(self.config))

    def read_origin(self) -> NDArray[np.float64]:
        """Return what all places of this run are relative to (3,), in the frame of its dataset.

        Raises:
            CgcError: this is no run folder, or no place is written there.
        """
        import numpy as np

        try:
            origin = np.array(self._read_record().get("origin", (0.0, 0.0, 0.0)), np.float64)
        except (TypeError, ValueError, OverflowError):
            origin = np.full(3, np.nan)
        if origin.shape != (3,) or not np.isfinite(origin).all():
            raise CgcError(f'{self.config}: "origin" must be three numbers; start the run anew.')
        return origin

    def read_batch(self) -> int:
        """Return how many photos a step of this run looks at.

        Raises:
            CgcError: this is no run folder, or no such number is written there.
        """
        batch = self._read_record().get("batch", 1)
        if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= MOST_PHOTOS:
            raise CgcError(
                f'{self.config}: "batch" must be from 1 to {MOST_PHOTOS}; start the run anew.'
            )
        return batch

    def read_asked(self) -> dict[str, Any] | None:
        """Return what was fixed before the configuration was fitted; None where it was not fitted.

        Raises:
            CgcError: this is no run folder, or what is written there is nothing of the kind.
        """
        value = self._read_record().get("asked")
        if value is not None and not isinstance(value, dict):
            raise CgcError(f'{self.config}: "asked" must be a group; start the run anew.')
        return value

    def _read_record(self) -> dict[str, Any]:
        if not self.path.is_dir():
            raise CgcError(f"The run folder {self.path} does not exist; train first.")
        if not self.config.is_file():
            raise CgcError(
                f"{self.path} is not a run folder: config.json is missing; name a folder that "
                "`train` wrote."
            )
        value = read_json(self.config)
        if not isinstance(value, dict) or not isinstance(value.get("dataset"), str):
            raise CgcError(f"{self.config} does not name its dataset; start the run anew.")
        if "\0" in value["dataset"]:
            raise CgcError(f"{self.config} names a dataset that no folder can be; correct it.")
        return value

    def check(self) -> None:
        """Check that this run is still there, before anything is saved for it.

        Raises:
            CgcError: it was deleted or moved; saving would make half a run in its old place.
        """
        if not self.config.is_file():
            raise CgcError(
                f"{self.path} was deleted or moved while it was trained; start it anew, or go on "
                "with --resume where it is now."
            )

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add one line to metrics.jsonl; a kill leaves whole lines and at most one torn one."""
        self._append(self.metrics, json.dumps(record) + "\n")

    def rewind_metrics(self, step: int) -> None:
        """Drop the lines after `step` and any damaged one: a resumed run writes them again."""
        kept: list[str] = []
        if self.metrics.is_file():
            for line in self.metrics.read_bytes().splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line.decode() + "\n")
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue
        write_text(self.metrics, "".join(kept))

    def note(self, sentence: str) -> None:
        """Add one dated line to log.txt."""
        self._append(self.log, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {sentence}\n")

    def _append(self, path: Path, text: str) -> None:
        try:
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            raise CgcError(
                f"{path} could not be written: {error.strerror or error}; check free space and "
                "whether the run folder was moved, then continue with --resume."
            ) from error
