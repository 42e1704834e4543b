# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder becomes a dataset, or one sentence says why not."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.load import load_dataset, split
from cgc_addon.dataset.photos import PhotoStore
from cgc_addon.errors import CgcError


@pytest.fixture
def folder(make_capture, write_dataset):
    return write_dataset(make_capture())


def test_a_rendered_capture(make_capture, write_dataset, save_ids):
    """Text model of pinhole cameras, masks whose ids disagree, ground truth whose ids agree."""
    folder = write_dataset(make_capture(count=9), binary=False)
    for index in range(9):
        ids = np.full((52, 64), index, dtype=np.uint8)
        save_ids(folder / f"masks/{index:04d}.png", ids)
        save_ids(folder / f"gt/{index:04d}.png", ids.astype(np.uint16))
    dataset = load_dataset(str(folder), test_every=8)
    assert [view.name for view in dataset.scene.views] == [f"{i:04d}.png" for i in range(9)]
    assert dataset.test == (0, 8)
    assert dataset.train == (1, 2, 3, 4, 5, 6, 7)
    assert dataset.scene.points.shape == (20, 3)
    assert dataset.scene.points.dtype == np.float32
    assert dataset.scene.point_colors.dtype == np.uint8
    assert dataset.scene.extent == pytest.approx(1.1 * 4.0)
    np.testing.assert_allclose(dataset.scene.up, [0, 0, 1], atol=1e-9)
    assert dataset.warnings == ()
    assert all(dataset.store.has_labels(i) and dataset.store.has_truth(i) for i in range(9))


def test_a_photographed_capture(make_capture, write_dataset):
    """Binary model with rigs and frames, distorted cameras, no masks."""
    folder = write_dataset(make_capture(count=5, model="OPENCV"))
    dataset = load_dataset(folder, max_size=40)
    camera = dataset.scene.views[0].camera
    assert max(camera.width, camera.height) == 40
    assert dataset.test == ()
    assert dataset.train == (0, 1, 2, 3, 4)
    assert dataset.warnings == ()
    assert not any(dataset.store.has_labels(i) for i in range(5))
    assert dataset.store.photo(0).shape == (camera.height, camera.width, 3)


def test_views_are_in_name_order_and_in_sub_folders(make_capture, write_dataset, save_ids):
    capture = make_capture(count=3)
    names = ["right/b.png", "left/b.png", "left/a.png"]
    capture.images = [(n, *rest) for n, (_, *rest) in zip(names, capture.images, strict=True)]
    folder = write_dataset(capture)
    save_ids(folder / "masks/left/b.png", np.full((52, 64), 3, dtype=np.uint8))
    dataset = load_dataset(folder)
    assert [view.name for view in dataset.scene.views] == sorted(names)
    assert [view.stem for view in dataset.scene.views] == ["left/a", "left/b", "right/b"]
    assert [dataset.store.has_labels(i) for i in range(3)] == [False, True, False]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 48])
def test_split_is_complete(count):
    assert split(count, None) == (tuple(range(count)), ())
    if count > 1:
        train, test = split(count, 8)
        assert sorted(train + test) == list(range(count))
        assert test == tuple(range(0, count, 8))


@pytest.mark.parametrize(("count", "every"), [(1, 8), (5, 1), (5, 0), (5, -3)])
def test_a_split_that_leaves_nothing_is_refused(count, every):
    with pytest.raises(CgcError, match=r"held out|Holding out"):
        split(count, every)


@pytest.mark.parametrize("name", ["masks", "seg_masks", "object_mask"])
def test_accepted_names_of_the_label_folder(name, folder, save_ids):
    save_ids(folder / name / "0001.png", np.full((52, 64), 9, dtype=np.uint8))
    dataset = load_dataset(folder)
    assert dataset.store.labels(1).max() == 9
    assert dataset.warnings == (
        f"{folder / name}: 3 of 4 views have no label map; they are trained without.",
    )


