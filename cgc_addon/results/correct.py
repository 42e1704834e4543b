# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a run as a person wants them: joined, split, and asked for of a mask model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.asked.asking import Asking
from ..cgc.corrections.records import Correction
from ..cgc.corrections.session import Correcting
from ..cgc.segments import read_segments
from ..dataset.load import Dataset, load_dataset
from ..dataset.scene import View
from ..errors import CgcError
from ..masks.models.interface import MaskModel, Prompt
from ..progress import Reporter, ShouldStop, never, silent
from ..rasterize.interface import Backend, SplatTensors
from ..training.parameters import splat_of
from ..training.run_folder import RunFolder
from ..training.segmentation import ClusteredRun
from .boxes import NamedThing, read_boxes
from .changes import Add, AddBoxes, Change, Join, Place, Split
from .pick import view_named


class RunCorrector:
    """Carries out changes on a run, one after the other; nothing is written."""

    def __init__(
        self,
        folder: RunFolder,
        run: ClusteredRun,
        open_model: Callable[[], MaskModel],
        open_backend: Callable[[], Backend],
        *,
        report: Reporter = silent,
        say: Callable[[str], None] = lambda _sentence: None,
        should_stop: ShouldStop = never,
    ) -> None:
        """Begin.

        Args:
            folder: the run.
            run: what is in it.
            open_model: called where the mask model is to be asked.
            open_backend: called where something must be looked at.
            report: progress.
            say: takes sentences that the user should read.
            should_stop: asked between views.
        """
        labels = run.gaussians.segments
        assert labels is not None
        self._folder, self._run = folder, run
        self._open_model, self._open_backend = open_model, open_backend
        self._report, self._say, self._should_stop = report, say, should_stop
        self._session = Correcting(
            run.gaussians.means,
            run.clusters.found,
            run.clusters.found_tree,
            labels,
            read_segments(folder.segments),
            run.corrections,
            say,
        )
        self._scene: _Scene | None = None
        self._asking: Asking | None = None

    @property
    def corrections(self) -> list[Correction]:
        """All of them, with those made here."""
        return self._session.corrections

    def make(self, change: Change) -> None:
        """Carry out one change.

        Raises:
            CgcError: it cannot be done.
            Interrupted: `should_stop` said so.
        """
        if isinstance(change, Join):
            self._session.join(change.first, change.second)
        elif isinstance(change, Split):
            self._split(change)
        elif isinstance(change, Add):
            self._add(change)
        else:
            self._add_boxes(change)

    def _split(self, change: Split) -> None:
        place = change.place
        self._session.members(change.identifier)  # before anything takes long
        scene = self._look()
        weights = scene.weights_at(scene.view(place.view), place)
        own = self._session.members(change.identifier)
        if weights[own].sum() <= 0.1 * weights.sum():
            raise CgcError(
                f"Object {change.identifier} is not what is seen at {place}; {self._seen(weights)}."
            )
        part = self._session.part(change.identifier, weights)
        if part is None:
            part = own & self._ask({place.view: [(place, True)]})
        self._session.split(change.identifier, part, str(place))

    def _seen(self, weights: NDArray[np.floating]) -> str:
        shown = np.bincount(self._session.labels, weights)
        best = int(shown.argmax())
        return f"there is object {best}" if best and shown[best] > 0 else "there is no object"

    def _add(self, change: Add) -> None:
        places = [(one, True) for one in (change.place, *change.further)]
        places += [(one, False) for one in change.beside]
        by_view: dict[str, list[tuple[Place, bool]]] = {}
        for place, positive in places:
            by_view.setdefault(place.view, []).append((place, positive))
        found = self._ask(by_view)
        self._session.add(found, f"add {change.place}", change.name)

    def _ask(self, places: dict[str, list[tuple[Place, bool]]]) -> NDArray[np.bool_]:
        scene = self._look()
        prompts = {}
        for name, given in places.items():
            view = scene.view(name)
            for place, _ in given:
                scene.check_inside(view, place)
            prompts[scene.index(view)] = Prompt(
                np.array([(place.x, place.y) for place, _ in given], np.float32),
                np.array([positive for _, positive in given]),
            )
        return self._ask_about(prompts)

    def _ask_about(self, prompts: dict[int, Prompt]) -> NDArray[np.bool_]:
        scene = self._look()
        if self._asking is None:
            self._asking = Asking(
                self._run.gaussians,
                scene.splat,
                scene.dataset.scene.views,
                scene.dataset.store.photo,
                self._open_model(),
                scene.backend,
                self._should_stop,
            )
        return self._asking.find(prompts, self._report)

    def _add_boxes(self, change: AddBoxes) -> None:
        for thing in read_boxes(change.file):
            found = self._ask_about(self._prompts(thing, change.file))
            self._session.add(found, f"boxes of {thing.name}", thing.name)

    def _prompts(self, thing: NamedThing, file: Path) -> dict[int, Prompt]:
        """Return what to ask in which views, in pixels of the views."""
        scene = self._look()
        prompts = {}
        for shown in thing.shown:
            try:
                view = scene.view(shown.photo)
            except CgcError as error:
                raise CgcError(f"{file}, {thing.name}: {error}") from error
            index, store = scene.index(view), scene.dataset.store
            points = store.in_view(index, np.array(shown.points, np.float64).reshape(-1, 2))
            box = None
            if shown.box is not None:
                left, top, right, bottom = shown.box
                corners = np.array([(x, y) for x in (left, right) for y in (top, bottom)])
                there = store.in_view(index, corners)
                box = np.concatenate([there.min(axis=0), there.max(axis=0)]).astype(np.float32)
            prompts[index] = Prompt(
                points.astype(np.float32), np.array(shown.positive, np.bool_), box
            )
        return prompts

    def _look(self) -> _Scene:
        if self._scene is None:
            dataset, config = self._folder.read_config()
            loaded = load_dataset(
                dataset, max_size=config.max_size, origin=self._folder.read_origin()
            )
            backend = self._open_backend()
            gaussians = replace(self._run.gaussians, features=None)
            self._scene = _Scene(loaded, backend, splat_of(gaussians, backend.device))
        return self._scene


@dataclass(frozen=True, eq=False)
class _Scene:
    """What is needed to look at a run."""

    dataset: Dataset
    backend: Backend
    splat: SplatTensors

    def view(self, name: str) -> View:
        return view_named(self.dataset.scene.views, name)

    def index(self, view: View) -> int:
        return next(i for i, one in enumerate(self.dataset.scene.views) if one is view)

    def check_inside(self, view: View, place: Place) -> None:
        camera = view.camera
        if not (0 <= place.x < camera.width and 0 <= place.y < camera.height):
            raise CgcError(
                f"{place} is outside the view of {camera.width}×{camera.height} pixels; "
                "point inside it."
            )

    def weights_at(self, view: View, place: Place) -> NDArray[np.float32]:
        """Return by how much each Gaussian (N,) makes up what is seen at a place."""
        import torch

        self.check_inside(view, place)
        pixel = int(place.y) * view.camera.width + int(place.x)
        pixels = torch.tensor([pixel], device=self.backend.device)
        blending = self.backend.blending_weights(self.splat, view, pixels)
        return blending.scatter(np.ones((1, 1), np.float32))[:, 0]
