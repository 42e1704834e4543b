# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of a splat that is known to be right, and of the same splat made wrong in one way."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cgc.clusters.cluster_file import write_clusters
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.results.evaluation import evaluate
from cgc_addon.results.renders import draw
from tests.colmap_text import write_colmap_text


def with_segments(gaussians, mapping):
    """Return the splat with other ids: entry k of `mapping` for id k."""
    return replace(gaussians, segments=np.array(mapping, np.int32)[gaussians.segments])


def test_the_true_splat_has_full_marks(true_splat, write_run, tiny_dataset, backend):
    found = evaluate(write_run(true_splat), tiny_dataset, backend)
    assert found.held_out
    assert [view.name for view in found.views] == ["0000.png", "0004.png", "0008.png"]
    assert found.gaussians == len(true_splat)
    assert found.psnr > 50  # photos have eight bits
    assert found.ssim > 0.999
    assert found.segmentation is not None
    assert found.segmentation.mean_iou > 0.999
    assert found.segmentation.mean_boundary_iou > 0.999
    assert found.segmentation.rand_index > 0.999
    assert found.ceiling is not None
    assert found.ceiling.mean_iou > 0.97  # the votes may miss a Gaussian that hardly shows


def test_ids_need_not_be_those_of_the_ground_truth(true_splat, write_run, tiny_dataset, backend):
    other = with_segments(true_splat, [0, 3, 1, 4, 2])
    found = evaluate(write_run(other), tiny_dataset, backend)
    assert found.segmentation is not None
    assert found.segmentation.mean_iou > 0.999


def test_two_objects_in_one_segment_cost_what_they_should(
    true_splat, write_run, tiny_dataset, backend
):
    """Balls of like size seen from all around: in each other's segment, either has about a half."""
    merged = with_segments(true_splat, [0, 1, 1, 3, 4])
    merged = with_segments(merged, [0, 1, 0, 2, 3])  # ids without gaps
    found = evaluate(write_run(merged), tiny_dataset, backend)
    assert found.segmentation is not None
    assert found.segmentation.mean_iou == pytest.approx((0.5 + 0.5 + 1 + 1) / 4, abs=0.08)
    assert found.ceiling is not None
    assert found.ceiling.mean_iou > 0.97


def test_looks_are_those_of_the_pixels(true_splat, write_run, tiny_dataset, backend):
    """PSNR by its definition, on photos and on what is drawn of a splat of another brightness."""
    brighter = replace(true_splat, sh=true_splat.sh + np.float32(0.3))
    found = evaluate(write_run(brighter), tiny_dataset, backend)
    dataset = load_dataset(tiny_dataset, test_every=4)
    views = [dataset.scene.views[index] for index in dataset.test]
    for view, drawn, score in zip(
        views, draw(brighter, views, ("rgb",), backend), found.views, strict=True
    ):
        with Image.open(tiny_dataset / "images" / view.name) as image:
            photo = np.asarray(image, np.float64) / 255
        assert drawn.rgb is not None
        error = np.mean((np.clip(drawn.rgb, 0, 1) - photo) ** 2)
        assert score.psnr == pytest.approx(-10 * np.log10(error), abs=1e-3)
    assert found.psnr == pytest.approx(np.mean([view.psnr for view in found.views]))
    assert found.psnr < 25
    assert found.ssim < 0.999


def test_all_views_are_scored_where_none_was_held_out(true_splat, write_run, tiny_dataset, backend):
    found = evaluate(write_run(true_splat, test_every=None), tiny_dataset, backend)
    assert not found.held_out
    assert len(found.views) == 12
    assert "12 training views" in found.table()


