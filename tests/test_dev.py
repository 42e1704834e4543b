# SPDX-License-Identifier: GPL-3.0-or-later
"""`dev.py` makes the right environment, once, and its checks fail when one of them fails."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "wheels" / "requirements.lock", ROOT / "wheels" / "requirements-dev.lock"]
WANTED = {"torch": "cpu", "runtime": "a"}


@pytest.fixture(scope="module")
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(tmp_path, dev) -> Path:
    """A folder whose interpreter is this one."""
    python = dev.environment_python(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


def locked(*locks: Path) -> list[Requirement]:
    lines = [line.strip() for lock in locks for line in lock.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_help_names_every_command_and_needs_no_environment() -> None:
    result = call("--help")
    assert result.returncode == 0
    assert all(f"dev.py {command}" in result.stdout for command in ("setup", "demo", "run", "test"))


@pytest.mark.parametrize("arguments", [[], ["tset"], ["setup", "now"]])
def test_bad_arguments_end_with_2(arguments) -> None:
    assert call(*arguments).returncode == 2


def test_a_wrong_choice_of_torch_is_one_clear_line() -> None:
    result = call("setup", CGC_TORCH="rocm")
    assert result.returncode == 1
    assert result.stderr == "dev.py: CGC_TORCH is 'rocm'; set it to cpu or cuda, or not at all.\n"


def test_it_uses_the_standard_library_alone() -> None:
    imported = re.findall(r"(?m)^(?:import|from) (\w+)", (ROOT / "dev.py").read_text("utf-8"))
    assert len(imported) > 5
    assert set(imported) <= sys.stdlib_module_names


@pytest.mark.parametrize("build", ["cpu", "cuda"])
def test_the_build_of_torch_can_be_chosen(dev, monkeypatch, build) -> None:
    monkeypatch.setenv("CGC_TORCH", build)
    assert dev.torch_build() == build


@pytest.mark.parametrize(("answer", "expected"), [("GPU 0: a card", "cuda"), ("No devices", "cpu")])
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="has an NVIDIA card")
def test_an_nvidia_card_brings_the_cuda_build(dev, monkeypatch, tmp_path, answer, expected) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CGC_TORCH", raising=False)
    assert dev.torch_build() == expected


def test_the_cpu_build_has_its_own_source_where_the_ordinary_one_is_cuda(dev) -> None:
    assert dev.torch_sources("cpu", "Linux")[1].endswith("/whl/cpu")
    assert dev.torch_sources("cpu", "Darwin") == []
    assert dev.torch_sources("cpu", "Windows") == []
    assert dev.torch_sources("cuda", "Linux") == []


def test_an_environment_without_interpreter_is_made(dev, tmp_path) -> None:
    assert dev.what_to_do(tmp_path, {}, WANTED) == "make"


def test_an_interrupted_set_up_is_made_anew(dev, environment) -> None:
    dev.write_stamp(environment, {"state": "unfinished"})
    assert dev.what_to_do(environment, dev.read_stamp(environment), WANTED) == "make"


def test_an_environment_made_by_hand_is_updated(dev, environment) -> None:
    assert dev.what_to_do(environment, dev.read_stamp(environment), WANTED) == "update"


def test_an_environment_is_kept_while_the_locks_are_the_same(dev, environment) -> None:
    dev.write_stamp(environment, {"state": "finished", **WANTED})
    stamp = dev.read_stamp(environment)
    assert dev.what_to_do(environment, stamp, WANTED) == "keep"
    assert dev.what_to_do(environment, stamp, {**WANTED, "runtime": "b"}) == "update"
    assert dev.what_to_do(environment, stamp, {**WANTED, "checks": "c"}) == "update"
    assert dev.what_to_do(environment, stamp, {**WANTED, "torch": "cuda"}) == "make"


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_a_damaged_stamp_counts_as_none(dev, environment, content) -> None:
    (environment / "set-up.json").write_text(content)
    assert dev.read_stamp(environment) == {}


def test_an_interpreter_that_does_not_start_is_seen(dev, environment) -> None:
    python = dev.environment_python(environment)
    assert dev.runs(python)
    python.unlink()
    assert not dev.runs(python)
    python.write_text("no program")
    assert not dev.runs(python)
    python.chmod(0o755)
    assert not dev.runs(python)


def test_one_failing_check_fails_them_all_and_the_rest_still_run(dev, capfd) -> None:
    steps = [
        ("first", [sys.executable, "-c", "print('one')"]),
        ("second", [sys.executable, "-c", "raise SystemExit(3)"]),
        ("third", [sys.executable, "-c", "print('three')"]),
    ]
    assert dev.run_checks(steps) == 1
    output, errors = capfd.readouterr()
    assert re.search(r"== first: good, \d+\.\d s", output)
    assert "== second: FAILED with exit code 3" in output
    assert "three" in output
    assert "failed: second." in errors
    assert dev.run_checks(steps[::2]) == 0


def test_a_check_that_is_missing_fails(dev, tmp_path) -> None:
    assert dev.run_checks([("none", [str(tmp_path / "none")])]) == 1


def test_children_find_the_package_and_do_not_spin(dev, monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    variables = dev.child_environment()
    assert variables["OMP_WAIT_POLICY"] == "passive"
    assert Path(variables["PYTHONPATH"]) == ROOT


def test_locks_hold_exact_versions_and_no_package_twice() -> None:
    for version in ("3.11", "3.12", "3.13"):
        for system in ("linux", "win32", "darwin"):
            place = {"python_version": version, "sys_platform": system}
            names = []
            for requirement in locked(*LOCKS):
                assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
                if requirement.marker is None or requirement.marker.evaluate(place):
                    names.append(canonicalize_name(requirement.name))
            assert len(names) == len(set(names))


@pytest.mark.parametrize("locks", [LOCKS[:1], LOCKS], ids=["runtime", "checks"])
def test_locks_hold_what_the_locked_packages_need(locks) -> None:
    requirements = [item for item in locked(*locks) if not item.marker or item.marker.evaluate()]
    versions = {canonicalize_name(item.name): str(item.specifier)[2:] for item in requirements}
    looked_at = 0
    for item in requirements:
        try:
            distribution = importlib.metadata.distribution(item.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        looked_at += 1
        # Builds carry a mark of their own after a plus sign: 2.13.0+cpu.
        assert distribution.version.split("+")[0] == versions[canonicalize_name(item.name)]
        for text in distribution.requires or []:
            need = Requirement(text)
            name = canonicalize_name(need.name)
            if need.marker and not any(
                need.marker.evaluate({"extra": extra}) for extra in ("", *item.extras)
            ):
                continue
            if name.startswith(("nvidia-", "cuda-")) or name == "triton":
                continue  # the CUDA build of torch pins these itself
            assert name in versions, f"{item.name} needs {name}"
            assert need.specifier.contains(versions[name]), f"{item.name} needs {text}"
    assert looked_at > 20


def test_the_lock_is_hashed_alike_on_every_system(dev, tmp_path) -> None:
    unix, windows, other = (tmp_path / name for name in ("unix", "windows", "other"))
    unix.write_bytes(b"a==1\nb==2\n")
    windows.write_bytes(b"a==1\r\nb==2\r\n")
    other.write_bytes(b"a==1\nb==3\n")
    assert dev.digest(unix) == dev.digest(windows) != dev.digest(other)
    assert dev.digest(unix, other) != dev.digest(other, unix)
