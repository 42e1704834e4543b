# SPDX-License-Identifier: GPL-3.0-or-later
"""What is chosen before a run begins is said, kept, and what the run then does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cgc_addon.dataset.load import at_size, load_dataset
from cgc_addon.progress import never, silent
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.training import fitting
from cgc_addon.training.asked import Asked, is_run_of
from cgc_addon.training.pipeline import train
from cgc_addon.training.planning import fit_run
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder
from tests.tiny_dataset import tiny_gaussians

CONFIG = replace(preset("draft", steps=20), backend="cpu")


@pytest.fixture
def small_screen(monkeypatch):
    """Let no photo be larger than 24 px, as if that were all that this machine can do."""
    monkeypatch.setattr(fitting, "photo_side", lambda *_: 24)
    monkeypatch.setattr(fitting, "SMALLEST_SIDE", 16)


def test_a_run_takes_photos_of_the_size_that_was_chosen_and_says_so(
    tiny_dataset, tmp_path, small_screen
) -> None:
    said: list[str] = []
    folder = RunFolder(tmp_path / "run")
    train(tiny_dataset, folder.path, CONFIG, asked=Asked(steps=20), say=said.append)
    assert any("photos of 24×18 instead of 48×36 (--max-size)" in one for one in said)
    assert any("GiB of memory. It will take about" in one for one in said)
    assert folder.read_config()[1] == replace(CONFIG, max_size=24)
    assert is_run_of(folder, tiny_dataset, CONFIG, Asked(steps=20))
    assert not is_run_of(folder, tiny_dataset, CONFIG, Asked(steps=20, max_size=24))


def test_a_run_goes_on_with_what_it_was_started_with(
    tiny_dataset, tmp_path, small_screen, monkeypatch
) -> None:
    folder = RunFolder(tmp_path / "run")
    train(tiny_dataset, folder.path, CONFIG, asked=Asked(steps=20))
    monkeypatch.setattr(fitting, "photo_side", lambda *_: 48)
    before = folder.read_config()
    train(tiny_dataset, folder.path, CONFIG, asked=Asked(steps=20), resume=True)
    assert folder.read_config() == before


def test_little_time_makes_little_of_it(tiny_dataset, tmp_path) -> None:
    folder = RunFolder(tmp_path / "run")
    said: list[str] = []
    wanted = Asked(max_size=48, minutes=1e-6)
    standard = replace(preset("draft"), backend="cpu", max_size=48)
    train(tiny_dataset, folder.path, standard, asked=wanted, say=said.append)
    _, config = folder.read_config()
    assert config.geometry.steps == fitting.FEWEST_STEPS
    assert any("(--steps)" in one for one in said)
    assert any("more than the 1e-06 minutes asked for" in one for one in said)


def test_what_has_passed_is_part_of_what_is_said_and_of_the_minutes(tiny_dataset) -> None:
    dataset = load_dataset(tiny_dataset)

    def fit(passed: float, minutes: float | None):
        """A clock of fifths of a second, after so many seconds of compiling and matching."""
        ticks = (passed + 0.2 * tick for tick in range(100_000))
        return fit_run(
            dataset, CpuBackend(), preset("draft"), Asked(minutes=minutes),
            lambda *_: tiny_gaussians(), began=0.0, clock=lambda: next(ticks),
            say=lambda _: None, report=silent, should_stop=never,
        )  # fmt: skip

    assert fit(100.0, None).seconds - fit(0.0, None).seconds == pytest.approx(100.0)
    late, early = fit(240.0, 10.0), fit(0.0, 10.0)
    assert late.config.geometry.steps < 0.9 * early.config.geometry.steps
    assert late.seconds == pytest.approx(600.0, rel=0.02)
    assert early.seconds == pytest.approx(600.0, rel=0.02)


@pytest.mark.parametrize("size", [None, 17, 48, 1_000])
def test_a_dataset_made_smaller_is_the_one_that_is_loaded_so(tiny_dataset, size) -> None:
    loaded = load_dataset(tiny_dataset, max_size=size)
    made = at_size(load_dataset(tiny_dataset), size)
    cameras, wanted = ([view.camera for view in one.scene.views] for one in (made, loaded))
    assert cameras == wanted
    assert made.scene.extent == loaded.scene.extent
    assert (made.store.photo(0, 0) == loaded.store.photo(0, 0)).all()