def test_a_view_that_the_capture_names_as_outlying_is_said_and_still_counted(
    true_splat, write_run, tiny_dataset, backend, tmp_path
):
    folder = tmp_path / "one camera far away"
    shutil.copytree(tiny_dataset, folder)
    scene = load_dataset(tiny_dataset).scene
    views = list(scene.views)
    pose = views[4].world_to_camera.copy()
    pose[:3, 3] += [0.0, 0.0, 500.0]
    views[4] = replace(views[4], world_to_camera=pose)
    write_colmap_text(folder / "sparse" / "0", replace(scene, views=tuple(views)))
    found = evaluate(write_run(true_splat), folder, backend)
    assert found.outlying == ("0004.png",)
    assert found.psnr == pytest.approx(np.mean([view.psnr for view in found.views]))
    psnr = np.mean([view.psnr for view in found.views if view.name != "0004.png"])
    assert psnr > found.psnr + 5
    (line,) = (line for line in found.table().splitlines() if "0004.png" in line)
    assert "far away from all other cameras" in line
    assert f"without, the mean is {psnr:.2f} dB" in line
    assert found.to_json()["outlying"] == ["0004.png"]


def test_nothing_is_said_where_no_view_is_outlying(true_splat, write_run, tiny_dataset, backend):
    found = evaluate(write_run(true_splat), tiny_dataset, backend)
    assert found.outlying == ()
    assert found.note() == ""
    assert "far away" not in found.table()


def test_without_segments_there_is_only_the_ceiling(true_splat, write_run, tiny_dataset, backend):
    found = evaluate(write_run(replace(true_splat, segments=None)), tiny_dataset, backend)
    assert found.segmentation is None
    assert found.ceiling is not None


def test_without_ground_truth_there_are_only_looks(
    true_splat, write_run, tiny_dataset, backend, tmp_path
):
    plain = tmp_path / "plain"
    shutil.copytree(tiny_dataset, plain)
    shutil.rmtree(plain / "gt")
    found = evaluate(write_run(true_splat), plain, backend)
    assert found.segmentation is None
    assert found.ceiling is None
    assert found.psnr > 50


def test_ground_truth_of_held_out_views_alone_is_refused(
    true_splat, write_run, tiny_dataset, backend, tmp_path
):
    held_out_alone = tmp_path / "held out alone"
    shutil.copytree(tiny_dataset, held_out_alone)
    for path in (held_out_alone / "gt").iterdir():
        if path.name not in ("0000.png", "0004.png", "0008.png"):
            path.unlink()
    with pytest.raises(CgcError, match="gt has no ground truth for any training view"):
        evaluate(write_run(true_splat), held_out_alone, backend)


def test_the_file_holds_what_is_returned(true_splat, write_run, tiny_dataset, backend):
    folder = write_run(true_splat)
    found = evaluate(folder, tiny_dataset, backend)
    written = json.loads(folder.evaluation.read_text())
    assert written == json.loads(json.dumps(found.to_json()))
    assert written["segmentation"]["mean_iou"] == found.segmentation.mean_iou
    table = found.table()
    assert f"PSNR {found.psnr:6.2f} dB" in table
    assert "exact ids" in table


def test_it_can_be_stopped_and_writes_nothing_then(true_splat, write_run, tiny_dataset, backend):
    folder = write_run(true_splat)
    with pytest.raises(Interrupted):
        evaluate(folder, tiny_dataset, backend, should_stop=lambda: True)
    assert not folder.evaluation.exists()


def test_a_run_with_clusters_tells_what_its_tree_holds(
    true_splat, write_run, tiny_dataset, backend
):
    """Two balls in one segment of the cut are two nodes of the tree."""
    merged = with_segments(true_splat, [0, 1, 1, 2, 3])
    folder = write_run(merged)
    tree = MergeTree(4, np.array([[1, 2], [3, 4]], np.int32), np.array([0.5, 0.1], np.float32))
    write_clusters(folder.clusters, true_splat.segments, tree)
    found = evaluate(folder, tiny_dataset, backend)
    assert found.segmentation is not None
    assert found.tree is not None
    assert found.segmentation.mean_iou < 0.85
    assert found.tree.mean_iou == pytest.approx(found.segmentation.mean_iou, abs=0.01)
    assert found.tree.mean_node_iou > 0.999
    assert found.tree.best_granularity < 0.25
    assert "granularity" in found.table()


def test_clusters_of_another_splat_are_not_scored(true_splat, write_run, tiny_dataset, backend):
    folder = write_run(true_splat)
    nothing = MergeTree(1, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))
    write_clusters(folder.clusters, np.zeros(len(true_splat) + 1, np.int32), nothing)
    assert evaluate(folder, tiny_dataset, backend).tree is None
