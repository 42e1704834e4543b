# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing, mending and updating: whole or not at all, and a second call succeeds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.installation import install as installing
from cgc_addon.installation import space
from cgc_addon.installation.archive import open_archive
from cgc_addon.installation.checking import check_engine
from cgc_addon.installation.engine import Engine, find_engine, site_packages
from cgc_addon.installation.install import install_engine
from cgc_addon.installation.lock import Lock, parse_lock, this_python
from cgc_addon.progress import Progress

from ..tiny_engine import document_of, write_wheel


@pytest.fixture
def engines(tmp_path: Path) -> Path:
    return tmp_path / "engines"


def value_in(engine: Engine, module: str = "rich") -> str:
    program = f"import {module}; print({module}.VALUE)"
    command = [str(engine.interpreter), "-I", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def installed(engines: Path, lock: Lock) -> Engine:
    return install_engine(engines, lock).engine


def test_an_engine_runs_and_nothing_else_is_left(engines: Path, lock: Lock, offered: Path) -> None:
    told: list[Progress] = []
    result = install_engine(engines, lock, report=told.append)
    assert value_in(result.engine) == "1"
    assert result.changed
    assert result.downloaded == lock.download_size
    assert find_engine(engines, this_python()) == result.engine
    assert names_in(result.engine.home.folder) == ["engine.json", "python-1"]
    shares = [progress.overall for progress in told if progress.overall is not None]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert {"Trying safetensors", "Trying rich"} <= {progress.stage for progress in told}


def test_a_second_call_leaves_an_engine_that_is_well_alone(
    engines: Path, lock: Lock, offered: Path
) -> None:
    first = installed(engines, lock)
    for wheel in offered.iterdir():
        wheel.unlink()
    again = install_engine(engines, lock)
    assert not again.changed
    assert again.engine == first


def test_what_is_damaged_is_mended_without_fetching_the_rest(
    engines: Path, lock: Lock, offered: Path
) -> None:
    first = installed(engines, lock)
    harmed = site_packages(first.environment, first.python) / "rich" / "__init__.py"
    harmed.write_text("VALUE = 'harmed'\n")
    problems = check_engine(first).problems
    assert len(problems) == 1
    assert "rich is damaged" in problems[0]
    (offered / "safetensors-1.0-py3-none-any.whl").unlink()
    mended = installed(engines, lock)
    assert value_in(mended) == "1"
    assert value_in(mended, "safetensors") == "1"
    assert check_engine(mended).problems == ()
    assert names_in(mended.home.folder) == ["engine.json", "python-2"]


def test_an_update_fetches_what_the_new_lock_changes(
    engines: Path, lock: Lock, offered: Path, wheels: list[Path]
) -> None:
    installed(engines, lock)
    newer = write_wheel(offered, "rich", "2.1", "VALUE = 'newer'\n")
    wheels[0].unlink()  # it is there already, and so is pip
    wanted = [lock.packages[1].wheel.file]
    document = document_of([newer])
    document["packages"].append(dict(lock.document["packages"][1]))
    update = parse_lock(document, "update")
    result = install_engine(engines, update)
    assert wanted == ["safetensors-1.0-py3-none-any.whl"]
    assert result.downloaded == newer.stat().st_size
    assert value_in(result.engine) == "newer"
    assert value_in(result.engine, "safetensors") == "1"


def test_a_lock_that_changes_no_package_is_taken_note_of(
    engines: Path, lock: Lock, offered: Path
) -> None:
    first = installed(engines, lock)
    other = parse_lock({**lock.document, "installed_bytes": 1}, "other")
    result = install_engine(engines, other)
    assert not result.changed
    found = find_engine(engines, this_python())
    assert found is not None
    assert found.environment == first.environment
    assert found.lock.digest == other.digest


def test_a_package_that_was_built_anew_under_its_version_is_fetched(
    engines: Path, lock: Lock, offered: Path
) -> None:
    installed(engines, lock)
    write_wheel(offered, "rich", "2.0", "VALUE = 'built anew'\n")
    document = document_of([offered / package.wheel.file for package in lock.packages[1:]])
    assert value_in(installed(engines, parse_lock(document, "update"))) == "built anew"


def test_an_engine_whose_python_is_gone_is_found_out_and_made_anew_without_fetching(
    engines: Path, lock: Lock, offered: Path
) -> None:
    engine = installed(engines, lock)
    settings = engine.environment / "pyvenv.cfg"
    text = settings.read_text().replace("home = ", "home = /gone")
    settings.write_text(text)
    assert "made with the Python in" in engine.problem()
    for wheel in offered.iterdir():
        wheel.unlink()
    mended = install_engine(engines, lock)
    assert mended.downloaded == 0
    assert mended.engine.problem() == ""
    assert value_in(mended.engine) == "1"


@pytest.mark.parametrize("moment", ["Downloading", "Installing", "Trying"])
def test_a_stop_leaves_nothing_half_made_and_the_next_call_succeeds(
    engines: Path, lock: Lock, offered: Path, moment: str
) -> None:
    reached: list[str] = []

    def report(progress: Progress) -> None:
        reached.append(progress.stage)

    def should_stop() -> bool:
        return bool(reached) and reached[-1].startswith(moment)

    with pytest.raises(Interrupted):
        install_engine(engines, lock, report=report, should_stop=should_stop)
    assert find_engine(engines, this_python()) is None
    (home,) = engines.iterdir()
    assert names_in(home) == ["downloads"]
    assert value_in(installed(engines, lock)) == "1"


def test_wrong_content_is_refused_and_the_engine_that_was_there_stays(
    engines: Path, lock: Lock, offered: Path
) -> None:
    first = installed(engines, lock)
    document = {**lock.document, "packages": [dict(entry) for entry in lock.document["packages"]]}
    document["packages"][2] |= {"sha256": "0" * 64, "version": "2.1"}
    other = write_wheel(offered, "rich", "2.1")
    document["packages"][2] |= {"file": other.name, "bytes": other.stat().st_size}
    with pytest.raises(CgcError, match="rich came with other content") as caught:
        install_engine(engines, parse_lock(document, "bad"))
    assert str(caught.value).count(". ") == 0
    assert find_engine(engines, this_python()) == first
    assert value_in(first) == "1"
    assert value_in(installed(engines, lock)) == "1"


def test_a_package_that_nobody_has_is_named(engines: Path, lock: Lock, offered: Path) -> None:
    (offered / "rich-2.0-py3-none-any.whl").unlink()
    with pytest.raises(CgcError, match=r"No package index .* has rich==2\.0"):
        install_engine(engines, lock)


def test_a_build_that_only_pytorchs_index_has_is_said_with_the_ways_out(
    engines: Path, lock: Lock, offered: Path, wheels: list[Path]
) -> None:
    document = document_of(wheels, indexes=["http://127.0.0.1:9/whl/cpu"])
    document["packages"][2] |= {"version": "2.0+cpu", "file": "rich-2.0+cpu-py3-none-any.whl"}
    with pytest.raises(CgcError, match=r"rich 2\.0\+cpu could not be had: .* choose the build C"):
        install_engine(engines, parse_lock(document, "cpu"))
    # What else came is kept, and the other build can be had.
    plain = parse_lock(document_of(wheels, build="cuda"), "cuda")
    assert value_in(installed(engines, plain)) == "1"


def test_a_package_that_does_not_load_is_no_engine(
    engines: Path, lock: Lock, offered: Path
) -> None:
    first = installed(engines, lock)
    broken = write_wheel(offered, "rich", "3.0", "raise OSError('no such library')\n")
    update = parse_lock(document_of([offered / lock.packages[1].wheel.file, broken]), "update")
    with pytest.raises(CgcError, match="rich does not load on this machine: OSError: no such lib"):
        install_engine(engines, update)
    assert find_engine(engines, this_python()) == first
    assert names_in(first.home.folder) == ["downloads", "engine.json", "python-1"]


def test_too_little_room_is_said_before_anything_is_fetched(
    engines: Path, lock: Lock, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "free_bytes", lambda _folder: 1000)
    with pytest.raises(CgcError, match=r"needs 30\d MB on the disk of .* and 0 MB are free"):
        install_engine(engines, lock)
    assert not engines.exists()


def test_an_archive_needs_no_index(
    engines: Path, wheels: list[Path], write_archive: Callable[..., Path]
) -> None:
    path = write_archive(wheels)
    with open_archive(path) as archive:
        result = install_engine(engines, archive.lock(), archive=archive)
    assert value_in(result.engine) == "1"


def test_the_plain_wheel_stands_in_for_a_binary_that_nobody_has(
    engines: Path, lock: Lock, offered: Path, wheels: list[Path]
) -> None:
    document = document_of(wheels)
    plain = document["packages"][2]
    binary = {"version": "2.0+pt213", "file": "rich-2.0+pt213-cp311-cp311-linux_x86_64.whl"}
    document["packages"][2] = {
        **plain,
        **binary,
        "sha256": "1" * 64,
        "otherwise": {key: plain[key] for key in ("version", "file", "sha256", "bytes")},
    }
    result = install_engine(engines, parse_lock(document, "with a binary"))
    assert value_in(result.engine) == "1"
    assert check_engine(result.engine).problems == ()


def test_wheels_beside_the_extension_are_looked_at_first(
    engines: Path, lock: Lock, offered: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    name = lock.packages[2].wheel.file
    (offered / name).rename(beside / name)
    assert value_in(install_engine(engines, lock, folders=[beside]).engine) == "1"


def test_the_engine_of_the_other_build_goes(
    engines: Path, lock: Lock, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(engines, lock)
    cuda = parse_lock({**lock.document, "build": "cuda"}, "cuda")
    said: list[str] = []
    engine = install_engine(engines, cuda, say=said.append).engine
    assert [home.name for home in engines.iterdir()] == [f"py{this_python()}-cuda"]
    assert find_engine(engines, this_python()) == engine
    assert said == [f"{engines / f'py{this_python()}-cpu'} is gone. It held the other build."]


def test_a_lock_of_elsewhere_is_refused(engines: Path, lock: Lock) -> None:
    with pytest.raises(CgcError, match="This engine is for atari-st"):
        install_engine(engines, replace(lock, platform="atari-st"))
    assert not engines.exists()


def test_two_at_once_do_not_disturb_each_other(engines: Path, lock: Lock, offered: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from cgc_addon.installation.one_at_a_time import changing\n"
        "from cgc_addon.installation.places import EngineHome\n"
        "with changing(EngineHome(Path(sys.argv[1]))):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    home = installing.engine_home(engines, lock.python, lock.build).folder
    command = [sys.executable, "-c", program, str(home)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CgcError, match="is being changed by another Blender"):
            install_engine(engines, lock)
        other.kill()
    assert value_in(installed(engines, lock)) == "1"
