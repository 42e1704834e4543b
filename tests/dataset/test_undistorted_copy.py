# SPDX-License-Identifier: GPL-3.0-or-later
"""The undistorted copy of a dataset is what training sees, under the photos' own names."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cli import main
from cgc_addon.dataset.cameras_json import read_cameras_json
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.undistorted_copy import write_undistorted
from cgc_addon.errors import CgcError, Interrupted

from ..icc_profiles import rgb_profile


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def files_in(folder) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def dataset(make_capture, write_dataset):
    """Return a dataset of a distorted camera with names of every kind."""
    capture = make_capture(model="OPENCV")
    names = ["a.png", "left/b.jpg", "right/c.JPEG", "d.tif"]
    capture.images = [(name, *rest) for name, (_, *rest) in zip(names, capture.images, strict=True)]
    return write_dataset(capture)


@pytest.mark.parametrize("max_size", [None, 40])
def test_photos_and_cameras_are_those_that_training_sees(dataset, tmp_path, max_size):
    loaded = load_dataset(dataset, max_size=max_size)
    output = tmp_path / "flat"
    views = write_undistorted(loaded, output)
    names = ["a.png", "d.png", "left/b.jpg", "right/c.JPEG"]
    assert files_in(output) == sorted(["cameras.json", *(f"images/{name}" for name in names)])
    read = read_cameras_json(output / "cameras.json")
    assert [view.name for view in views] == [view.name for view in read] == names
    for index, (view, seen) in enumerate(zip(read, loaded.scene.views, strict=True)):
        assert (view.camera, view.stem) == (seen.camera, seen.stem)
        np.testing.assert_array_equal(view.world_to_camera, seen.world_to_camera)
        path = output / "images" / view.name
        with Image.open(path) as image:
            assert image.format == ("PNG" if path.suffix == ".png" else "JPEG")
            assert image.size == (view.camera.width, view.camera.height)
        difference = np.abs(pixels(path).astype(int) - loaded.store.photo(index))
        assert difference.max() <= (0 if path.suffix == ".png" else 12)


def test_photos_without_distortion_are_copied_bit_for_bit(make_capture, write_dataset, tmp_path):
    folder = write_dataset(make_capture(model="PINHOLE", count=2))
    assert main(["undistort", str(folder), "-o", str(tmp_path / "flat")]) == 0
    for name in ("0000.png", "0001.png"):
        copied = tmp_path / "flat" / "images" / name
        assert copied.read_bytes() == (folder / "images" / name).read_bytes()
    assert main([
        "undistort", str(folder), "-o", str(tmp_path / "flat"), "--max-size", "32",
    ]) == 0  # fmt: skip
    assert pixels(tmp_path / "flat" / "images" / "0001.png").shape == (26, 32, 3)


def test_photos_in_a_wide_space_are_not_copied_but_made_srgb(make_capture, write_dataset, tmp_path):
    folder = write_dataset(make_capture(count=1))
    path = folder / "images" / "0000.png"
    with Image.open(path) as image:
        image.save(path, icc_profile=rgb_profile("Adobe RGB"))
    dataset = load_dataset(folder)
    write_undistorted(dataset, tmp_path / "copy")
    with Image.open(tmp_path / "copy" / "images" / "0000.png") as copy:
        assert "icc_profile" not in copy.info
        np.testing.assert_array_equal(np.asarray(copy), dataset.store.photo(0))


def test_photos_are_never_overwritten_by_their_copies(dataset, capsys):
    before = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    assert main(["undistort", str(dataset), "-o", str(dataset)]) == 1
    assert "name another folder" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()} == before


def test_a_stopped_copy_has_whole_photos_and_no_cameras(dataset, tmp_path):
    loaded, output = load_dataset(dataset), tmp_path / "flat"
    write_undistorted(loaded, output)
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    with pytest.raises(Interrupted):
        write_undistorted(loaded, output, should_stop=stop)
    assert not (output / "cameras.json").exists()
    for name in ("a.png", "d.png"):
        assert pixels(output / "images" / name).ndim == 3
    assert not [name for name in files_in(output) if name.endswith(".tmp")]


def test_a_damaged_photo_is_named(dataset, tmp_path):
    loaded = load_dataset(dataset)
    whole = (dataset / "images" / "left" / "b.jpg").read_bytes()
    (dataset / "images" / "left" / "b.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CgcError, match=r"b\.jpg could not be read as an image"):
        write_undistorted(loaded, tmp_path / "flat")
    assert not (tmp_path / "flat" / "cameras.json").exists()


def test_progress_counts_photos(dataset, tmp_path):
    seen = []
    write_undistorted(load_dataset(dataset), tmp_path / "flat", report=seen.append)
    assert [(one.done, one.total) for one in seen] == [(k, 4) for k in range(5)]
