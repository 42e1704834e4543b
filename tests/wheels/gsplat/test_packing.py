# SPDX-License-Identifier: GPL-3.0-or-later
"""A packed wheel is one that pip takes, of gsplat's own files and the module, and nothing else."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile

import pytest

from wheels.gsplat.packing import Fitting, pack

MODULE = "csrc.cpython-311-x86_64-linux-gnu.so"
ORIGINAL = {
    "gsplat/__init__.py": b"from .version import __version__\n",
    "gsplat/version.py": b'__version__ = "1.5.3"\n',
    "gsplat/cuda/_backend.py": b"from gsplat import csrc as _C\n",
    "gsplat/cuda/ext.cpp": b"// binds",
    "gsplat/cuda/csrc/AdamCUDA.cu": b"// adam",
    "gsplat/cuda/csrc/third_party/glm/copying.txt": b"The Happy Bunny License",
    "gsplat/cuda/include/Ops.h": b"// ops",
    "gsplat-1.5.3.dist-info/METADATA": (
        b"Metadata-Version: 2.4\nName: gsplat\nVersion: 1.5.3\n"
        b"Summary:  Python package for gaussians\nLicense-File: LICENSE\n"
        b"Requires-Dist: ninja\nRequires-Dist: torch\n"
        b'Requires-Dist: typing_extensions; python_version < "3.8"\n'
        b'Provides-Extra: dev\nRequires-Dist: pytest==7.1.2; extra == "dev"\n\n'
    ),
    "gsplat-1.5.3.dist-info/WHEEL": b"Root-Is-Purelib: true\nTag: py3-none-any\n",
    "gsplat-1.5.3.dist-info/RECORD": b"",
    "gsplat-1.5.3.dist-info/top_level.txt": b"gsplat\n",
    "gsplat-1.5.3.dist-info/licenses/LICENSE": b"Apache License",
}
INFO = "gsplat-1.5.3+pt213cu130.dist-info"


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "gsplat-1.5.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in ORIGINAL.items():
            wheel.writestr(name, data)
    return path


@pytest.fixture
def module(tmp_path):
    path = tmp_path / MODULE
    path.write_bytes(b"\x7fELF kernels" * 1000)
    return path


def _packed(original, module, tmp_path, tag="cp311", platform="linux_x86_64"):
    fitting = Fitting("2.13.0", "13.0", tag, platform)
    path = pack(original, module, fitting, tmp_path / "out")
    with zipfile.ZipFile(path) as wheel:
        assert wheel.testzip() is None
        return path, {name: wheel.read(name) for name in wheel.namelist()}


@pytest.mark.parametrize(
    ("tag", "platform"),
    [("cp311", "linux_x86_64"), ("cp313", "linux_x86_64"), ("cp311", "win_amd64")],
)
def test_the_name_says_what_it_fits(original, module, tmp_path, tag, platform):
    path, contents = _packed(original, module, tmp_path, tag, platform)
    assert path.name == f"gsplat-1.5.3+pt213cu130-{tag}-{tag}-{platform}.whl"
    lines = contents[f"{INFO}/WHEEL"].decode().splitlines()
    assert f"Tag: {tag}-{tag}-{platform}" in lines
    assert "Root-Is-Purelib: false" in lines
    assert not list(path.parent.glob("*.part"))


def test_it_holds_gsplats_python_the_module_and_the_licenses(original, module, tmp_path):
    _, contents = _packed(original, module, tmp_path)
    assert set(contents) == {
        *("gsplat/__init__.py", "gsplat/version.py", "gsplat/cuda/_backend.py"),
        f"gsplat/{MODULE}",
        *(f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "top_level.txt")),
        *(f"{INFO}/licenses/LICENSE", f"{INFO}/licenses/glm/copying.txt"),
    }
    for name, data in contents.items():
        if name in ORIGINAL:
            assert data == ORIGINAL[name]
    assert contents[f"gsplat/{MODULE}"] == module.read_bytes()


def test_the_record_names_each_file_with_its_digest_and_size(original, module, tmp_path):
    _, contents = _packed(original, module, tmp_path)
    rows = list(csv.reader(io.StringIO(contents[f"{INFO}/RECORD"].decode())))
    assert {row[0] for row in rows} == set(contents)
    for name, digest, size in rows:
        if name == f"{INFO}/RECORD":
            assert (digest, size) == ("", "")
            continue
        expected = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest())
        assert digest == f"sha256={expected.decode().rstrip('=')}"
        assert int(size) == len(contents[name])


def test_its_metadata_asks_for_the_one_pytorch_that_it_fits(original, module, tmp_path):
    _, contents = _packed(original, module, tmp_path)
    lines = contents[f"{INFO}/METADATA"].decode().splitlines()
    assert "Version: 1.5.3+pt213cu130" in lines
    assert "Requires-Dist: torch==2.13.0" in lines
    assert "Requires-Dist: torch" not in lines
    for kept in ("Name: gsplat", "Requires-Dist: ninja", "Requires-Dist: packaging"):
        assert lines.count(kept) == 1
    assert 'Requires-Dist: pytest==7.1.2; extra == "dev"' in lines


def test_the_same_module_gives_the_same_wheel(original, module, tmp_path):
    first = _packed(original, module, tmp_path)[0].read_bytes()
    second = _packed(original, module, tmp_path)[0].read_bytes()
    assert first == second


def test_pip_installs_it(original, module, tmp_path):
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    path, _ = _packed(original, module, tmp_path, tag)
    target = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--disable-pip-version-check", "--target", target),
            *("--platform", "linux_x86_64", "--only-binary=:all:", path),
        ],
        check=True,
    )
    assert (target / "gsplat" / MODULE).read_bytes() == module.read_bytes()
    assert (target / INFO / "METADATA").is_file()
