# SPDX-License-Identifier: GPL-3.0-or-later
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from cgc_addon.masks.models.known import DEFAULT_MODEL, KNOWN, NO_MASKS, Family
from cgc_addon.masks.models.registry import OPENERS

ROOT = Path(__file__).parents[3]


def test_every_known_file_has_size_checksum_and_source():
    assert {"mobilesam", "vit_b", "vit_l", "vit_h"} <= set(KNOWN)
    files = [file for model in KNOWN.values() for file in model.files]
    assert len({file.sha256 for file in files}) == len(files)
    for name, model in KNOWN.items():
        assert model.name == name
        assert model.label
        assert model.licence
        assert model.family in OPENERS
    for file in files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.url.startswith("https://")
        assert file.url.endswith("/" + file.name)
    sizes = [model.size for model in KNOWN.values()]
    assert sizes == sorted(sizes)


def test_every_family_has_an_opener():
    assert set(OPENERS) == set(get_args(Family))


def test_names_stand_for_one_thing():
    assert DEFAULT_MODEL in KNOWN
    assert NO_MASKS.name not in KNOWN


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mobilesam", "Small and quick; 45 MB"),
        ("vit_b", "Slower, finer; 375 MB"),
        ("vit_l", "Slow, wants a graphics card; 1.2 GB"),
        ("vit_h", "The slowest, wants a graphics card; 2.6 GB"),
    ],
)
def test_people_read_what_a_model_is_good_for_and_its_size(name, sentence):
    assert KNOWN[name].sentence == sentence


@pytest.mark.parametrize("module", ["known", "weights"])
def test_the_standard_library_is_enough(module):
    program = (
        f"import sys, cgc_addon.masks.models.{module}\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(result.stdout.split()) <= {"__main__", "cgc_addon"}
