# SPDX-License-Identifier: GPL-3.0-or-later
"""The views of a run, looked at by a mask model where somebody points at something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.asked.asking import Asking
from ..dataset.load import Dataset, load_dataset
from ..dataset.scene import View
from ..errors import CgcError
from ..masks.models.interface import MaskModel, Prompt
from ..progress import Reporter, ShouldStop, never, silent
from ..rasterize.interface import Backend, SplatTensors
from ..splats.gaussians import Gaussians
from ..training.parameters import splat_of
from ..training.run_folder import RunFolder
from .boxes import NamedThing
from .changes import Place
from .pick import view_named


class RunViews:
    """Opens photos, backend and mask model of a run when they are first needed."""

    def __init__(
        self,
        folder: RunFolder,
        gaussians: Gaussians,
        open_model: Callable[[], MaskModel],
        open_backend: Callable[[], Backend],
        *,
        report: Reporter = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        """Begin; nothing is opened yet.

        Args:
            folder: the run.
            gaussians: of it.
            open_model: called where the mask model is to be asked.
            open_backend: called where something must be looked at.
            report: progress.
            should_stop: asked between views.
        """
        self._folder, self._gaussians = folder, gaussians
        self._open_model, self._open_backend = open_model, open_backend
        self._report, self._should_stop = report, should_stop

    @cached_property
    def _dataset(self) -> Dataset:
        dataset, config = self._folder.read_config()
        return load_dataset(dataset, max_size=config.max_size, origin=self._folder.read_origin())

    @cached_property
    def _backend(self) -> Backend:
        return self._open_backend()

    @cached_property
    def _splat(self) -> SplatTensors:
        return splat_of(self._gaussians, self._backend.device)

    @cached_property
    def _asking(self) -> Asking:
        views, model = self._dataset.scene.views, self._open_model()
        photo = self._dataset.store.photo
        return Asking(
            self._gaussians, self._splat, views, photo, model, self._backend, self._should_stop
        )

    def weights_at(self, place: Place) -> NDArray[np.float32]:
        """Return by how much each Gaussian (N,) makes up what is seen at a place.

        Raises:
            CgcError: there is no such view, or the place is outside of it.
        """
        view = self._dataset.scene.views[self._index(place)]
        return self._weights(view, int(place.x), int(place.y))

    def ask_at(self, places: Sequence[Place], beside: Sequence[Place] = ()) -> NDArray[np.bool_]:
        """Return the Gaussians (N,) of the thing at some places, as the mask model sees it.

        Args:
            places: on the thing, one at least.
            beside: not on it.

        Raises:
            CgcError: there is no such view, a place is outside of it, or nothing is found.
            Interrupted: `should_stop` said so.
        """
        by_view: dict[int, list[tuple[Place, bool]]] = {}
        for given, positive in ((places, True), (beside, False)):
            for place in given:
                by_view.setdefault(self._index(place), []).append((place, positive))
        return self._asking.find(
            {
                index: Prompt(
                    np.array([(place.x, place.y) for place, _ in given], np.float32),
                    np.array([positive for _, positive in given]),
                )
                for index, given in by_view.items()
            },
            self._report,
        )

    def ask_for(self, thing: NamedThing, file: Path) -> NDArray[np.bool_]:
        """Return the Gaussians (N,) of what a detector has found.

        Args:
            thing: where it was found, in pixels of the photos.
            file: what errors name.

        Raises:
            CgcError: a photo is not of this run, or nothing is found.
            Interrupted: `should_stop` said so.
        """
        prompts: dict[int, Prompt] = {}
        for shown in thing.shown:
            try:
                index = self._index_of(shown.photo)
            except CgcError as error:
                raise CgcError(f"{file}, {thing.name}: {error}") from error
            store, box = self._dataset.store, None
            points = store.in_view(index, np.array(shown.points, np.float64).reshape(-1, 2))
            if shown.box is not None:
                left, top, right, bottom = shown.box
                corners = np.array([(x, y) for x in (left, right) for y in (top, bottom)])
                there = store.in_view(index, corners)
                box = np.concatenate([there.min(axis=0), there.max(axis=0)])
            prompts[index] = self._inside(
                f"{file}, {thing.name}", index, points, shown.positive, box
            )
        return self._asking.find(prompts, self._report)

    def place_of(self, gaussian: int) -> Place:
        """Return where a Gaussian is seen best.

        Raises:
            CgcError: there is no such Gaussian, or no photo shows it.
        """
        if not 0 <= gaussian < len(self._gaussians):
            raise CgcError(
                f"There is no Gaussian {gaussian}; this splat has {len(self._gaussians):,}."
            )
        mean, best, place = self._gaussians.means[gaussian], 0.0, None
        for view in self._dataset.scene.views:
            camera, pose = view.camera, view.world_to_camera
            x, y, z = pose[:3, :3] @ mean + pose[:3, 3]
            if z <= 0:
                continue
            column, row = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
            if not (0 <= column < camera.width and 0 <= row < camera.height):
                continue
            weight = float(self._weights(view, int(column), int(row))[gaussian])
            if weight > best:
                best, place = weight, Place(float(column), float(row), view.name)
        if place is None:
            raise CgcError("No photo shows what is there; point at something that the photos show.")
        return place

    def _weights(self, view: View, column: int, row: int) -> NDArray[np.float32]:
        import torch

        pixel = torch.tensor([row * view.camera.width + column], device=self._backend.device)
        blending = self._backend.blending_weights(self._splat, view, pixel)
        return blending.scatter(np.ones((1, 1), np.float32))[:, 0]

    def _index_of(self, name: str) -> int:
        views = self._dataset.scene.views
        view = view_named(views, name)
        return next(index for index, one in enumerate(views) if one is view)

    def _index(self, place: Place) -> int:
        index = self._index_of(place.view)
        camera = self._dataset.scene.views[index].camera
        if not (0 <= place.x < camera.width and 0 <= place.y < camera.height):
            raise CgcError(
                f"{place} is outside the view of {camera.width}×{camera.height} pixels; "
                "point inside it."
            )
        return index

    def _inside(
        self,
        where: str,
        index: int,
        points: NDArray[np.float64],
        positive: Sequence[bool],
        box: NDArray[np.float64] | None,
    ) -> Prompt:
        """Return a prompt, cut to what the view shows of the photo."""
        view = self._dataset.scene.views[index]
        limits = np.array([view.camera.width, view.camera.height], np.float64)
        inside = ((points >= 0) & (points < limits)).all(axis=1)
        if box is not None:
            box = np.clip(box, 0, np.tile(limits, 2))
            if not (np.isfinite(box).all() and box[0] < box[2] and box[1] < box[3]):
                box = None
        if box is None and not (inside & np.array(positive, bool)).any():
            raise CgcError(f"{where}: what was found in {view.name} is outside of it.")
        return Prompt(
            points[inside].astype(np.float32),
            np.array(positive, bool)[inside],
            None if box is None else box.astype(np.float32),
        )
