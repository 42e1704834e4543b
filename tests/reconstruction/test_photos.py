# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.reconstruction.photo_list import group_cameras
from cgc_addon.reconstruction.photos import prepare_photos
from cgc_addon.reconstruction.sources import find_sources

from ..icc_profiles import in_srgb, rgb_profile
from .conftest import FOCAL_LENGTH_35MM, exif, panorama, texture


@pytest.fixture
def prepare(tmp_path):
    def call(max_size=1600, **options):
        sources = find_sources(tmp_path / "photos").photos
        return prepare_photos(sources, tmp_path / "work", max_size, **options)

    return call


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.getexif().get(0x0112, 1) == 1
        return np.array(image.convert("RGB"))


def test_upright_photos_are_copied_byte_for_byte(write_photo, prepare, tmp_path):
    path = write_photo("sub folder/a.jpg", tags=exif(1))
    (photo,) = prepare().photos
    assert (photo.name, photo.file) == ("sub folder/a.jpg", "sub%20folder/a.jpg")
    assert (tmp_path / "work" / photo.file).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [(160, 120), (320, 240)])
def test_copies_of_photos_in_a_wide_space_are_srgb(write_photo, prepare, tmp_path, size):
    path = write_photo("a.png", size=size, icc_profile=rgb_profile("Display P3"))
    prepare(max_size=160)
    with Image.open(tmp_path / "work" / "a.png") as copy:
        assert "icc_profile" not in copy.info
    with Image.open(path) as image:
        expected = in_srgb(np.array(image.resize((160, 120), Image.Resampling.BOX)), "Display P3")
    difference = np.abs(pixels(tmp_path / "work" / "a.png").astype(int) - expected)
    assert np.median(difference) <= 2


