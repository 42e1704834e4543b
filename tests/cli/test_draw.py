# SPDX-License-Identifier: GPL-3.0-or-later
"""`draw` answers with files, or says why not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cgc_addon.cli import main
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.results.frame_request import FramePart, FrameRequest, write_frame_request


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a request, of the ground alone or of some parts."""

    def write(*parts: FramePart):
        camera = PinholeCamera(8, 6, 10.0, 10.0, 4.0, 3.0)
        request = FrameRequest(
            parts=parts,
            view=View("frame.png", camera, np.eye(4)),
            passes=("combined", "depth"),
            output=tmp_path / "answer",
            to_world=np.eye(4),
            to_scene=np.eye(3),
            background=(0.5, 0.25, 0.0),
            backend="cpu",
        )
        write_frame_request(tmp_path / "request.json", request)
        return str(tmp_path / "request.json")

    return write


def test_the_answer_names_the_file_of_each_pass(write, tmp_path, capsys) -> None:
    assert main(["draw", write(), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    expected = {name: str(tmp_path / "answer" / f"{name}.npy") for name in ("combined", "depth")}
    assert result["files"] == expected
    picture = np.load(result["files"]["combined"])
    assert picture.shape == (6, 8, 4)
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture[2, 3], (0.5, 0.25, 0.0, 1.0), rtol=1e-5)
    assert np.load(result["files"]["depth"]).shape == (6, 8, 1)


def test_what_is_missing_is_named(write, tmp_path, capsys) -> None:
    lost = FramePart(tmp_path / "lost.npz", np.eye(4), "chair", None)
    assert main(["draw", write(lost)]) == 1
    assert "lost.npz is missing" in " ".join(capsys.readouterr().err.split())
    assert main(["draw", str(tmp_path / "none.json")]) == 1


def test_too_little_memory_is_said_in_words_of_rendering(write, monkeypatch, capsys) -> None:
    def fail(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cgc_addon.results.frames.draw_frame", fail)
    assert main(["draw", write()]) == 1
    assert "render a smaller picture" in " ".join(capsys.readouterr().err.split())
