# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker that draws frames: kept while it is of use, ended when not, cancelled at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine import render_worker as module
from cgc_addon.blender.render_engine.handover import Handover
from cgc_addon.blender.render_engine.render_worker import RenderWorker, render_worker
from cgc_addon.blender.splats.objects import data_of
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.results.frame_request import COMBINED, FrameRequest
from cgc_addon.splats.gaussian_file import read_gaussians


def silent(_stage: str, _share: float) -> None:
    pass


def request(worker: RenderWorker) -> FrameRequest:
    """Return a request for the ground alone."""
    camera = PinholeCamera(8, 6, 10.0, 10.0, 4.0, 3.0)
    return FrameRequest(
        parts=(),
        view=View("frame.png", camera, np.eye(4)),
        passes=(COMBINED,),
        output=worker.folder(),
        to_world=np.eye(4),
        to_scene=np.eye(3),
        background=(0.1, 0.2, 0.3),
        backend="cpu",
    )


@pytest.fixture
def worker() -> Iterator[RenderWorker]:
    made = RenderWorker()
    yield made
    made.close()


def draw(worker: RenderWorker) -> dict[str, Path]:
    return worker.draw(request(worker), lambda: False, silent)


def process_of(worker: RenderWorker) -> int | None:
    process = worker._worker
    return None if process is None or not process.alive else process.process_id


def test_one_process_draws_all_frames_and_reports(worker) -> None:
    stages: list[str] = []
    files = worker.draw(request(worker), lambda: False, lambda stage, _share: stages.append(stage))
    picture = np.load(files[COMBINED])
    np.testing.assert_allclose(picture[0, 0], (0.1, 0.2, 0.3, 1.0), rtol=1e-5)
    assert "Drawing splats" in stages
    first = process_of(worker)
    draw(worker)
    assert process_of(worker) == first is not None


def test_a_cancelled_frame_ends_within_a_second_whatever_the_worker_does(worker) -> None:
    draw(worker)
    os.kill(process_of(worker), signal.SIGSTOP)  # so does one that is deep in a kernel
    began = time.monotonic()
    with pytest.raises(Interrupted):
        worker.draw(request(worker), lambda: True, silent)
    assert time.monotonic() - began < 1.0
    assert draw(worker)


def test_a_worker_that_dies_is_told_and_the_next_frame_has_another(worker) -> None:
    draw(worker)
    first = process_of(worker)

    def kill() -> bool:
        os.kill(first, signal.SIGKILL)
        return False

    with pytest.raises(CgcError, match=r"ended unexpectedly .*SIGKILL"):
        worker.draw(request(worker), kill, silent)
    draw(worker)
    assert process_of(worker) != first


def test_a_worker_that_died_between_frames_is_replaced(worker) -> None:
    draw(worker)
    os.kill(process_of(worker), signal.SIGKILL)
    os.waitid(os.P_PID, process_of(worker), os.WEXITED | os.WNOWAIT)  # dead, and not known to be
    assert draw(worker)


def test_a_failed_frame_keeps_the_worker(worker) -> None:
    draw(worker)
    first = process_of(worker)
    broken = replace(request(worker), backend="none")
    with pytest.raises(CgcError, match="no backend 'none'"):
        worker.draw(broken, lambda: False, silent)
    draw(worker)
    assert process_of(worker) == first


def test_closing_ends_the_process_and_deletes_the_files(worker) -> None:
    draw(worker)
    process, folder = worker._worker, worker.folder()
    worker.close()
    assert not folder.exists()
    process._process._child.wait(5)
    assert draw(worker)


def test_closing_while_a_frame_is_drawn_is_said(worker) -> None:
    draw(worker)

    def close() -> bool:
        worker.close()
        return False

    with pytest.raises(CgcError, match="was closed"):
        worker.draw(request(worker), close, silent)


def test_another_interpreter_means_another_process(worker, monkeypatch) -> None:
    draw(worker)
    first = process_of(worker)
    monkeypatch.setenv("CGC_TEST_OTHER_ENVIRONMENT", "1")
    draw(worker)
    assert process_of(worker) != first


def test_an_idle_worker_is_let_go(worker, monkeypatch) -> None:
    draw(worker)
    worker.close_if_idle()
    assert process_of(worker) is not None
    monkeypatch.setattr(module, "IDLE_SECONDS", -1.0)
    worker.close_if_idle()
    assert process_of(worker) is None


def test_another_file_ends_the_worker(scene, ball) -> None:
    ball()
    bpy.ops.render.render()
    assert process_of(render_worker()) is not None
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert process_of(render_worker()) is None


def test_gaussians_are_handed_over_once_and_anew_when_they_change(scene, ball) -> None:
    item = ball()
    bpy.ops.render.render()
    folder = render_worker().folder()
    (first,) = folder.glob("*.npz")
    when = first.stat().st_mtime_ns
    item.location.x = 1.0
    bpy.ops.render.render()
    assert [path.stat().st_mtime_ns for path in folder.glob("*.npz")] == [when]
    data_of(item).attributes["scale"].data[0].vector = (1.0, 2.0, 3.0)
    data_of(item).update_tag()
    bpy.ops.render.render()
    (second,) = set(folder.glob("*.npz")) - {first}
    scales = np.exp(read_gaussians(second).gaussians.log_scales)
    np.testing.assert_allclose(scales, [[1.0, 2.0, 3.0]], rtol=1e-6)


def test_old_files_make_room(scene, ball, tmp_path) -> None:
    clouds = [data_of(ball(str(number), (0.1 * number, 0.5, 0.5))) for number in range(4)]
    handover = Handover(tmp_path, most_bytes=130)
    files = [handover.write(cloud) for cloud in clouds]
    handover.forget_others({files[0]})
    assert [path.is_file() for path in files] == [True, False, False, True]
    assert handover.write(clouds[1]).is_file()
