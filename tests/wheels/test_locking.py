# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock is made of what pip would take on another machine; one that is not whole is refused."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from development.environments import SetupError
from tests.wheels.tiny_wheels import make_wheel
from wheels import locking
from wheels.locking import resolve, torch_of_its_own_index
from wheels.pip_asked import FoundWheel
from wheels.pytorch_index import known_torch
from wheels.targets import Target

WINDOWS = Target("windows-x64", "3.13", "cpu")
LINUX_CUDA = Target("linux-x64", "3.11", "cuda")


@pytest.fixture
def required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of requirements that stands for the repository's."""
    path, pip = tmp_path / "requirements.lock", tmp_path / "pip.lock"
    pip.write_text("packaging==26.3\npip==26.3\n")
    monkeypatch.setattr(locking, "REQUIREMENTS", path)
    monkeypatch.setattr(locking, "INSTALLER", pip)
    return path


def test_the_wheels_are_those_of_the_target(index: Path, required: Path) -> None:
    required.write_text(
        'torch==2.0\nfast==1.5 ; sys_platform == "win32"\nother==1 ; os_name == "x"\n'
    )
    make_wheel(index, "pip", "26.3")
    torch = make_wheel(index, "torch", "2.0", ["fast>=1"], "cp313-cp313-win_amd64")
    make_wheel(index, "torch", "2.0", [], "cp313-cp313-manylinux_2_28_x86_64")
    make_wheel(index, "fast", "1.5", [], "cp311-cp311-win_amd64")
    fast = make_wheel(index, "fast", "1.5", ['ninja ; extra == "x"'], "cp312-abi3-win_amd64")

    lock = resolve(WINDOWS)

    assert [package.name for package in lock.packages] == ["pip", "fast", "torch"]
    assert [package.file for package in lock.packages][1:] == [fast.name, torch.name]
    assert lock.packages[2].sha256 == hashlib.sha256(torch.read_bytes()).hexdigest()
    assert lock.packages[2].bytes == torch.stat().st_size
    assert lock.indexes == ()
    files = [index / package.file for package in lock.packages]
    contents = [entry for file in files for entry in zipfile.ZipFile(file).infolist()]
    assert lock.installed_bytes == sum(entry.file_size for entry in contents)


def test_a_build_with_a_mark_is_not_taken_for_the_plain_one(index: Path, required: Path) -> None:
    required.write_text("torch==2.0\n")
    make_wheel(index, "pip", "26.3")
    make_wheel(index, "torch", "2.0")
    make_wheel(index, "torch", "2.0+cpu")
    assert resolve(WINDOWS).packages[1].version == "2.0"


def test_what_torch_for_cuda_pins_is_added_with_its_extras(index: Path, required: Path) -> None:
    required.write_text("torch==2.0\n")
    make_wheel(index, "pip", "26.3")
    make_wheel(index, "torch", "2.0", ['cuda-toolkit[blas]==13.0 ; platform_system == "Linux"'])
    make_wheel(index, "cuda-toolkit", "13.0", ['nvidia-blas==5 ; extra == "blas"'])
    make_wheel(index, "nvidia-blas", "5")
    make_wheel(index, "nvidia-blas", "6")
    versions = {package.name: package.version for package in resolve(LINUX_CUDA).packages}
    assert versions == {"pip": "26.3", "torch": "2.0", "cuda-toolkit": "13.0", "nvidia-blas": "5"}


def test_a_package_that_the_requirements_lack_is_no_guess(index: Path, required: Path) -> None:
    required.write_text("torch==2.0\n")
    make_wheel(index, "pip", "26.3")
    make_wheel(index, "torch", "2.0", ["sympy>=1"])
    make_wheel(index, "sympy", "1.14")
    with pytest.raises(
        SetupError, match="not complete: torch asks for sympy>=1, the lock lacks it"
    ):
        resolve(WINDOWS)


def test_a_wheel_that_is_built_for_another_system_only_is_told(index: Path, required: Path) -> None:
    required.write_text("torch==2.0\n")
    make_wheel(index, "pip", "26.3")
    make_wheel(index, "torch", "2.0", [], "cp313-cp313-macosx_14_0_arm64")
    with pytest.raises(SetupError, match=r"pip finds no wheel: .*torch"):
        resolve(WINDOWS)


LINUX = Target("linux-x64", "3.13", "cpu")
FILE = "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl"


def index_tells(monkeypatch: pytest.MonkeyPatch, file: str, sha256: str | None) -> None:
    def find(*_: object) -> list[FoundWheel]:
        address = f"https://download.pytorch.org/whl/cpu/{file.replace('+', '%2B')}"
        return [FoundWheel("torch", "2.13.0+cpu", address, sha256, ())]

    monkeypatch.setattr(locking, "find_wheels", find)


def test_the_index_may_confirm_a_known_file_or_tell_no_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = known_torch("2.13.0", LINUX)
    assert known.name == FILE
    for sha256 in (known.sha256, None):
        index_tells(monkeypatch, FILE, sha256)
        assert torch_of_its_own_index(Requirement("torch==2.13.0"), LINUX) == known


def test_an_index_that_has_another_file_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = known_torch("2.13.0", LINUX)
    for file, sha256 in ((FILE, "0" * 64), (FILE.replace("28", "34"), known.sha256)):
        index_tells(monkeypatch, file, sha256)
        with pytest.raises(SetupError, match="find out which is right"):
            torch_of_its_own_index(Requirement("torch==2.13.0"), LINUX)


def test_where_the_index_has_no_answer_the_known_file_counts(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = torch_of_its_own_index(Requirement("torch==2.13.0"), LINUX)
    assert known == known_torch("2.13.0", LINUX)
    assert "whl/cpu has no answer" in capsys.readouterr().out


def test_a_version_that_nothing_is_known_of_is_told() -> None:
    with pytest.raises(SetupError, match=r"has no torch 2\.99\.0\+cpu for linux-x64-py3\.13-cpu"):
        torch_of_its_own_index(Requirement("torch==2.99.0"), LINUX)
