# SPDX-License-Identifier: GPL-3.0-or-later
"""Models as pycolmap writes them are read back; damaged ones give a sentence, at no cost."""

from __future__ import annotations

import random
import re
import tracemalloc

import numpy as np
import pycolmap
import pytest

from cgc_addon.dataset.colmap.camera_models import CAMERA_MODELS
from cgc_addon.dataset.colmap.model import ColmapModel, read_model
from cgc_addon.errors import CgcError

ALL_MODELS = sorted(set(pycolmap.CameraModelId.__members__) - {"INVALID"})


def assert_same_as_pycolmap(model: ColmapModel, folder):
    """Compare with pycolmap's own reading of `folder`."""
    expected = pycolmap.Reconstruction(folder)
    assert {
        number: (c.model, c.width, c.height, c.params) for number, c in model.cameras.items()
    } == {
        number: (c.model_name, c.width, c.height, tuple(c.params))
        for number, c in expected.cameras.items()
    }
    images = {image.name: image for image in expected.images.values()}
    assert [image.name for image in model.images] == sorted(images)
    for image in model.images:
        pose = images[image.name].cam_from_world().matrix()
        np.testing.assert_allclose(image.world_to_camera[:3], pose, atol=1e-12)
        np.testing.assert_array_equal(image.world_to_camera[3], [0, 0, 0, 1])
        assert image.camera_id == images[image.name].camera_id
    points = [p for _, p in sorted(expected.points3D.items())]
    order = np.lexsort(model.points.T)
    wanted = np.array([p.xyz for p in points], dtype=np.float64).reshape(-1, 3)
    wanted_order = np.lexsort(wanted.T)
    np.testing.assert_array_equal(model.points[order], wanted[wanted_order])
    wanted_colors = np.array([p.color for p in points], dtype=np.uint8).reshape(-1, 3)
    np.testing.assert_array_equal(model.point_colors[order], wanted_colors[wanted_order])


def test_every_camera_model_of_pycolmap_has_an_example_here(camera_examples):
    assert sorted(camera_examples) == ALL_MODELS
    expected = {name: len(model.parameters) for name, model in CAMERA_MODELS.items()}
    assert {name: len(params) for name, params in camera_examples.items()} == expected


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("model", ALL_MODELS)
def test_reads_what_pycolmap_writes(model, binary, make_capture, write_dataset):
    folder = write_dataset(make_capture(model=model), binary=binary) / "sparse/0"
    assert_same_as_pycolmap(read_model(folder), folder)


@pytest.mark.parametrize("binary", [True, False])
def test_reads_a_rig_model_with_tracks(binary, tmp_path):
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig = 2, 2, 3
    options.num_points3D = 40
    model = pycolmap.synthesize_dataset(options)
    (model.write_binary if binary else model.write_text)(tmp_path)
    assert (tmp_path / ("rigs.bin" if binary else "rigs.txt")).exists()
    assert_same_as_pycolmap(read_model(tmp_path), tmp_path)


def test_the_three_classic_files_are_enough(make_capture, write_dataset):
    folder = write_dataset(make_capture()) / "sparse/0"
    (folder / "rigs.bin").unlink()
    (folder / "frames.bin").unlink()
    assert len(read_model(folder).images) == 4


def test_prefers_binary(make_capture, write_dataset):
    folder = write_dataset(make_capture(count=2)) / "sparse/0"
    write_dataset(make_capture(count=4), binary=False)
    assert len(read_model(folder).images) == 2


def test_text_with_byte_order_mark_crlf_comments_and_spaces_in_names(tmp_path):
    (tmp_path / "cameras.txt").write_bytes(
        b"\xef\xbb\xbf# CAMERAS\r\n\r\n7 PINHOLE 10 8 9.5 9 5 4\r\n"
    )
    (tmp_path / "images.txt").write_bytes(
        "# IMAGES\r\n1 2 0 0 0 1 2 3 7 süd\\my photo.jpg\r\n1.5 2.5 -1\r\n"
        "2 3 3 0 0 1 2 3 7 last.jpg".encode()
    )
    (tmp_path / "points3D.txt").write_bytes(b"1 1e0 -2 .5 255 0 7 0.25\r\n")
    model = read_model(tmp_path)
    assert model.cameras[7].params == (9.5, 9.0, 5.0, 4.0)
    assert [image.name for image in model.images] == ["last.jpg", "süd/my photo.jpg"]
    quarter_turn = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # about x, from a quaternion of length 4.2
    np.testing.assert_allclose(model.images[0].world_to_camera[:3, :3], quarter_turn, atol=1e-12)
    np.testing.assert_array_equal(model.points, [[1.0, -2.0, 0.5]])
    np.testing.assert_array_equal(model.point_colors, [[255, 0, 7]])


def write_text(folder, **files: str):
    """Write a text model of one camera, one image and one point, with the given files changed."""
    defaults = {
        "cameras": "1 PINHOLE 10 8 9 9 5 4",
        "images": "1 1 0 0 0 0 0 0 1 a.jpg\n\n",
        "points3D": "1 0 0 1 9 9 9 0",
    }
    for name, text in {**defaults, **files}.items():
        (folder / f"{name}.txt").write_text(text)


