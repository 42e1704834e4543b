# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that was fitted to a machine is found again by what was asked for."""

import json
from dataclasses import replace

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.training.asked import Asked, is_run_of, read_asked
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder

WANTED = preset("standard")
FITTED = replace(preset("standard", steps=900), max_size=640)


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.start(tmp_path / "desk", FITTED, {}, asked=Asked(minutes=3.0).to_json())
    return folder


def test_the_same_wish_finds_its_run_whatever_was_made_of_it(folder, tmp_path):
    assert is_run_of(folder, tmp_path / "desk", WANTED, Asked(minutes=3.0))
    assert folder.read_config()[1] == FITTED


def test_any_other_wish_is_another_run(folder, tmp_path):
    desk = tmp_path / "desk"
    assert not is_run_of(folder, desk, WANTED, Asked(minutes=4.0))
    assert not is_run_of(folder, desk, WANTED, Asked(max_size=640, minutes=3.0))
    assert not is_run_of(folder, desk, replace(WANTED, seed=1), Asked(minutes=3.0))
    assert not is_run_of(folder, tmp_path / "table", WANTED, Asked(minutes=3.0))


def test_a_run_that_was_not_fitted_is_compared_as_it_is(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.start(tmp_path / "desk", WANTED, {})
    assert read_asked(folder) is None
    assert is_run_of(folder, tmp_path / "desk", WANTED, Asked())
    assert not is_run_of(folder, tmp_path / "desk", WANTED, Asked(minutes=3.0))
    assert not is_run_of(folder, tmp_path / "desk", FITTED, Asked())


@pytest.mark.parametrize("asked", [3, [], {}, {"minutes": 3}, {**Asked().to_json(), "steps": ""}])
def test_a_damaged_wish_is_named(folder, asked):
    value = json.loads(folder.config.read_text())
    folder.config.write_text(json.dumps({**value, "asked": asked}))
    with pytest.raises(CgcError, match='"asked"'):
        read_asked(folder)
