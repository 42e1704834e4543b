# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a run as a person wants them: joined, split, and asked for of a mask model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..cgc.corrections.records import Correction
from ..cgc.corrections.session import Correcting
from ..cgc.segments import Segments
from ..errors import CgcError
from ..training.recutting import ClusteredRun
from .boxes import read_boxes
from .changes import Add, Change, Join, Split
from .run_views import RunViews


class RunCorrector:
    """Carries out changes on a run, one after the other; nothing is written."""

    def __init__(
        self,
        run: ClusteredRun,
        segments: Segments,
        views: RunViews,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Begin.

        Args:
            run: what is in it.
            segments: what its objects are called.
            views: of the run.
            say: takes sentences that the user should read.
        """
        labels = run.gaussians.segments
        assert labels is not None
        self._views = views
        self._session = Correcting(
            run.gaussians.means,
            run.clusters.found,
            run.clusters.found_tree,
            labels,
            segments,
            run.corrections,
            say,
        )

    @property
    def corrections(self) -> list[Correction]:
        """All of them, with those made here."""
        return self._session.corrections

    def make(self, change: Change) -> None:
        """Carry out one change.

        Raises:
            CgcError: it cannot be done.
            Interrupted: that was wished for.
        """
        if isinstance(change, Join):
            self._session.join(change.first, change.second)
        elif isinstance(change, Split):
            self._split(change)
        elif isinstance(change, Add):
            found = self._views.ask_at((change.place, *change.further), change.beside)
            self._session.add(found, f"add {change.place}", change.name)
        else:
            for thing in read_boxes(change.file):
                found = self._views.ask_for(thing, change.file)
                self._session.add(found, f"boxes of {thing.name}", thing.name)

    def _split(self, change: Split) -> None:
        place = change.place
        own = self._session.members(change.identifier)  # before anything takes long
        weights = self._views.weights_at(place)
        if weights[own].sum() <= 0.1 * weights.sum():
            raise CgcError(
                f"Object {change.identifier} is not what is seen at {place}; {self._seen(weights)}."
            )
        part = self._session.part(change.identifier, weights)
        if part is None:
            part = own & self._views.ask_at([place])
        self._session.split(change.identifier, part, str(place))

    def _seen(self, weights: NDArray[np.floating]) -> str:
        shown = np.bincount(self._session.labels, weights)
        best = int(shown.argmax())
        return f"there is object {best}" if best and shown[best] > 0 else "there is no object"
