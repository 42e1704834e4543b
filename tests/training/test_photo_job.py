# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dataset was made from is kept in it."""

from pathlib import Path

import pytest

from cgc_addon.cli.arguments import parse
from cgc_addon.cli.from_photos import kept_options
from cgc_addon.errors import CgcError
from cgc_addon.training.photo_job import PhotoJob, default_run, read_job, write_job


def test_it_comes_back_and_asks_for_the_same(tmp_path):
    dataset = tmp_path / "desk_dataset"
    words = ["from-photos", str(tmp_path / "desk"), "-o", str(dataset), "--levels", "both",
             "--frames", "30", "--seed", "4", "--max-size", "400", "--preview", "3"]  # fmt: skip
    options = kept_options(parse(words))
    job = PhotoJob(tmp_path / "desk", dataset, default_run(dataset), options)
    write_job(job)
    assert read_job(dataset) == job
    assert job.run == tmp_path / "desk_dataset_run"
    again = parse(job.arguments)
    assert (again.levels, again.frames, again.seed, again.max_size) == ("both", 30, 4, 400)
    assert again.preview is None  # which is for whoever looks on
    assert kept_options(again) == options
    assert not job.finished
    job.run.mkdir()
    (job.run / "segments.json").write_text("{}")
    assert job.finished


def test_a_dataset_that_was_not_made_from_photos_has_none(tmp_path):
    assert read_job(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"version": 1, "photos": "", "run": "/r", "options": []}',
     '{"version": 1, "photos": "/p", "run": "/r", "options": [3]}',
     '{"version": 2, "photos": "/p", "run": "/r", "options": []}'],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, text):
    (tmp_path / "from_photos.json").write_text(text)
    with pytest.raises(CgcError, match=r"from_photos\.json"):
        read_job(tmp_path)
