# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.reconstruction.workspace import Workspace, locked

RECORD = {"source": "/photos", "fingerprint": "1", "settings": {"max_size": 1600, "seed": 0}}


@pytest.fixture
def space(tmp_path) -> Workspace:
    return Workspace(tmp_path / "dataset")


def begin(space: Workspace, record=RECORD, *, overwrite=False) -> bool:
    space.check(record, overwrite=overwrite)
    with locked(space.work):
        return space.claim(record, overwrite=overwrite)


def fill(space: Workspace) -> None:
    """Make what solving leaves, in the order in which it does."""
    space.photos.mkdir()
    space.database.write_bytes(b"x")
    for folder in ("images", "sparse"):
        (space.undistorted / folder).mkdir(parents=True)
        (space.undistorted / folder / "file").write_text(folder)
    space.publish()
    space.report.write_text("{}")


def test_the_same_photos_and_settings_go_on(space):
    assert not begin(space)
    assert not begin(space)
    space.add_seconds("matching", 1.5)
    space.add_seconds("matching", 2.0)
    assert space.seconds() == {"matching": 3.5}
    assert not begin(space)
    assert space.seconds() == {"matching": 3.5}


@pytest.mark.parametrize(("change", "told"), [
    ({"fingerprint": "2"}, "other photos"),
    ({"settings": {"max_size": 800, "seed": 0}}, "max size 1600 instead of 800"),
    ({"settings": {"max_size": 1600, "seed": 0, "new": 1}}, "new None instead of 1"),
])  # fmt: skip
def test_others_need_overwrite(space, change, told):
    begin(space)
    fill(space)
    with pytest.raises(CgcError, match=f"{told}.*--overwrite"):
        begin(space, {**RECORD, **change})
    assert space.report.exists()
    assert begin(space, {**RECORD, **change}, overwrite=True)
    assert {path.name for path in space.dataset.iterdir()} == {"solve", "sparse"}
    assert list((space.dataset / "sparse").iterdir()) == []
    assert {path.name for path in space.work.iterdir()} <= {"state.json", "lock.db"}
    assert not begin(space, {**RECORD, **change})


@pytest.mark.parametrize("state", ["", "[]", '{"format": 0}', '{"format": 1}'])
def test_a_state_that_cannot_be_read_needs_overwrite(space, state):
    begin(space)
    space.state.write_text(state)
    with pytest.raises(CgcError, match="--overwrite"):
        begin(space)
    begin(space, overwrite=True)


@pytest.mark.parametrize("name", ["images/a.jpg", "sparse/0/cameras.bin", "solve.json", "solve/x"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_solve_did_not_make_is_never_overwritten(space, name, overwrite):
    path = space.dataset / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(CgcError, match="did not make"):
        begin(space, overwrite=overwrite)
    assert path.read_text() == "precious"
    assert not space.state.exists()


def test_other_files_in_the_folder_stay(space):
    (space.dataset / "masks").mkdir(parents=True)
    (space.dataset / "notes.txt").write_text("mine")
    begin(space)
    fill(space)
    begin(space, {**RECORD, "fingerprint": "2"}, overwrite=True)
    assert (space.dataset / "notes.txt").read_text() == "mine"
    assert (space.dataset / "masks").is_dir()


def test_a_start_that_was_cut_off_before_the_state_is_no_obstacle(space):
    with locked(space.work):
        pass
    assert not begin(space)


def test_photos_put_there_while_solving_are_not_replaced(space):
    begin(space)
    space.images.mkdir()
    (space.images / "mine.jpg").write_text("precious")
    (space.undistorted / "images").mkdir(parents=True)
    (space.undistorted / "sparse").mkdir()
    with pytest.raises(CgcError, match="from elsewhere"):
        space.publish()
    assert (space.images / "mine.jpg").read_text() == "precious"


def test_publishing_again_replaces_what_was_published(space):
    begin(space)
    fill(space)
    fill_again = space.undistorted
    for folder in ("images", "sparse"):
        (fill_again / folder).mkdir(parents=True)
        (fill_again / folder / "new").write_text(folder)
    space.publish()
    assert [path.name for path in space.images.iterdir()] == ["new"]
    assert [path.name for path in space.sparse.iterdir()] == ["new"]


def test_a_file_is_no_folder_for_a_dataset(space):
    space.dataset.write_text("x")
    with pytest.raises(CgcError, match="is a file"):
        begin(space)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CgcError, match="could not be written"):
        begin(Workspace(tmp_path / "file" / "dataset"))


def test_one_at_a_time(space):
    with locked(space.work), pytest.raises(CgcError, match="another process"), locked(space.work):
        pass
    with locked(space.work):
        pass


def test_the_state_says_where_the_photos_were(space):
    begin(space)
    assert json.loads(space.state.read_text())["source"] == "/photos"
