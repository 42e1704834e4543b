# SPDX-License-Identifier: GPL-3.0-or-later
"""`dev.py` makes the right environment, once, and its checks fail when one of them fails."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev
from development import blenders, engine, environments
from development.checks import Check, checks, checks_in_blender, run_checks

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "wheels" / "requirements.lock", ROOT / "wheels" / "requirements-dev.lock"]
WANTED = {"torch": "cpu", "runtime": "a"}
THIS_PYTHON = sys.version_info[:2]


@pytest.fixture
def environment(tmp_path) -> Path:
    """A folder whose interpreter is this one."""
    python = environments.python_of(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


@pytest.fixture
def blender(tmp_path, monkeypatch) -> blenders.Blender:
    """A Blender for this very Python; its packages are noted instead of installed."""
    monkeypatch.setattr(blenders, "ROOT", tmp_path)
    monkeypatch.setattr(blenders, "WHEELS", {platform.system(): (platform.machine(),)})
    monkeypatch.setattr(
        blenders, "pip_install", lambda environment, _: (environment / "installed").touch()
    )
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "requirements-blender-9.9.lock").write_text("bpy==9.9.0\n")
    return blenders.Blender("9.9", THIS_PYTHON)


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
    files = [ROOT / "dev.py", *(ROOT / "development").glob("*.py")]
    text = "\n".join(file.read_text("utf-8") for file in files)
    imported = set(re.findall(r"(?m)^(?:import|from) (\w+)", text))
    assert len(imported) > 5
    assert imported <= sys.stdlib_module_names | {"development"}


@pytest.mark.parametrize("build", ["cpu", "cuda"])
def test_the_build_of_torch_can_be_chosen(monkeypatch, build) -> None:
    monkeypatch.setenv("CGC_TORCH", build)
    assert engine.torch_build() == build


@pytest.mark.parametrize(("answer", "expected"), [("GPU 0: a card", "cuda"), ("No devices", "cpu")])
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="has an NVIDIA card")
def test_an_nvidia_card_brings_the_cuda_build(monkeypatch, tmp_path, answer, expected) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CGC_TORCH", raising=False)
    assert engine.torch_build() == expected


def test_the_cpu_build_has_its_own_source_where_the_ordinary_one_is_cuda() -> None:
    assert engine.torch_sources("cpu", "Linux")[1].endswith("/whl/cpu")
    assert engine.torch_sources("cpu", "Darwin") == []
    assert engine.torch_sources("cpu", "Windows") == []
    assert engine.torch_sources("cuda", "Linux") == []


def test_torch_and_torchvision_are_sought_together_and_without_what_they_need() -> None:
    torch, torchvision, option = engine.torch_packages()
    locked_lines = engine.RUNTIME_LOCK.read_text("utf-8").splitlines()
    assert torch.startswith("torch==")
    assert torchvision.startswith("torchvision==")
    assert {torch, torchvision} <= set(locked_lines)
    assert option == "--no-deps"


def test_an_environment_without_interpreter_is_made(tmp_path) -> None:
    assert environments.what_to_do(tmp_path, {}, WANTED) == "make"


def test_an_interrupted_set_up_is_made_anew(environment) -> None:
    environments.write_stamp(environment, {"state": "unfinished"})
    assert (
        environments.what_to_do(environment, environments.read_stamp(environment), WANTED) == "make"
    )


def test_an_environment_made_by_hand_is_updated(environment) -> None:
    assert (
        environments.what_to_do(environment, environments.read_stamp(environment), WANTED)
        == "update"
    )


def test_an_environment_is_kept_while_the_locks_are_the_same(environment) -> None:
    environments.write_stamp(environment, {"state": "finished", **WANTED})
    stamp = environments.read_stamp(environment)
    assert environments.what_to_do(environment, stamp, WANTED) == "keep"
    assert environments.what_to_do(environment, stamp, {**WANTED, "runtime": "b"}) == "update"
    assert environments.what_to_do(environment, stamp, {**WANTED, "checks": "c"}) == "update"
    assert environments.what_to_do(environment, stamp, {**WANTED, "torch": "cuda"}) == "make"


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_a_damaged_stamp_counts_as_none(environment, content) -> None:
    (environment / "set-up.json").write_text(content)
    assert environments.read_stamp(environment) == {}


def test_an_interpreter_that_does_not_start_is_seen(environment) -> None:
    python = environments.python_of(environment)
    assert environments.runs(python)
    python.unlink()
    assert not environments.runs(python)
    python.write_text("no program")
    assert not environments.runs(python)
    python.chmod(0o755)
    assert not environments.runs(python)


def test_one_failing_check_fails_them_all_and_the_rest_still_run(capfd) -> None:
    steps = [
        Check("first", [sys.executable, "-c", "print('one')"]),
        Check("second", [sys.executable, "-c", "raise SystemExit(3)"]),
        Check("third", [sys.executable, "-c", "import os; print(os.environ['A'])"], {"A": "three"}),
    ]
    assert run_checks(steps, os.environ) == 1
    output, errors = capfd.readouterr()
    assert re.search(r"== first: good, \d+\.\d s", output)
    assert "== second: FAILED with exit code 3" in output
    assert "three" in output
    assert "failed: second." in errors
    assert run_checks(steps[::2], os.environ) == 0


@pytest.mark.parametrize("beside", [False, True])
def test_a_check_that_is_missing_fails(tmp_path, beside) -> None:
    missing = Check("none", [str(tmp_path / "none")], beside_others=beside)
    good = Check("good", [sys.executable, "-c", ""], beside_others=beside)
    assert run_checks([missing, good], os.environ) == 1


def test_checks_that_may_run_side_by_side_do_and_each_says_all_it_has_to(tmp_path, capfd) -> None:
    """Each waits for the other to have begun: one after the other, neither would end well."""
    program = (
        "import pathlib, sys, time\n"
        "mine, other = map(pathlib.Path, sys.argv[1:])\n"
        "mine.touch(); print('begun', mine.name, flush=True); end = time.monotonic() + 20\n"
        "while not other.exists() and time.monotonic() < end: time.sleep(0.01)\n"
        "print('ended', mine.name); sys.exit(0 if other.exists() else 3)"
    )
    places = [str(tmp_path / name) for name in ("a", "b")]
    steps = [
        Check(name, [sys.executable, "-c", program, *order], beside_others=True)
        for name, order in (("first", places), ("second", places[::-1]))
    ]
    assert run_checks(steps, os.environ, at_once=2) == 0
    output = capfd.readouterr().out
    for name, file in (("first", "a"), ("second", "b")):
        shown = rf"== {name}\nbegun {file}\nended {file}\n== {name}: good, "
        assert re.search(shown, output)


def test_of_checks_side_by_side_the_failed_ones_are_named(capfd) -> None:
    steps = [
        Check(f"check {code}", [sys.executable, "-c", f"raise SystemExit({code})"],
              beside_others=True)
        for code in (0, 2, 0, 4)
    ]  # fmt: skip
    assert run_checks(steps, os.environ) == 1
    assert "failed: check 2, check 4." in capfd.readouterr().err


def test_a_selection_may_leave_an_environment_without_tests_but_all_tests_may_not() -> None:
    python = Path(sys.executable)
    nothing = [sys.executable, "-c", "raise SystemExit(5)"]
    whole, chosen = checks(python, [])[-1], checks(python, ["-k", "ply"])[-1]
    assert run_checks([Check("whole", nothing, good=whole.good)], os.environ) == 1
    assert run_checks([Check("chosen", nothing, good=chosen.good)], os.environ) == 0


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ([], ["tests/blender", "tests/extension"]),
        (["-k", "ply"], ["tests/blender", "tests/extension", "-k", "ply"]),
        (["tests/blender/conftest.py", "tests/cli", "-x"], ["tests/blender/conftest.py", "-x"]),
        (["tests/cli"], None),
    ],
)
def test_blenders_run_their_folders_or_what_is_named_of_them(arguments, run) -> None:
    steps = checks_in_blender("9.9", Path("blender-python"), Path("engine-python"), arguments)
    assert [step.command[3:] for step in steps] == ([] if run is None else [run])
    assert all(step.variables["CGC_PYTHON"] == "engine-python" for step in steps)


def test_children_find_the_package_and_do_not_spin(monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    variables = dev.child_environment()
    assert variables["OMP_WAIT_POLICY"] == "PASSIVE"
    assert int(variables["GOMP_SPINCOUNT"]) < 5_000  # not for milliseconds
    assert Path(variables["PYTHONPATH"]) == ROOT


def test_a_blender_gets_an_environment_of_its_own_python_once(blender, capsys) -> None:
    python = blenders.find_python(blender)
    interpreter = blenders.set_up(blender, python)
    assert environments.version_of(interpreter) == platform.python_version()
    assert "400 MB" in capsys.readouterr().out
    (blender.environment / "installed").unlink()
    assert blenders.set_up(blender, python) == interpreter
    assert not (blender.environment / "installed").exists()
    blender.lock.write_text("bpy==9.9.1\n")
    blenders.set_up(blender, python)
    assert (blender.environment / "installed").exists()


def test_a_blender_without_its_python_is_skipped_in_plain_words(
    blender, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "home", lambda: blenders.ROOT)
    other = blenders.Blender("9.8", (3, 98))
    monkeypatch.setattr(blenders, "BLENDERS", (other,))
    monkeypatch.delenv("CGC_BLENDER", raising=False)
    assert blenders.for_the_tests() == {}
    assert "SKIPPED: the tests in Blender 9.8: there is no Python 3.98" in capsys.readouterr().out
    assert blenders.for_the_demo() == {}
    assert "goes on without Blender: there is no Python 3.98" in capsys.readouterr().out


def test_no_environment_is_made_where_no_module_is_built(blender, monkeypatch) -> None:
    monkeypatch.setattr(blenders, "WHEELS", {})
    assert blenders.find_python(blender) is None
    assert platform.machine() in blenders.why_none((blender,))


def test_the_demo_takes_the_blender_for_the_python_at_hand(blender, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CGC_BLENDER", raising=False)
    monkeypatch.setattr(blenders, "BLENDERS", (blenders.Blender("9.8", (3, 98)), blender))
    assert Path(blenders.for_the_demo()["CGC_BLENDER"]).is_relative_to(blender.environment)


def test_the_demo_leaves_a_blender_that_is_there_to_itself(blender, monkeypatch) -> None:
    monkeypatch.setattr(blenders, "BLENDERS", (blender,))
    monkeypatch.setenv("CGC_BLENDER", "blender")
    assert blenders.for_the_demo() == {}
    assert not blender.environment.exists()


def test_the_demo_goes_on_when_blender_could_not_be_fetched(blender, monkeypatch, capsys) -> None:
    def fail(*_arguments: object) -> None:
        raise environments.SetupError("pip could not install the packages.")

    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CGC_BLENDER", raising=False)
    monkeypatch.setattr(blenders, "BLENDERS", (blender,))
    monkeypatch.setattr(blenders, "pip_install", fail)
    assert blenders.for_the_demo() == {}
    assert "goes on without Blender: pip could not" in capsys.readouterr().out


@pytest.mark.parametrize("blender", blenders.BLENDERS, ids=lambda blender: blender.version)
def test_each_blender_is_locked_with_the_numpy_it_is_tested_with(blender) -> None:
    requirements = locked(blender.lock)
    assert all(re.fullmatch(r"==[\w.]+", str(item.specifier)) for item in requirements)
    versions = {canonicalize_name(item.name): str(item.specifier)[2:] for item in requirements}
    assert len(versions) == len(requirements)
    assert versions["bpy"].startswith(f"{blender.version}.")
    assert versions["numpy"] == {"4.5": "1.26.4", "5.2": "2.3.4", "5.3": "2.5.5"}[blender.version]
    assert versions["pytest"] == next(
        str(i.specifier)[2:] for i in locked(*LOCKS) if i.name == "pytest"
    )


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


def test_the_lock_is_hashed_alike_on_every_system(tmp_path) -> None:
    unix, windows, other = (tmp_path / name for name in ("unix", "windows", "other"))
    unix.write_bytes(b"a==1\nb==2\n")
    windows.write_bytes(b"a==1\r\nb==2\r\n")
    other.write_bytes(b"a==1\nb==3\n")
    assert environments.digest(unix) == environments.digest(windows) != environments.digest(other)
    assert environments.digest(unix, other) != environments.digest(other, unix)