def test_the_first_label_folder_wins(folder, save_ids):
    save_ids(folder / "masks/0001.png", np.full((52, 64), 1, dtype=np.uint8))
    save_ids(folder / "seg_masks/0001.png", np.full((52, 64), 2, dtype=np.uint8))
    assert load_dataset(folder).store.labels(1).max() == 1


@pytest.mark.parametrize("name", ["0001.png.png", "0001.PNG.png"])
def test_label_maps_may_keep_the_ending_of_their_photo(folder, save_ids, name):
    save_ids(folder / "masks" / name, np.full((52, 64), 7, dtype=np.uint8))
    assert load_dataset(folder).store.labels(1).max() == 7


def test_the_plain_name_goes_before_that_with_the_ending(folder, save_ids):
    save_ids(folder / "masks/0001.png.png", np.full((52, 64), 1, dtype=np.uint8))
    save_ids(folder / "masks/0001.png", np.full((52, 64), 2, dtype=np.uint8))
    assert load_dataset(folder).store.labels(1).max() == 2


def test_label_maps_of_which_none_belongs_to_a_photo_are_refused(folder, save_ids):
    for number in range(3):
        save_ids(folder / f"masks/images/mask_{number}.png", np.ones((52, 64), dtype=np.uint8))
    with pytest.raises(CgcError, match=r"masks holds 3 PNG files, but none .* 0000\.png; rename"):
        load_dataset(folder)


@pytest.mark.parametrize("name", ["gt", "masks_parts"])
def test_ground_truth_and_parts_that_belong_to_no_photo_are_no_obstacle(folder, save_ids, name):
    save_ids(folder / name / "other.png", np.ones((52, 64), dtype=np.uint8))
    assert any("1 label maps belong to no view" in one for one in load_dataset(folder).warnings)


def test_label_maps_of_no_view_are_counted(folder, save_ids):
    for name in ("0000", "0001", "0002", "0003", "other"):
        save_ids(folder / f"gt/{name}.png", np.ones((52, 64), dtype=np.uint16))
    (warning,) = load_dataset(folder).warnings
    assert warning.endswith("gt: 1 label maps belong to no view; they are unused.")


def test_masks_of_one_object_tell_it_from_the_rest(folder, save_ids):
    ids = np.zeros((52, 64), np.uint8)
    ids[20:40, 10:30] = 255
    for name in ("0000", "0001"):
        save_ids(folder / f"masks/{name}.png", ids)
    save_ids(folder / "masks/0002.png", np.zeros_like(ids))  # the object is not in this photo
    store = load_dataset(folder).store
    assert store.rest_is_a_mask
    np.testing.assert_array_equal(store.masks(0), np.where(ids, 255, 256))
    np.testing.assert_array_equal(store.masks(0, 1), np.where(ids[::2, ::2], 255, 256))
    assert not store.masks(2).any()
    assert store.masks(3) is None
    np.testing.assert_array_equal(store.labels(0), ids)


def test_the_rest_is_no_mask_where_nothing_is_seen(make_capture, write_dataset, save_ids):
    folder = write_dataset(make_capture(count=1, model="SIMPLE_FISHEYE"))
    save_ids(folder / "masks/0000.png", np.tri(52, 64, dtype=np.uint8))
    dataset = load_dataset(folder)
    view, files = dataset.scene.views[0], dataset.store.files
    wide = replace(view.camera, fx=view.camera.fx / 2, fy=view.camera.fy / 2)
    store = PhotoStore(files, [replace(view, camera=wide)])
    valid = store.valid(0)
    assert 0 < np.mean(valid) < 1
    np.testing.assert_array_equal(store.masks(0) > 0, valid)


