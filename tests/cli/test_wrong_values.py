# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that nobody means: a sentence each, no traceback, no hanging."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from cgc_addon.cli import main

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "0.1.0" / "run"
LONG = "n" * 300
DIGITS = "9" * 5_000


@pytest.fixture
def run(tmp_path):
    shutil.copytree(EARLIER, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture(autouse=True)
def no_hanging():
    if sys.platform == "win32":
        yield
        return

    def late(_number, _frame):
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def told(capsys, *arguments) -> tuple[int, str]:
    """Return the exit code of a verb, and what it said last."""
    code = main([str(argument) for argument in arguments])
    error = capsys.readouterr().err
    assert "Traceback" not in error
    line = error.splitlines()[-1]
    assert len(line) < 500
    return code, line


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--seed", "18446744073709551616", "is not 4294967295 or less"),
        ("--seed", DIGITS, "is not a whole number"),
        ("--seed", "-1", "is not 0 or more"),
        ("--seed", "1.5", "1.5 is not a whole number"),
        ("--steps", "1" + "0" * 400, "or less"),
        ("--max-gaussians", "99999999999999999999", "is not 2147483647 or less"),
        ("--max-size", "", "is not a whole number"),
        ("--preview", "soon", "soon is not a number"),
        ("--preview", "nan", "is not more than 0"),
        ("--granularity", "1e999", "is not between 0 and 1"),
        ("--checkpoint-every", "often", "often is not a number"),
    ],
)
def test_numbers_out_of_all_bounds_are_wrong_arguments(capsys, tmp_path, option, value, reason):
    code, line = told(capsys, "train", tmp_path, "-o", tmp_path / "run", f"{option}={value}")
    assert code == 2
    assert reason in line
    assert not (tmp_path / "run").exists()


def test_so_are_ids_and_places(capsys, run, tmp_path):
    output = tmp_path / "out.ply"
    code, line = told(
        capsys, "export", run, "--segment", "99999999999999999999999", "-o", output
    )  # fmt: skip
    assert code == 2
    assert "is not 2147483647 or less" in line
    code, line = told(capsys, "export", run, "--segment", "2147483647", "-o", output)
    assert code == 1
    assert "has no segment 2147483647" in line
    assert told(capsys, "pick", run, "--view", "a", "--at", "nan,1")[0] == 2


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a": ' * 100_000, b'{"seed": ' + DIGITS.encode() + b"}", b"\xff\xfe{\0"],
    ids=["lists", "objects", "digits", "utf-16"],
)
@pytest.mark.parametrize("name", ["config.json", "segments.json"])
def test_json_that_nobody_writes(capsys, run, tmp_path, name, content):
    (run / name).write_bytes(content)
    code, line = told(
        capsys, "render", run, "--cameras", tmp_path, "--ids", "-o", tmp_path / "out"
    )  # fmt: skip
    assert code == 1
    assert name in line or str(tmp_path) in line
    if name == "config.json":
        assert told(capsys, "segment", run)[0] == 1


def test_a_byte_order_mark_is_no_damage(capsys, run):
    for name in ("config.json", "segments.json"):
        (run / name).write_bytes(b"\xef\xbb\xbf" + (run / name).read_bytes())
    assert main(["segment", str(run)]) == 0


@pytest.mark.parametrize("key", ["seed", "max_size", "granularity"])
@pytest.mark.parametrize("value", [10**400, -(10**400), 2**64])
def test_settings_out_of_all_bounds_name_themselves(capsys, run, key, value):
    config = json.loads((run / "config.json").read_text())
    place = config["segments"] if key == "granularity" else config
    place[key] = value
    (run / "config.json").write_text(json.dumps(config))
    code, line = told(capsys, "segment", run)
    assert code == 1
    assert key in line


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.parametrize("ending", ["ply", "splat", "spz"])
def test_what_is_no_file_is_not_read_as_one(capsys, tmp_path, kind, ending):
    if sys.platform == "win32" and kind != "folder":
        pytest.skip("Windows has no such files")
    path = tmp_path / f"thing.{ending}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    code, line = told(capsys, "render", path, "--cameras", tmp_path, "-o", tmp_path / "out")
    assert code == 1
    assert path.name in line
    code, line = told(
        capsys, "render", EARLIER / "splat.ply", "--cameras", path, "-o", tmp_path / "out"
    )
    assert code == 1


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_nor_are_the_files_of_a_run(capsys, run, tmp_path, kind):
    for name in ("segments.json", "clusters.npz", "splat.ply"):
        (run / name).unlink()
        if kind == "folder":
            (run / name).mkdir()
        elif sys.platform != "win32":
            os.mkfifo(run / name)
        verb = ("segment", run) if name == "clusters.npz" else ("export", run, "-o", run / "o.ply")
        if name != "segments.json":
            assert told(capsys, *verb)[0] == 1


def test_names_longer_than_a_file_system_takes(capsys, run, tmp_path):
    calls = [
        ("train", tmp_path / LONG, "-o", tmp_path / "new"),
        ("train", tmp_path, "-o", tmp_path / LONG),
        ("segment", tmp_path / LONG),
        ("export", run, "-o", tmp_path / f"{LONG}.ply"),
        ("render", tmp_path / LONG, "-o", tmp_path / "out"),
        ("evaluate", run, tmp_path / LONG),
        ("undistort", tmp_path / LONG, "-o", tmp_path / "out"),
        ("masks", tmp_path / LONG),
        ("solve", tmp_path / LONG, "-o", tmp_path / "out"),
        ("solve", tmp_path, "-o", tmp_path / LONG),
        ("blend", tmp_path / LONG, "-o", tmp_path / "o.blend"),
    ]
    for call in calls:
        code, line = told(capsys, *call)
        assert code == 1, call
        assert line.startswith("cgc: "), call
