# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person points at in a view: the segments there, or all Gaussians that look like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..cgc.prompts import DEFAULT_COSINE, prompt_feature, segment_at, select_by_feature
from ..dataset.scene import View
from ..errors import CgcError
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .renders import draw

By = Literal["segment", "feature"]


@dataclass(frozen=True, eq=False)
class Picked:
    """What was pointed at."""

    segments: tuple[int, ...]
    """Ids of the segments there, each once, in the order they were pointed at; empty by feature."""
    selected: NDArray[np.bool_]
    """(N,) which Gaussians of the splat that means."""


def pick(
    gaussians: Gaussians,
    view: View,
    places: Sequence[tuple[float, float]],
    backend: Backend,
    *,
    by: By = "segment",
    minimum_cosine: float = DEFAULT_COSINE,
) -> Picked:
    """Return what is at some places of a view.

    Args:
        gaussians: N Gaussians, with segments or, to pick by feature, with features.
        view: to look from.
        places: (x, y) pixels from the upper left corner of the view, at the view's size.
        backend: rasterizer.
        by: "segment": the segments that are seen there. "feature": all Gaussians whose features
            point the same way as those that are seen at any of the places, whatever segment they
            are in, as the paper selects what a prompt asks for (arXiv 2404.12784).
        minimum_cosine: −1..1, by feature: how much the same way.

    Raises:
        CgcError: a place is outside the view, nothing is seen there, or the splat lacks what is
            asked for.
    """
    if by == "segment":
        drawn = next(draw(gaussians, (view,), ("labels",), backend)).labels
        assert drawn is not None
        assert gaussians.segments is not None
        found = [_seen(segment_at(drawn, x, y), view, x, y) for x, y in places]
        segments = tuple(dict.fromkeys(found))
        return Picked(segments, np.isin(gaussians.segments, segments))
    drawn = next(draw(gaussians, (view,), ("features",), backend)).features
    assert drawn is not None
    assert gaussians.features is not None
    prompts = [prompt_feature(drawn, x, y) for x, y in places]
    for prompt, (x, y) in zip(prompts, places, strict=True):
        _seen(int(prompt.any()), view, x, y)
    return Picked((), select_by_feature(gaussians.features, np.stack(prompts), minimum_cosine))


def view_named(views: Sequence[View], name: str) -> View:
    """Return the view of a photo, by its name with or without ending.

    Raises:
        CgcError: there is none.
    """
    for view in views:
        if name in (view.name, view.stem):
            return view
    near = get_close_matches(name, [view.name for view in views], n=1, cutoff=0.0)
    hint = f"; one is {near[0]}" if near else ""
    raise CgcError(f"There is no view {name} among the {len(views)} of these cameras{hint}.")


def _seen(what: int, view: View, x: float, y: float) -> int:
    if not what:
        raise CgcError(
            f"Nothing that belongs to a segment is seen at ({x:g}, {y:g}) of {view.name}; "
            "point at the middle of a thing, or ask the mask model with --by mask."
        )
    return what
