# SPDX-License-Identifier: GPL-3.0-or-later
"""SOG files of other programs are read as these read them; damaged ones are refused clearly."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.errors import CgcError
from cgc_addon.splats.pillow_pictures import pillow_codec
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.read import read_splat as read_file
from cgc_addon.splats.rotations import matrices, normalised

from . import foreign_files as foreign

FOREIGN = Path(__file__).parent / "made_by_splat_transform"


def read_splat(path: Path):
    return read_file(path, pillow_codec())


def picture(rows: np.ndarray, width: int) -> bytes:
    """A lossless WebP of rows (N, 3 or 4), with spare pixels at the end."""
    rows = np.asarray(rows, np.uint8)
    height = -(-len(rows) // width)
    pixels = np.full((height * width, 4), 255, np.uint8)
    pixels[: len(rows), : rows.shape[1]] = rows
    file = io.BytesIO()
    image = Image.fromarray(pixels.reshape(height, width, 4), "RGBA")
    image.save(file, "WEBP", lossless=True, exact=True)
    return file.getvalue()


def parts(splat, width: int = 8) -> tuple[dict, dict[str, bytes]]:
    """The description and the pictures of a file, straight from the specification."""
    count, degree = len(splat), splat.sh_degree
    logarithms = np.sign(splat.means) * np.log1p(np.abs(splat.means))
    low, high = logarithms.min(axis=0), logarithms.max(axis=0)
    fine = np.round((logarithms - low) / (high - low) * 65535).astype(int)
    scales = np.linspace(splat.log_scales.min(), splat.log_scales.max(), 256)
    colors = np.linspace(splat.sh[:, 0].min(), splat.sh[:, 0].max(), 256)

    def index(values: np.ndarray, book: np.ndarray) -> np.ndarray:
        return np.abs(np.asarray(values)[..., None] - book).argmin(axis=-1)

    quats = normalised(splat.quats)
    rotations = []
    for quat in quats:
        largest = int(np.abs(quat).argmax())
        others = np.delete(quat * np.sign(quat[largest]), largest)
        rotations.append([*np.round((others / 2**0.5 + 0.5) * 255), 252 + largest])
    opacities = np.round(foreign.sigmoid(splat.logit_opacities) * 255)
    files = {
        "low.webp": picture(fine & 255, width),
        "high.webp": picture(fine >> 8, width),
        "scales.webp": picture(index(splat.log_scales, scales), width),
        "quats.webp": picture(np.array(rotations), width),
        "sh0.webp": picture(np.column_stack([index(splat.sh[:, 0], colors), opacities]), width),
    }
    meta = {
        "version": 2,
        "count": count,
        "means": {"mins": low.tolist(), "maxs": high.tolist(), "files": ["low.webp", "high.webp"]},
        "scales": {"codebook": scales.tolist(), "files": ["scales.webp"]},
        "quats": {"files": ["quats.webp"]},
        "sh0": {"codebook": colors.tolist(), "files": ["sh0.webp"]},
        "of another program": [1, 2],
    }
    if degree:
        rest = splat.sh[:, 1:]
        book = np.linspace(rest.min(), rest.max(), 256)
        # Entry n of the palette belongs to Gaussian N - 1 - n.
        entries = index(rest[::-1], book).reshape(count, -1, 3)
        padded = np.zeros((-(-count // 64) * 64, *entries.shape[1:]), int)
        padded[:count] = entries
        labels = np.arange(count)[::-1]
        files["centroids.webp"] = picture(padded.reshape(-1, 3), 64 * entries.shape[1])
        files["labels.webp"] = picture(
            np.column_stack([labels & 255, labels >> 8, labels * 0]), width
        )
        meta["shN"] = {
            "count": count,
            "bands": degree,
            "codebook": book.tolist(),
            "files": ["centroids.webp", "labels.webp"],
        }
    return meta, files


def bundle(path: Path, meta: object, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", meta if isinstance(meta, bytes) else json.dumps(meta))
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_a_file_as_the_specification_has_it(tmp_path, make_gaussians, degree) -> None:
    splat = make_gaussians(300, degree=degree)
    found = read_splat(bundle(tmp_path / "cloud.sog", *parts(splat, width=20)))
    assert (found.dropped, found.notes, found.gaussians.sh_degree) == (0, (), degree)
    back = found.gaussians
    np.testing.assert_allclose(back.means, splat.means, atol=4e-4)
    step = np.ptp(splat.log_scales) / 255
    np.testing.assert_allclose(back.log_scales, splat.log_scales, atol=0.51 * step)
    np.testing.assert_allclose(matrices(back.quats), matrices(splat.quats), atol=0.015)
    opacities = foreign.sigmoid(back.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=0.51 / 255)
    for own in (slice(0, 1), slice(1, None)):
        if splat.sh[:, own].size:
            step = np.ptp(splat.sh[:, own]) / 255
            np.testing.assert_allclose(back.sh[:, own], splat.sh[:, own], atol=0.51 * step)


def test_a_file_of_splat_transform() -> None:
    ours, theirs = read_splat(FOREIGN / "cloud.sog"), read_ply(FOREIGN / "cloud_sog.ply")
    assert (ours.dropped, ours.notes) == (0, ())
    for name in ("means", "log_scales", "sh"):
        expected = getattr(theirs.gaussians, name)
        np.testing.assert_allclose(getattr(ours.gaussians, name), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        matrices(ours.gaussians.quats), matrices(theirs.gaussians.quats), atol=1e-6
    )
    np.testing.assert_allclose(
        foreign.sigmoid(ours.gaussians.logit_opacities),
        foreign.sigmoid(theirs.gaussians.logit_opacities),
        atol=1e-6,
    )


def test_the_contents_count_and_not_the_ending(tmp_path, make_gaussians) -> None:
    path = bundle(tmp_path / "cloud.ply", *parts(make_gaussians(9)))
    assert len(read_splat(path).gaussians) == 9


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda meta: meta.update(version=3), "SOG of version 3; version 2 is read"),
        (lambda meta: meta.pop("version"), "SOG of version 1; version 2 is read"),
        (lambda meta: meta.update(count=0), "`count` in its meta.json is no number above 0"),
        (lambda meta: meta.update(count="9"), "`count` in its meta.json is no number above 0"),
        (lambda meta: meta.update(count=10**12), "fewer pixels than 1000000000000 Gaussians"),
        (lambda meta: meta.pop("means"), "`means.files` in its meta.json does not name 2"),
        (lambda meta: meta["means"].pop("mins"), "`means.mins` in its meta.json is no list of 3"),
        (lambda meta: meta["means"].update(maxs=[1, 2]), "`means.maxs`"),
        (lambda meta: meta["means"].update(maxs=[1, 2, float("nan")]), "`means.maxs`"),
        (lambda meta: meta["scales"].update(codebook=[1.0] * 255), "`scales.codebook`.* 256"),
        (lambda meta: meta["scales"].update(codebook=["x"] * 256), "`scales.codebook`.* 256"),
        (lambda meta: meta["sh0"].update(files=["none.webp"]), "it has no none.webp"),
        (lambda meta: meta["quats"].update(files=["sh0.webp"]), "rotation of Gaussian"),
        (lambda meta: meta["shN"].update(bands=4), "harmonics of degree 4 cannot be"),
        (lambda meta: meta["shN"].update(bands=2), "of another size than they need"),
        (lambda meta: meta["shN"].update(count=5), "a Gaussian has harmonics 8 of 5"),
        (lambda meta: meta["shN"].update(count=65), "of another size than they need"),
        (lambda meta: meta["shN"].update(files=["labels.webp"]), "`shN.files`"),
    ],
)
def test_a_description_that_cannot_be_is_refused(tmp_path, make_gaussians, change, reason) -> None:
    meta, files = parts(make_gaussians(9))
    change(meta)
    path = bundle(tmp_path / "cloud.sog", meta, files)
    with pytest.raises(CgcError, match=rf"cloud\.sog is .*{reason}.*(export|copy)"):
        read_splat(path)


@pytest.mark.parametrize(
    ("meta", "reason"),
    [(b"{", "is no JSON"), (b"[" * 5000, "is no JSON"), (b"[1]", "is no object"), (b"1", "object")],
)
def test_a_description_that_is_none_is_refused(tmp_path, meta, reason) -> None:
    with pytest.raises(CgcError, match=rf"cloud\.sog is damaged.*{reason}"):
        read_splat(bundle(tmp_path / "cloud.sog", meta, {}))


def test_a_picture_that_is_none_is_refused(tmp_path, make_gaussians) -> None:
    meta, files = parts(make_gaussians(9))
    for content in (b"", b"RIFF", files["quats.webp"][:40]):
        path = bundle(tmp_path / "cloud.sog", meta, {**files, "quats.webp": content})
        with pytest.raises(CgcError, match=r"quats\.webp in it is no picture"):
            read_splat(path)


def test_a_zip_of_other_things_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(CgcError, match=r"photos\.zip is a zip file, but no SOG"):
        read_splat(tmp_path / "photos.zip")


def test_truncations_and_flipped_bytes_are_refused(tmp_path, make_gaussians) -> None:
    path = bundle(tmp_path / "cloud.sog", *parts(make_gaussians(9)))
    content = path.read_bytes()
    for length in [*range(4, len(content), 211), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CgcError, match=r"cloud\.sog is"):
            read_splat(path)
    for place in range(0, len(content), 53):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        with suppress(CgcError):
            assert len(read_splat(path).gaussians) == 9  # some bytes mean nothing


def test_where_nobody_reads_pictures_it_is_said(tmp_path, make_gaussians) -> None:
    path = bundle(tmp_path / "cloud.sog", *parts(make_gaussians(9)))
    with pytest.raises(CgcError, match=r"cloud\.sog holds pictures; export the splat as PLY"):
        read_file(path)
