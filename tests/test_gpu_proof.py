# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that proves the CUDA backend runs and judges, with the processor for a card."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cgc_addon.rasterize.cpu import CpuBackend
from tests.benchmarks import gpu_proof
from tests.benchmarks.gpu_proof import BAD, GOOD, NO_CARD, Figure


def test_without_a_card_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_proof.main([]) == NO_CARD
    assert capsys.readouterr().out == "not run: no CUDA device\n"


def test_the_processor_stands_in_for_a_dry_run(capsys, tmp_path):
    table = tmp_path / "table.md"
    assert gpu_proof.main(["--device", "cpu", "--quick", "--out", str(table)]) in (GOOD, BAD)
    text = table.read_text("utf-8")
    assert text in capsys.readouterr().out
    for row in ("gradient of means", "label map of 20", "PSNR of held-out", "mIoU", "memory"):
        assert f"| {row}" in text
    assert "Error" not in text
    # Trained for some steps, two seeds may differ; gradients may not.
    assert all("| yes |" in line for line in text.splitlines() if line.startswith("| gradient"))


class _Wrong(CpuBackend):
    """Draws a little too bright."""

    def render(self, splat, view, **options):
        drawn = super().render(splat, view, **options)
        return replace(drawn, rgb=1.05 * drawn.rgb)


def test_wrong_gradients_are_found():
    assert all(figure.good for figure in gpu_proof.gradients(CpuBackend()))
    wrong = {figure.name: figure.good for figure in gpu_proof.gradients(_Wrong())}
    assert wrong["gradient of sh0, relative error"] is False


def test_what_fails_is_a_figure_and_the_rest_goes_on(monkeypatch, capsys):
    def broken(*_arguments):
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nMore.")

    for name in ("gradients", "training"):
        monkeypatch.setattr(gpu_proof, name, broken)
    for name in ("versions", "drawing", "contract"):
        monkeypatch.setattr(gpu_proof, name, lambda *_, x=name: [Figure(x, "1", "1", good=True)])
    assert gpu_proof.main(["--device", "cpu", "--quick"]) == BAD
    printed = capsys.readouterr().out
    assert "| training | RuntimeError: CUDA error: an illegal memory access was encountered |" in (
        printed
    )
    assert "| contract | 1 | 1 | yes |" in printed


def test_time_that_is_over_is_a_figure(monkeypatch):
    monkeypatch.setattr(gpu_proof, "select_backend", lambda name: (CpuBackend(), ""))
    size = gpu_proof.size_of("cpu", quick=True)
    [figure] = gpu_proof.measured(
        "training", lambda: gpu_proof.training(CpuBackend(), size, gpu_proof.Clock(0))
    )
    assert figure.good is False
    assert "--minutes" in figure.value


def test_tests_are_run_and_judged():
    clock = gpu_proof.Clock(5)
    [figure] = gpu_proof.contract(("-k", "test_names_are_distinct"), clock)
    assert figure.good
    assert figure.value.startswith("1 passed")
    [figure] = gpu_proof.contract(("-k", "a_name_that_no_test_has"), clock)
    assert figure.good is False


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("....\n4 passed, 12 deselected in 3.05s\n", {"passed": 4, "deselected": 12}),
        ("= 1 failed, 2 passed, 1 skipped in 61.02s (0:01:01) =", {
            "failed": 1, "passed": 2, "skipped": 1,
        }),
        ("4 passed the exam\n", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_tests_are_counted(output, counts):
    assert gpu_proof.test_counts(output) == counts
