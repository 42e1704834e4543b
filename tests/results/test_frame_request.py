# SPDX-License-Identifier: GPL-3.0-or-later
"""A request is read as it was written, and what is none is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError
from cgc_addon.results.frame_request import (
    PASSES,
    FramePart,
    FrameRequest,
    read_frame_request,
    write_frame_request,
)


def a_request(background: tuple[float, float, float] | None = (0.1, 0.2, 0.3)) -> FrameRequest:
    random = np.random.default_rng(0)
    return FrameRequest(
        parts=(
            FramePart(Path("/a/b.npz"), random.normal(size=(4, 4)), 'a "chair"', 7),
            FramePart(Path("/a/c.npz"), np.eye(4) / 3, "ä", None, holdout=True),
        ),
        view=View("any", PinholeCamera(64, 48, 50.1, 51.2, 31.3, 24.4), random.normal(size=(4, 4))),
        passes=PASSES,
        output=Path("/out"),
        to_world=random.normal(size=(4, 4)),
        to_scene=random.normal(size=(3, 3)),
        background=background,
        ranks=4,
        backend="cpu",
    )


@pytest.mark.parametrize("background", [None, (0.1, 0.2, 1 / 3)])
def test_every_number_comes_back(tmp_path, background) -> None:
    written = a_request(background)
    write_frame_request(tmp_path / "request.json", written)
    read = read_frame_request(tmp_path / "request.json")
    for name in ("passes", "output", "background", "ranks", "backend"):
        assert getattr(read, name) == getattr(written, name)
    for name in ("to_world", "to_scene"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert read.view.camera == written.view.camera
    np.testing.assert_array_equal(read.view.world_to_camera, written.view.world_to_camera)
    for after, before in zip(read.parts, written.parts, strict=True):
        np.testing.assert_array_equal(after.matrix, before.matrix)
        assert (after.file, after.name, after.index, after.holdout) == (
            before.file,
            before.name,
            before.index,
            before.holdout,
        )


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("version", 2, "no request of version 1"),
        ("parts", 5, "is damaged"),
        ("parts", [{}], "is damaged"),
        ("to_world", [[1, 2]], "not 4 × 4"),
        ("to_world", [["x"] * 4] * 4, "is damaged"),
        ("passes", ["combined", "smell"], "no pass smell"),
        ("camera", {"width": 0, "height": 1, "fx": 1, "fy": 1, "cx": 1, "cy": 1}, "no pixels"),
        ("background", [1.0], "is damaged"),
    ],
)
def test_what_is_no_request_is_refused(tmp_path, key, value, reason) -> None:
    path = tmp_path / "request.json"
    write_frame_request(path, a_request())
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {key: value}), "utf-8")
    with pytest.raises(CgcError, match=reason) as failure:
        read_frame_request(path)
    assert str(path) in str(failure.value)