def test_numbers_that_are_no_photo_and_huge_photos_are_named(write_photo, prepare, monkeypatch):
    write_photo("a.png")
    Image.fromarray(np.full((120, 160), 9e4, np.float32)).save(write_photo("b.tif", mode="F"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    found = prepare()
    assert [photo.name for photo in found.photos] == ["a.png"]
    ((name, reason),) = found.left_out
    assert name == "b.tif"
    assert "save it as a photo with 8 or 16 bits" in reason


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(write_photo, prepare, tmp_path, orientation):
    upright = texture(1, 160, 120)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    image = Image.fromarray(upright)
    if orientation > 1:
        image = image.transpose(undo[orientation])
    path = tmp_path / "photos" / "a.png"
    path.parent.mkdir()
    image.save(path, exif=exif(orientation, details={FOCAL_LENGTH_35MM: 26}))
    (photo,) = prepare().photos
    assert (photo.width, photo.height) == (160, 120)
    assert photo.focal == pytest.approx(26 / 43.27 * 200)
    np.testing.assert_array_equal(pixels(tmp_path / "work" / "a.png"), upright)


def test_large_photos_are_shrunk_and_the_focal_length_with_them(write_photo, prepare, tmp_path):
    write_photo("a.jpg", size=(800, 600), tags=exif(6, details={FOCAL_LENGTH_35MM: 26}), quality=95)
    (photo,) = prepare(max_size=200).photos
    assert (photo.width, photo.height) == (150, 200)
    assert photo.focal == pytest.approx(26 / 43.27 * 250)
    expected = Image.fromarray(np.rot90(texture(0, 800, 600), -1)).resize((150, 200))
    difference = pixels(tmp_path / "work" / "a.jpg").astype(int) - np.asarray(expected)
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize(("name", "mode", "written"), [
    ("a.tif", "RGB", "a.png"), ("a.bmp", "RGB", "a.png"), ("a.webp", "RGB", "a.jpg"),
    ("a.png", "RGBA", "a.png"), ("a.png", "P", "a.png"), ("a.jpg", "CMYK", "a.jpg"),
    ("a.png", "I;16", "a.png"), ("a.JPG", "L", "a.JPG"),
])  # fmt: skip
def test_any_format_becomes_one_that_everyone_reads(
    write_photo, prepare, tmp_path, name, mode, written
):
    write_photo(name, mode=mode)
    (photo,) = prepare().photos
    assert photo.name == written
    with Image.open(tmp_path / "work" / written) as image:
        assert image.mode in ("RGB", "L")
        assert image.format in ("JPEG", "PNG")


def test_damaged_photos_are_named_and_the_rest_is_used(write_photo, prepare, tmp_path):
    write_photo("good.jpg")
    truncated = write_photo("truncated.jpg", seed=1)
    truncated.write_bytes(truncated.read_bytes()[:2000])
    (tmp_path / "photos" / "text.jpg").write_text("no photo")
    (tmp_path / "photos" / "empty.png").write_bytes(b"")
    write_photo("tiny.png", size=(20, 200))
    found = prepare(threads=2)
    assert [photo.name for photo in found.photos] == ["good.jpg"]
    reasons = dict(found.left_out)
    assert set(reasons) == {"truncated.jpg", "text.jpg", "empty.png", "tiny.png"}
    assert "damaged" in reasons["truncated.jpg"]
    assert "20×200" in reasons["tiny.png"]
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["good.jpg"]


def test_stopping_keeps_what_is_written_and_going_on_does_not_write_it_again(
    write_photo, prepare, tmp_path
):
    for number in range(4):
        write_photo(f"{number}.jpg", seed=number)
    answers = iter([False, False, True])
    with pytest.raises(Interrupted):
        prepare(should_stop=lambda: next(answers))
    written = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert written == ["0.jpg", "1.jpg"]
    (tmp_path / "work" / "0.jpg").write_bytes(b"left as it is")
    found = prepare()
    assert len(found.photos) == 4
    assert (tmp_path / "work" / "0.jpg").read_bytes() == b"left as it is"


def test_a_folder_that_cannot_be_written(write_photo, prepare, tmp_path):
    write_photo("a.jpg")
    (tmp_path / "work").write_text("a file")
    with pytest.raises(CgcError, match="could not be written"):
        prepare()


def test_a_phone_held_both_ways_makes_two_cameras_of_one_focal_length(write_photo, prepare):
    for number in range(4):
        write_photo(
            f"{number}.jpg",
            tags=exif(6 if number % 2 else 1, ("M", "P"), {FOCAL_LENGTH_35MM: 26}),
        )
    groups = group_cameras(prepare().photos)
    assert [(group.width, group.height) for group in groups] == [(160, 120), (120, 160)]
    assert groups[0].focal == groups[1].focal
    assert replace(groups[0], width=0, height=0, files=()) == replace(
        groups[1], width=0, height=0, files=()
    )


@pytest.mark.parametrize(("name", "written"), [("a.png", "a.png"), ("a.webp", "a.png")])
def test_cut_out_photos_stay_cut_out(write_photo, prepare, tmp_path, name, written):
    path = write_photo(name, size=(320, 240))
    with Image.open(path) as image:
        picture = np.array(image.convert("RGB"))
    alpha = np.zeros((240, 320), np.uint8)
    alpha[60:180, 80:240] = 255
    Image.fromarray(np.dstack([picture, alpha])).save(path, lossless=True)
    (photo,) = prepare(max_size=160).photos
    assert photo.name == written
    with Image.open(tmp_path / "work" / written) as image:
        copy = np.array(image)
    assert copy.shape == (120, 160, 4)
    assert (copy[40:80, 50:110, 3] == 255).all()
    assert (copy[:20] == 0).all()  # what is hidden there did not move with the thing


def test_panoramas_are_left_out_and_said(write_photo, prepare):
    write_photo("ordinary.jpg")
    names = [f"round_{number}.jpg" for number in range(3)]
    for seed, name in enumerate(names):
        path = write_photo(name, size=(512, 256), seed=seed)
        Image.fromarray(panorama(seed)).save(path, quality=95)
    found = prepare()
    assert [photo.name for photo in found.photos] == ["ordinary.jpg"]
    assert {name for name, _ in found.left_out} == set(names)
    assert all("360° panorama" in reason for _, reason in found.left_out)