@pytest.mark.parametrize(
    ("files", "place", "reason"),
    [
        ({"cameras": "1 PINHOLE 10 8 9 9 5"}, "cameras.txt, line 1", "3 parameters"),
        ({"cameras": "1 PINHOLE 10 8 9 9 5 x"}, "cameras.txt, line 1", "should be CAMERA_ID"),
        ({"cameras": "\n1 LENS 10 8 9 9 5 4"}, "cameras.txt, line 2", "camera model 'LENS'"),
        ({"cameras": "1 PINHOLE 10 8 0 9 5 4"}, "cameras.txt, line 1", "not positive: 0"),
        ({"cameras": "1 PINHOLE 10 8 9 -9 5 4"}, "cameras.txt, line 1", "not positive: -9"),
        ({"cameras": "1 PINHOLE 10 8 9 nan 5 4"}, "cameras.txt, line 1", "not finite"),
        ({"cameras": "1 PINHOLE 10 0 9 9 5 4"}, "cameras.txt, line 1", "10×0 px"),
        ({"cameras": "1 PINHOLE 99999999 8 9 9 5 4"}, "cameras.txt, line 1", "99999999×8 px"),
        ({"cameras": "1 PINHOLE 9 8 9 9 5 4\n" * 2}, "cameras.txt, line 2", "another camera"),
        ({"images": "1 1 0 0 0 0 0 0 1"}, "images.txt, line 1", "should be IMAGE_ID"),
        ({"images": "1 nan 0 0 0 0 0 0 1 a.jpg"}, "images.txt, line 1", "pose that is none"),
        ({"images": "1 0 0 0 0 0 0 0 1 a.jpg"}, "images.txt, line 1", "pose that is none"),
        ({"images": "1 1 0 0 0 0 inf 0 1 a.jpg"}, "images.txt, line 1", "pose that is none"),
        ({"images": "1 1 0 0 0 0 0 0 2 a.jpg"}, "images.txt", "uses camera 2"),
        ({"images": "1 1 0 0 0 0 0 0 1 .."}, "images.txt, line 1", "no path below"),
        ({"images": "1 1 0 0 0 0 0 0 1 a\tb.jpg"}, "images.txt, line 1", "no path below"),
        ({"images": "1 1 0 0 0 0 0 0 1 a.jpg\n1 2\n"}, "images.txt, line 2", "triples"),
        ({"images": "# none\n"}, "images.txt", "no image with a pose"),
        (
            {"images": "1 1 0 0 0 0 0 0 1 a.jpg\n\n2 1 0 0 0 0 0 0 1 A.png\n\n"},
            "images.txt",
            "same name up to case and ending",
        ),
        ({"points3D": "1 0 0 x 9 9 9 0"}, "points3D.txt, line 1", "should be POINT3D_ID"),
        ({"points3D": "1 0 0 1 9 9 256 0"}, "points3D.txt, line 1", "between 0 and 255"),
        ({"points3D": "1 0 0 1 9 9"}, "points3D.txt, line 1", "should be POINT3D_ID"),
    ],
)
def test_says_what_is_wrong_and_where(files, place, reason, tmp_path):
    write_text(tmp_path, **files)
    with pytest.raises(CgcError) as caught:
        read_model(tmp_path)
    message = str(caught.value)
    assert place in message
    assert reason in message
    assert message.endswith(".")
    assert "\n" not in message


def test_points_that_are_not_finite_are_dropped_and_counted(tmp_path):
    write_text(tmp_path, points3D="1 nan 0 0 1 1 1 0\n2 1 2 3 4 5 6 0\n3 0 inf 0 1 1 1 0\n")
    model = read_model(tmp_path)
    np.testing.assert_array_equal(model.points, [[1, 2, 3]])
    np.testing.assert_array_equal(model.point_colors, [[4, 5, 6]])
    assert re.search(r"2 of 3 points", model.warnings[0])


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_every_truncation_of_a_binary_file_is_noticed(name, make_capture, write_dataset):
    folder = write_dataset(make_capture(count=2, points=2)) / "sparse/0"
    file = folder / f"{name}.bin"
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(CgcError, match=r"is damaged at byte \d+"):
            read_model(folder)
    file.write_bytes(whole + b"\0")
    with pytest.raises(CgcError, match="1 bytes follow the last"):
        read_model(folder)


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_a_count_beyond_the_file_takes_no_memory(name, make_capture, write_dataset):
    folder = write_dataset(make_capture()) / "sparse/0"
    file = folder / f"{name}.bin"
    file.write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\x0f" + file.read_bytes()[8:])
    with pytest.raises(CgcError, match="it announces 1152921504606846975"):
        read_model(folder)


@pytest.mark.parametrize("binary", [True, False])
def test_random_damage_gives_a_model_or_a_sentence(binary, make_capture, write_dataset):
    folder = write_dataset(make_capture(count=3, model="OPENCV"), binary=binary) / "sparse/0"
    ending = ".bin" if binary else ".txt"
    files = [folder / (name + ending) for name in ("cameras", "images", "points3D")]
    whole = {file: file.read_bytes() for file in files}
    sentences = []
    tracemalloc.start()
    for seed in range(200):
        rng = random.Random(seed)
        file = rng.choice(files)
        data = bytearray(whole[file])
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        reach = rng.choice([16, 100, len(data)])
        for _ in range(rng.choice([1, 1, 2, 8]) if data else 0):
            data[rng.randrange(min(len(data), reach))] = rng.randrange(256)
        file.write_bytes(bytes(data))
        try:
            model = read_model(folder)
        except CgcError as error:
            sentences.append(str(error))
        else:
            assert np.isfinite(model.points).all()
            assert all(np.isfinite(image.world_to_camera).all() for image in model.images)
        file.write_bytes(whole[file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sentences) > 20
    assert all(str(folder) in sentence and "\n" not in sentence for sentence in sentences)
    assert peak < 20_000_000
