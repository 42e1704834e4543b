# SPDX-License-Identifier: GPL-3.0-or-later
import json

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cli import main
from cgc_addon.cli.arguments import parse
from cgc_addon.cli.solve import settings_of
from cgc_addon.reconstruction.settings import SolveSettings


def test_options_become_settings_and_the_defaults_agree():
    assert settings_of(parse(["solve", "a", "-o", "b"])) == SolveSettings()
    options = parse([
        "solve", "a", "-o", "b", "--matching", "sequential", "--frames", "30", "--max-size", "800",
        "--seed", "3", "--overwrite",
    ])  # fmt: skip
    assert settings_of(options) == SolveSettings(
        matching="sequential", frames=30, max_size=800, seed=3, overwrite=True
    )


@pytest.mark.parametrize("wrong", [
    ["--matching", "x"], ["--frames", "0"], ["--max-size", "-3"], ["--seed", "-1"],
])  # fmt: skip
def test_wrong_options(wrong):
    assert main(["solve", "a", "-o", "b", *wrong]) == 2


def test_colmap_prints_nothing_between_the_lines_for_machines(tmp_path, capfd):
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        noise = random.integers(0, 255, (150, 200, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"{number}.png")
    assert main(["solve", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--json"]) == 1
    output, errors = capfd.readouterr()
    messages = [json.loads(line) for line in output.splitlines()]
    assert {"progress", "note", "error"} == {message["type"] for message in messages}
    assert messages[-1]["type"] == "error"
    assert errors == f"cgc: {messages[-1]['text']}\n"
    stages = [message["stage"] for message in messages if message["type"] == "progress"]
    assert list(dict.fromkeys(stages)) == [
        "Preparing photos", "Finding features", "Matching photos", "Placing photos",
    ]  # fmt: skip
