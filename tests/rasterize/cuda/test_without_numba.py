# SPDX-License-Identifier: GPL-3.0-or-later
"""A CUDA run needs no Numba: on emulated gsplat it trains, segments and is scored without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import importlib.abc, importlib.metadata, json, sys
from dataclasses import replace
from pathlib import Path

class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numba", "llvmlite"):
            raise ModuleNotFoundError(f"{name} is behind the wall", name=name)

def version(name, real=importlib.metadata.version):
    if name == "numba":
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)

dataset, run, preset, choice = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
if choice != "cpu":
    sys.meta_path.insert(0, Wall())
    importlib.metadata.version = version

from cgc_addon.rasterize import backends
from cgc_addon.rasterize.select import select_backend
from cgc_addon.results.evaluation import evaluate
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder
from tests.rasterize.emulated_gsplat import EMULATED

backends.BACKENDS = (*backends.BACKENDS, EMULATED)
config = configure(preset, steps=3, test_every=6, backend=choice)
often = {"contrastive_every": 2, "spatial_every": 2}
# Photos cannot be compared with each other without Numba.
sparse_points_alone = {"surface_share": 0.0} if choice == "cpu" else {}
config = replace(
    config,
    geometry=replace(config.geometry, far_points=0, **sparse_points_alone),
    features=replace(config.features, **({"steps": 20} if preset == "draft" else often)),
    edges=replace(config.edges, steps=2),
)
# Else the processor looks at two photos before it goes on, and the card at one.
summary = train(dataset, run, config, batch=2)
scores = evaluate(RunFolder(run), dataset, select_backend(choice)[0])
print(json.dumps({
    "segments": summary.segments, "psnr": scores.psnr, "ssim": scores.ssim,
    "iou": scores.segmentation and scores.segmentation.mean_iou, "numba": "numba" in sys.modules,
}))
"""


def _scores(dataset: Path, folder: Path, preset: str, choice: str) -> dict[str, float]:
    """Return what a run of some steps comes to, trained and scored in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, dataset, folder / choice, preset, choice],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("preset", ["draft", pytest.param("paper", marks=pytest.mark.slow)])
def test_a_run_without_numba_scores_as_one_on_the_cpu(preset, tiny_dataset, tmp_path):
    found = _scores(tiny_dataset, tmp_path, preset, "emulated")
    expected = _scores(tiny_dataset, tmp_path, preset, "cpu")
    assert expected.pop("numba")
    assert not found.pop("numba")
    assert found == pytest.approx(expected, abs=2e-2)
    if preset == "draft":
        assert found["segments"] == 4
        assert found["iou"] > 0.5


def test_the_cpu_backend_alone_needs_it():
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "from cgc_addon.rasterize.select import select_backend\n"
        "select_backend('cpu')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "The backend cpu cannot be used: the Python package numba is missing" in result.stderr
