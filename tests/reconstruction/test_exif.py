# SPDX-License-Identifier: GPL-3.0-or-later
import pycolmap
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cgc_addon.reconstruction.exif import ExifFacts, read_exif

from .conftest import FOCAL_LENGTH, FOCAL_LENGTH_35MM, exif

PLANE_RESOLUTION, PLANE_UNIT, WIDTH, HEIGHT = 0xA20E, 0xA210, 0xA002, 0xA003


def facts(path) -> ExifFacts:
    with Image.open(path) as image:
        return read_exif(image)


@pytest.mark.parametrize("focal", [13, 26, 77])
def test_a_phones_focal_length_is_what_colmap_makes_of_it(write_photo, focal):
    path = write_photo("a.jpg", tags=exif(details={FOCAL_LENGTH_35MM: focal}))
    camera = pycolmap.infer_camera_from_image(path)
    assert camera.has_prior_focal_length
    assert facts(path).focal_pixels(160, 120) == pytest.approx(camera.focal_length, rel=1e-9)


def test_a_sensors_resolution_gives_the_focal_length(write_photo):
    # 36 × 24 mm sensor with 6000 × 4000 px; the photo was shrunk since.
    details = {
        FOCAL_LENGTH: 50.0, PLANE_RESOLUTION: 6000 / 3.6, PLANE_UNIT: 3, WIDTH: 6000, HEIGHT: 4000,
    }  # fmt: skip
    path = write_photo("a.jpg", size=(150, 100), tags=exif(details=details))
    assert facts(path).focal_35mm == pytest.approx(50.0, rel=1e-3)
    assert facts(path).focal_pixels(150, 100) == pytest.approx(150 * 50 / 36, rel=1e-3)


@pytest.mark.parametrize("details", [
    {},
    {FOCAL_LENGTH_35MM: 0},
    {FOCAL_LENGTH: 4.2},
    {FOCAL_LENGTH: 50.0, PLANE_RESOLUTION: 72.0, PLANE_UNIT: 2, WIDTH: 6000, HEIGHT: 4000},
])  # fmt: skip
def test_what_exif_does_not_tell_is_unknown(write_photo, details):
    path = write_photo("a.jpg", tags=exif(details=details))
    assert facts(path).focal_35mm is None
    assert facts(path).focal_pixels(100, 100) is None


def test_camera_and_orientation(write_photo):
    path = write_photo("a.jpg", tags=exif(6, ("Maker", "Phone 3\0")))
    assert facts(path) == ExifFacts(6, "Maker Phone 3", None)
    assert facts(path).is_turned
    assert facts(write_photo("b.png")) == ExifFacts(1, "", None)
    assert facts(write_photo("c.jpg", tags=exif(77))).orientation == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(damage=st.binary(max_size=60))
def test_damaged_exif_is_no_error(damage):
    image = Image.new("RGB", (4, 4))
    image.info["exif"] = b"Exif\0\0II*\0" + damage
    assert read_exif(image).orientation in range(1, 9)
