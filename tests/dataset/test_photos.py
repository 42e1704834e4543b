# SPDX-License-Identifier: GPL-3.0-or-later
"""The store gives the right pixels at the right size and keeps no more than it may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.byte_cache import ByteCache
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.photos import PhotoStore
from cgc_addon.dataset.resize import area_average, nearest
from cgc_addon.errors import CgcError


@pytest.fixture
def labelled(make_capture, write_dataset, save_ids):
    """Return a function that makes a dataset of one camera model with ids in every view."""

    def make(model: str):
        folder = write_dataset(make_capture(model=model))
        for index in range(4):
            ids = np.random.default_rng(index).integers(0, 400, (52, 64), dtype=np.uint16)
            save_ids(folder / "masks" / f"{index:04d}.png", ids)
            save_ids(folder / "gt" / f"{index:04d}.png", ids + 1)
        return folder

    return make


def photo_of(folder, index):
    return np.asarray(Image.open(folder / "images" / f"{index:04d}.png"))


def ids_of(folder, index):
    return np.asarray(Image.open(folder / "masks" / f"{index:04d}.png")).astype(np.int32)


def test_a_pinhole_photo_is_the_photo(labelled):
    folder = labelled("PINHOLE")
    store = load_dataset(folder).store
    for index in range(len(store)):
        assert store.photo(index).dtype == np.uint8
        np.testing.assert_array_equal(store.photo(index), photo_of(folder, index))
        assert store.labels(index).dtype == np.int32
        np.testing.assert_array_equal(store.labels(index), ids_of(folder, index))
        np.testing.assert_array_equal(store.truth(index), ids_of(folder, index) + 1)
        assert store.valid(index) is None


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("max_size", [None, 64, 33])
def test_levels_and_working_size_of_a_pinhole_photo(level, max_size, labelled):
    folder = labelled("PINHOLE")
    store = load_dataset(folder, max_size=max_size).store
    camera = store.view(1, level).camera
    size = (camera.width, camera.height)
    base = (33, 27) if max_size == 33 else (64, 52)
    assert size == (base[0] // 2**level, base[1] // 2**level)
    np.testing.assert_allclose(
        [camera.fx * 64, camera.cx * 64, camera.fy * 52, camera.cy * 52],
        [70 * size[0], 31 * size[0], 75 * size[1], 25 * size[1]],
    )
    working = area_average(photo_of(folder, 1), base)
    np.testing.assert_array_equal(store.photo(1, level), area_average(working, size))
    np.testing.assert_array_equal(store.labels(1, level), nearest(ids_of(folder, 1), size))


@pytest.mark.parametrize("model", ["OPENCV", "OPENCV_FISHEYE"])
@pytest.mark.parametrize("max_size", [None, 30])
def test_a_distorted_capture_shows_points_where_its_cameras_say(
    model, max_size, make_capture, write_dataset, save_ids
):
    """A dot painted where pycolmap projects a point is found where the pinhole view projects it."""
    capture = make_capture(model=model, count=3)
    folder = write_dataset(capture)
    reconstruction = capture.reconstruction()
    point = np.array([0.6, -0.5, 0.4])
    for image in reconstruction.images.values():
        x, y = image.project_point(point)
        columns, rows = np.meshgrid(np.arange(64) + 0.5, np.arange(52) + 0.5)
        blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
        photo = np.repeat(np.uint8(255 * blob + 0.5)[..., None], 3, axis=2)
        Image.fromarray(photo).save(folder / "images" / image.name)
        save_ids(folder / "masks" / image.name, np.uint8(blob > 0.5) * 7)
    dataset = load_dataset(folder, max_size=max_size)
    for index, view in enumerate(dataset.scene.views):
        for level in (0, 1):
            camera = dataset.store.view(index, level).camera
            seen = camera.matrix() @ (view.world_to_camera[:3] @ [*point, 1.0])
            expected = seen[:2] / seen[2]
            for weights, tolerance in (
                (dataset.store.photo(index, level)[..., 0].astype(float), 0.15),
                (dataset.store.labels(index, level) / 7, 1.0),
            ):
                rows, columns = np.indices(weights.shape)
                center = (
                    np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
                )
                np.testing.assert_allclose(center + 0.5, expected, atol=tolerance)


def test_shrunk_distorted_photos_average_over_all_pixels(make_capture, write_dataset):
    """Noise shrunk four times keeps a quarter of its spread; sampled here and there, most of it."""
    folder = write_dataset(make_capture(count=1, model="OPENCV"))
    noise = np.random.default_rng(0).integers(0, 256, (52, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "images/0000.png")
    photo = load_dataset(folder, max_size=16).store.photo(0)
    assert photo.std() < 0.3 * noise.std()


def test_truth_and_labels_may_be_missing(make_capture, write_dataset, save_ids):
    folder = write_dataset(make_capture())
    save_ids(folder / "masks/0002.png", np.ones((52, 64), dtype=np.uint8))
    store = load_dataset(folder).store
    assert [store.has_labels(i) for i in range(4)] == [False, False, True, False]
    assert [store.has_truth(i) for i in range(4)] == [False] * 4
    assert store.labels(0) is None
    assert store.truth(2) is None
    assert store.labels(2, 1).shape == (26, 32)


def test_the_cache_is_bounded_and_changes_no_result(labelled):
    dataset = load_dataset(labelled("OPENCV"))
    store, views = dataset.store, dataset.scene.views
    small = PhotoStore(store._files, views, cache_bytes=30_000, map_cache_bytes=30_000)
    for level in (0, 1, 2, 1, 0):
        for index in range(4):
            np.testing.assert_array_equal(small.photo(index, level), store.photo(index, level))
            np.testing.assert_array_equal(small.labels(index, level), store.labels(index, level))
            assert small.cached_bytes <= 60_000


def test_a_photo_is_decoded_once(labelled):
    folder = labelled("PINHOLE")
    store = load_dataset(folder).store
    first = store.photo(0)
    (folder / "images/0000.png").unlink()
    assert store.photo(0) is first
    assert store.photo(0, 2).shape == (13, 16, 3)


def test_threads_get_the_same_pixels(labelled):
    folder = labelled("OPENCV")
    expected = load_dataset(folder).store
    store = load_dataset(folder).store
    jobs = [(index, level) for level in (1, 0, 2) for index in range(4)] * 4
    with ThreadPoolExecutor(4) as pool:
        for job, photo in zip(jobs, pool.map(lambda job: store.photo(*job), jobs), strict=True):
            np.testing.assert_array_equal(photo, expected.photo(*job))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "LA", "1"])
def test_photos_of_other_types_become_rgb(mode, make_capture, write_dataset):
    folder = write_dataset(make_capture(count=1))
    path = folder / "images/0000.png"
    converted = Image.open(path).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    converted.save(path, format=kind)
    expected = np.asarray(converted.convert("RGB"))
    np.testing.assert_array_equal(load_dataset(folder).store.photo(0), expected)


def test_16_bit_grey_photos_keep_their_upper_byte(make_capture, write_dataset):
    folder = write_dataset(make_capture(count=1))
    grey = np.random.default_rng(0).integers(0, 65536, (52, 64), dtype=np.uint16)
    Image.fromarray(grey).save(folder / "images/0000.png")
    photo = load_dataset(folder).store.photo(0)
    np.testing.assert_array_equal(photo, np.repeat((grey >> 8)[..., None], 3, axis=2))


@pytest.mark.parametrize("what", ["images", "masks"])
def test_truncated_files_give_a_sentence_when_they_are_decoded(what, labelled):
    folder = labelled("PINHOLE")
    path = folder / what / "0001.png"
    path.write_bytes(path.read_bytes()[:-200])
    store = load_dataset(folder).store
    with pytest.raises(CgcError, match=r"0001\.png could not be read as an image: .*replace it"):
        store.photo(1) if what == "images" else store.labels(1)


def test_loading_decodes_no_photo(labelled, monkeypatch):
    def fail(*_):
        raise AssertionError("decoded")

    folder = labelled("OPENCV")
    monkeypatch.setattr(Image.Image, "load", fail)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    load_dataset(folder)


def test_uncovered_pixels_are_told(make_capture, write_dataset):
    dataset = load_dataset(write_dataset(make_capture(count=1, model="SIMPLE_FISHEYE")))
    files = dataset.store._files[0]
    view = dataset.scene.views[0]
    wide = view.camera
    wider = type(wide)(wide.width, wide.height, wide.fx / 2, wide.fy / 2, wide.cx, wide.cy)
    store = PhotoStore([files], [type(view)(view.name, wider, view.world_to_camera)])
    valid = store.valid(0)
    assert valid is not None
    assert 0.1 < valid.mean() < 0.9
    assert not store.photo(0)[~valid].any()
    assert store.valid(0, 1).shape == (wide.height // 2, wide.width // 2)


def test_cache_drops_the_longest_unused_and_holds_nothing_too_large():
    cache = ByteCache(100)
    made = []

    def ask(key, size):
        def make():
            made.append(key)
            return np.zeros(size, dtype=np.uint8)

        return cache.get(key, make)

    for key, size in (("a", 40), ("b", 40), ("a", 40), ("c", 40)):
        ask(key, size)
        assert cache.size <= 100
    assert made == ["a", "b", "c"]
    ask("a", 40)
    assert made == ["a", "b", "c"]
    ask("b", 40)
    assert made == ["a", "b", "c", "b"]
    assert len(ask("large", 101)) == 101
    assert cache.size == 80


@pytest.mark.parametrize("model", ["PINHOLE", "OPENCV"])
def test_cut_out_photos_lie_over_black_and_tell_their_opacity(model, make_capture, write_dataset):
    folder = write_dataset(make_capture(model=model))
    random = np.random.default_rng(5)
    for path in sorted((folder / "images").iterdir()):
        pixels = np.asarray(Image.open(path))
        alpha = np.where(random.random(pixels.shape[:2]) < 0.5, 0, 255).astype(np.uint8)
        Image.fromarray(np.dstack([np.maximum(pixels, 40), alpha])).save(path)
    store = load_dataset(folder).store
    assert store.are_cut_out
    photo, opacity = store.photo(0), store.opacity(0)
    assert opacity.shape == photo.shape[:2]
    assert (photo[opacity == 0] == 0).all()  # whatever colour was hidden there
    assert (photo[opacity == 255] >= 40).all()
    half = store.opacity(0, 1)
    assert half.shape == store.photo(0, 1).shape[:2]
    assert abs(half.mean() - opacity.mean()) < 2.0


def test_photos_that_only_could_be_transparent_are_not_cut_out(make_capture, write_dataset):
    folder = write_dataset(make_capture(model="PINHOLE"))
    assert not load_dataset(folder).store.are_cut_out
    for path in sorted((folder / "images").iterdir()):
        Image.open(path).convert("RGBA").save(path)
    store = load_dataset(folder).store
    assert not store.are_cut_out
    assert (store.opacity(0) == 255).all()
