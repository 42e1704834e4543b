# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import numpy as np
from PIL import Image

from cgc_addon.reconstruction.transparency import cut_out, write_opacities


def write(path: Path, opacity: np.ndarray | None) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (8, 10, 3), dtype=np.uint8)
    whole = pixels if opacity is None else np.dstack([pixels, opacity])
    Image.fromarray(whole).save(path)
    return pixels


def test_photos_are_cut_out_again_under_their_names(tmp_path: Path) -> None:
    opacity = np.random.default_rng(1).integers(0, 2, (8, 10)).astype(np.uint8) * 255
    write(tmp_path / "photos" / "a%20b.png", opacity)
    write(tmp_path / "photos" / "whole.png", None)
    files = ["a%20b.png", "whole.png"]
    assert write_opacities(tmp_path / "photos", files, tmp_path / "opacities")
    assert [path.name for path in (tmp_path / "opacities").iterdir()] == ["a%20b.png"]

    names = {"a%20b.png": "a b.png", "whole.png": "whole.png", "not placed.png": "x.png"}
    pixels = write(tmp_path / "images" / "a b.png", None)
    write(tmp_path / "images" / "whole.png", None)
    cut_out(tmp_path / "images", tmp_path / "opacities", names)
    with Image.open(tmp_path / "images" / "a b.png") as image:
        np.testing.assert_array_equal(np.array(image), np.dstack([pixels, opacity]))
    with Image.open(tmp_path / "images" / "whole.png") as image:
        assert image.mode == "RGB"
    assert not (tmp_path / "opacities").exists()


def test_without_cut_out_photos_there_is_nothing_to_do(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "a.png", None)
    (tmp_path / "opacities").mkdir()
    (tmp_path / "opacities" / "a.png").write_bytes(b"of an earlier call")
    assert not write_opacities(tmp_path / "photos", ["a.png"], tmp_path / "opacities")
    assert not (tmp_path / "opacities").exists()