def test_where_one_photo_has_two_masks_the_rest_is_unlabelled(folder, save_ids):
    ids = np.zeros((52, 64), np.uint8)
    ids[20:40] = 1
    save_ids(folder / "masks/0000.png", ids)
    save_ids(folder / "masks/0001.png", ids + ids.T[:52, :1])
    save_ids(folder / "masks/0002.png", np.where(np.arange(64) < 9, 2, ids).astype(np.uint8))
    store = load_dataset(folder).store
    assert not store.rest_is_a_mask
    np.testing.assert_array_equal(store.masks(0), ids)


@pytest.mark.parametrize("name", ["masks", "masks_parts", "gt"])
def test_a_file_in_place_of_the_folder_of_label_maps_is_said(name, folder):
    (folder / name).write_text("")
    with pytest.raises(CgcError, match=rf"{name} is no folder, but label maps are looked for"):
        load_dataset(folder)


def test_a_file_called_masks_is_no_trouble_beside_another_label_folder(folder, save_ids):
    save_ids(folder / "seg_masks/0001.png", np.full((52, 64), 2, dtype=np.uint8))
    (folder / "masks").write_text("")
    assert load_dataset(folder).store.has_labels(1)


@pytest.mark.parametrize("place", ["masks", "masks/left"])
def test_a_folder_of_label_maps_that_cannot_be_read_is_said(place, folder, monkeypatch):
    (folder / "masks/left").mkdir(parents=True)
    scan = os.scandir

    def refuse(path):
        if os.fspath(path) == os.fspath(folder / place):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CgcError, match=rf"{place} could not be read: Permission denied; check"):
        load_dataset(folder)


