# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the docstrings run, and what readers look up first has one."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cgc_addon"
EXPLAINED = {
    "dataset": (
        *("PinholeCamera", "View", "scene_extent", "scene_up", "split", "read_cameras_json"),
        *("read_label_map", "area_average", "nearest", "fitted_size", "ColmapCamera"),
        *("approximate_pinhole", "is_pinhole", "stem_of", "checked_name", "project", "view_counts"),
    ),
    "splats": (
        *("Gaussians", "gaussians_from_points", "neighbour_distances", "read_ply", "subset"),
        *("of_segments", "with_sh_degree", "concatenate", "transform", "multiply", "matrices"),
        *("quaternions", "basis", "rotate", "mean_colors"),
    ),
    "rasterize": (
        *("backend_names", "backend_choices", "select_backend", "BlendingMatrix"),
        *("blend_features", "photometric_loss", "ssim", "project", "render"),
    ),
    "cgc": (
        *("contrastive_loss", "similarity_terms", "spatial_loss", "cluster_features", "assign"),
        *("MergeTree.cut", "merge_threshold", "ordered_by_size", "intersection_over_union"),
        *("boundary_iou", "score_segmentation", "peak_signal_to_noise", "describe_segments"),
    ),
}
"""Functions and classes that need an example, whichever file of their package they stand in."""


def _examples(package: str) -> dict[str, doctest.DocTest]:
    """Return the examples of a package by `module:function`."""
    found: dict[str, doctest.DocTest] = {}
    for path in sorted((PACKAGE / package).rglob("*.py")):
        if ">>> " not in path.read_text("utf-8"):
            continue
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
            if test.examples:
                found[f"{name}:{test.name.removeprefix(name).lstrip('.')}"] = test
    return found


EXAMPLES = {package: _examples(package) for package in EXPLAINED}


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(test, id=name.removeprefix("cgc_addon."))
        for tests in EXAMPLES.values()
        for name, test in tests.items()
    ],
)
def test_the_example_gives_what_it_says(example):
    report: list[str] = []
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    doctest.DocTestRunner(optionflags=flags).run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("package", EXPLAINED)
def test_what_readers_look_up_first_has_an_example(package):
    explained = {name.partition(":")[2] for name in EXAMPLES[package]}
    assert set(EXPLAINED[package]) - explained == set()


def test_a_wrong_example_is_noticed():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(AssertionError, match=r"Expected:\s+3\s+Got:\s+2"):
        test_the_example_gives_what_it_says(wrong)