def test_a_damaged_label_map_is_said(folder, save_ids):
    rng = np.random.default_rng(0)
    save_ids(folder / "masks/0000.png", rng.integers(0, 9, (52, 64), dtype=np.uint8))
    path = folder / "masks/0000.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:9])
    with pytest.raises(CgcError, match=r"0000\.png could not be read as an image"):
        load_dataset(folder)
    path.write_bytes(whole[: len(whole) // 2])
    store = load_dataset(folder).store
    with pytest.raises(CgcError, match=r"0000\.png could not be read as an image"):
        store.masks(0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16"])
def test_types_of_label_maps(mode, folder):
    ids = np.random.default_rng(0).integers(0, 2, (52, 64))
    values = ids * {"1": 1, "L": 200, "P": 200, "I;16": 60_000}[mode]
    path = folder / "masks/0000.png"
    path.parent.mkdir()
    if mode == "1":
        image = Image.fromarray(ids.astype(bool))
    elif mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16))
    else:
        image = Image.fromarray(values.astype(np.uint8))
    if mode == "P":  # the palette's colours have nothing to do with the ids
        image = Image.fromarray(values.astype(np.uint8), mode="L")
        image.putpalette([(i * 7) % 256 for i in range(768)])
    image.save(path)
    with Image.open(path) as stored:
        assert stored.mode == mode
    np.testing.assert_array_equal(load_dataset(folder).store.labels(0), values)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_label_maps_in_colour_are_refused(mode, folder):
    path = folder / "masks/0002.png"
    path.parent.mkdir()
    Image.new(mode, (64, 52)).save(path)
    with pytest.raises(CgcError, match=rf"0002\.png has colours \(mode {mode}\)"):
        load_dataset(folder)


def test_label_maps_that_lose_ids_are_refused(folder):
    path = folder / "masks/0002.jpg"
    path.parent.mkdir()
    Image.new("L", (64, 52)).save(path)
    with pytest.raises(CgcError, match=r"0002\.jpg is no PNG file"):
        load_dataset(folder)


def test_label_maps_of_half_the_size_are_enlarged_of_another_shape_refused(folder, save_ids):
    half = np.random.default_rng(0).integers(0, 9, (26, 32), dtype=np.uint8)
    save_ids(folder / "masks/0000.png", half)
    labels = load_dataset(folder).store.labels(0)
    np.testing.assert_array_equal(labels, np.kron(half, np.ones((2, 2), dtype=np.uint8)))
    save_ids(folder / "masks/0000.png", np.zeros((64, 52), dtype=np.uint8))
    with pytest.raises(CgcError, match=r"0000\.png is 52×64 px, but its photo is 64×52"):
        load_dataset(folder)


def test_smaller_photos_scale_their_cameras(make_capture, write_dataset):
    capture = make_capture()
    capture.photo_sizes = {"0001.png": (32, 26)}
    dataset = load_dataset(write_dataset(capture))
    whole, half = (dataset.scene.views[i].camera for i in (0, 1))
    assert half == whole.resized(32, 26)
    (warning,) = dataset.warnings
    assert "1 of 4 photos are not of their camera's size, the first is 0001.png" in warning


def test_photos_of_another_shape_are_refused(make_capture, write_dataset):
    capture = make_capture()
    capture.photo_sizes = {"0001.png": (64, 48)}
    with pytest.raises(CgcError, match=r"0001\.png is 64×48 px, but its camera 1 .* is 64×52"):
        load_dataset(write_dataset(capture))


@pytest.mark.parametrize("solved_on_turned", [True, False])
def test_exif_orientation_is_followed_only_where_the_camera_asks_for_it(
    solved_on_turned, make_capture, write_dataset
):
    folder = write_dataset(make_capture(count=1))
    path = folder / "images/0000.png"
    pixels = np.asarray(Image.open(path))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    stored = np.rot90(pixels) if solved_on_turned else pixels
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    np.testing.assert_array_equal(load_dataset(folder).store.photo(0), pixels)


def test_a_few_missing_photos_are_left_out_and_named(folder):
    (folder / "images/0001.png").unlink()
    (folder / "images/0003.png").unlink()
    dataset = load_dataset(folder)
    assert [view.name for view in dataset.scene.views] == ["0000.png", "0002.png"]
    assert dataset.warnings == (
        f"{folder}/images: 2 of the 4 photos of the model are missing and left out: "
        "0001.png, 0003.png.",
    )


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_that_leads_nowhere_is_no_photo(folder):
    (folder / "images/0001.png").unlink()
    (folder / "images/0001.png").symlink_to(folder / "elsewhere" / "0001.png")
    (told, *_) = load_dataset(folder).warnings
    assert "left out: 0001.png (0001.png is a link to nothing)" in told


def test_what_a_mac_leaves_on_other_disks_is_no_photo_and_no_mask(tiny_dataset, tmp_path):
    folder = shutil.copytree(tiny_dataset, tmp_path / "from a mac")
    for path in [*(folder / "images").iterdir(), *(folder / "masks").iterdir()]:
        path.with_name(f"._{path.name}").write_bytes(bytes(82))
    (folder / "images" / ".DS_Store").write_bytes(b"x")
    dataset = load_dataset(folder)
    assert len(dataset.scene.views) == 12
    assert dataset.warnings == ()
    assert all(dataset.store.has_labels(index) for index in range(12))


def test_where_most_photos_are_missing_that_is_refused_with_a_count(folder):
    for number in (1, 2, 3):
        (folder / f"images/000{number}.png").unlink()
    with pytest.raises(CgcError, match=r"lacks 3 of the 4 photos .* first is 0001\.png; copy"):
        load_dataset(folder)


@pytest.mark.parametrize("place", ["images/{}.jpg", "images/left/{}.png", "{}.png", "new/{}.png"])
def test_the_file_that_a_missing_photo_probably_is_gets_named(place, folder, save_ids):
    for number in range(4):
        stem = f"000{number}"
        save_ids(folder / f"masks/{stem}.png", np.ones((52, 64), np.uint8))  # is named alike
        other = folder / place.format(stem)
        other.parent.mkdir(exist_ok=True)
        (folder / f"images/{stem}.png").rename(other)
    likely = folder / place.format("0000")
    with pytest.raises(CgcError) as caught:
        load_dataset(folder)
    assert f"(0000.png may be {likely})" in str(caught.value)


def test_missing_images_folder(folder):
    (folder / "images").rename(folder / "photos")
    with pytest.raises(CgcError, match="images is missing"):
        load_dataset(folder)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_unreadable_photos_are_refused(content, folder):
    (folder / "images/0002.png").write_bytes(content)
    with pytest.raises(CgcError, match=r"0002\.png could not be read as an image"):
        load_dataset(folder)


def test_an_image_that_claims_to_be_huge_is_refused(folder):
    header = bytearray((folder / "images/0002.png").read_bytes())
    header[16:24] = (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big")
    (folder / "images/0002.png").write_bytes(bytes(header))
    with pytest.raises(CgcError, match=r"0002\.png could not be read as an image"):
        load_dataset(folder)


def test_photos_without_pose_are_left_out_and_counted(folder):
    Image.new("RGB", (64, 52)).save(folder / "images/extra.jpg")
    (folder / "images/notes.txt").write_text("not a photo")
    dataset = load_dataset(folder)
    assert len(dataset.scene.views) == 4
    (warning,) = dataset.warnings
    assert "1 photos have no pose" in warning


def test_no_points_and_one_view_are_allowed_with_warnings(make_capture, write_dataset):
    dataset = load_dataset(write_dataset(make_capture(count=1, points=0)))
    assert dataset.scene.points.shape == (0, 3)
    assert dataset.scene.extent == 1.0
    assert len(dataset.train) == 1
    assert "no points" in dataset.warnings[0]
    assert "one view" in dataset.warnings[1]


@pytest.mark.parametrize("held_out", [None, 20])
def test_a_camera_far_away_is_named_and_does_not_count(held_out, make_capture, write_dataset):
    capture = make_capture(count=20)
    expected = load_dataset(write_dataset(capture)).scene
    quaternion = capture.images[0][2]
    capture.images.append(("0000 far.png", 1, quaternion, np.array([300.0, 200.0, 350.0])))
    dataset = load_dataset(write_dataset(capture), test_every=held_out)
    assert dataset.scene.extent == expected.extent
    np.testing.assert_array_equal(dataset.scene.up, expected.up)
    (warning,) = dataset.warnings
    assert "1 of 21 cameras are far away" in warning
    assert "0000 far.png" in warning


@pytest.mark.parametrize("max_size", [0, -5])
def test_an_impossible_size_is_refused(max_size, folder):
    with pytest.raises(CgcError, match="cannot be"):
        load_dataset(folder, max_size=max_size)


def test_panoramas_are_refused_by_camera(make_capture, write_dataset):
    with pytest.raises(CgcError, match=r"camera 1 of 0000\.png is a EQUIRECTANGULAR"):
        load_dataset(write_dataset(make_capture(model="EQUIRECTANGULAR")))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(folder):
    (folder / "sparse/0/images.bin").chmod(0)
    with pytest.raises(CgcError, match=r"images\.bin could not be read: Permission denied"):
        load_dataset(folder)


@pytest.mark.parametrize("model", ["OPENCV", "RAD_TAN_THIN_PRISM_FISHEYE"])
def test_damaged_cameras_give_a_dataset_or_a_sentence(model, make_capture, write_dataset):
    """Undistortion too is safe from what damage makes of a camera."""
    folder = write_dataset(make_capture(count=1, model=model))
    file = folder / "sparse/0/cameras.bin"
    whole = file.read_bytes()
    sentences = []
    for seed in range(60):
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.choice([1, 2, 5])):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        file.write_bytes(bytes(data))
        try:
            store = load_dataset(folder).store
        except CgcError as error:
            sentences.append(str(error))
        else:
            camera = store.view(0).camera
            assert store.photo(0).shape == (camera.height, camera.width, 3)
    assert 0 < len(sentences) < 60
    assert all("\n" not in sentence for sentence in sentences)
