# SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cgc_addon
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.reconstruction.colmap import process


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Return a function that makes a script take the child's place, and one that runs it."""

    def run(script: str, **options):
        start = subprocess.Popen

        def popen(command, **kwargs):
            return start([sys.executable, "-c", script], **kwargs)

        monkeypatch.setattr(process.subprocess, "Popen", popen)
        return process.run_stage("mapping", {"x": 1}, tmp_path / "log.txt", **options)

    return run


def test_progress_and_result_come_through_and_prints_do_not(stand_in, tmp_path):
    told = []
    result = stand_in(
        "import sys, json; request = json.loads(sys.stdin.readline())\n"
        "print('I20260101 noise'); print('more noise', file=sys.stderr)\n"
        "print(json.dumps({'stage': 'Placing', 'done': 1, 'total': 2}))\n"
        "print(json.dumps({'result': request}))",
        report=told.append,
    )
    assert result == {"stage": "mapping", "x": 1}
    assert [(p.stage, p.done, p.total) for p in told] == [("Placing", 1, 2)]
    assert "more noise" in (tmp_path / "log.txt").read_text()


def test_an_error_of_the_child_is_ours(stand_in):
    with pytest.raises(CgcError, match=r"^no depth\.$"):
        stand_in("""print('{"error": "no depth."}')""")


@pytest.mark.parametrize(("script", "told"), [
    ("import sys; print('F20260101 12:00:00 1 a.cc:3] Check failed: x', file=sys.stderr);"
     "print('    @ 0x7f main', file=sys.stderr); sys.exit(6)", "Check failed: x; run again"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "code -11"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory ran out"),
    ("", "ended with code 0"),
    ("import sys; print('{\"result\": {}}', flush=True); sys.exit(3)", "code 3"),
])  # fmt: skip
def test_a_child_that_dies_is_a_sentence(stand_in, script, told):
    with pytest.raises(CgcError, match=told):
        stand_in(script)


def test_stopping_kills_the_child_at_once(stand_in, tmp_path):
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    begun = None

    def should_stop() -> bool:
        nonlocal begun
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            begun = begun or time.monotonic()
        return begun is not None

    with pytest.raises(Interrupted):
        stand_in(script + "while True: pass", should_stop=should_stop)
    assert time.monotonic() - begun < 2.0
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_child_ends_with_its_parent(tmp_path):
    # The parent's end of stdin closes, whatever ended it.
    with subprocess.Popen(
        [sys.executable, "-m", "cgc_addon.reconstruction.colmap.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as child:  # fmt: skip
        child.stdin.write(b'{"stage": "features"')
        child.stdin.close()
        assert child.wait(timeout=60) != 0


def test_the_child_is_found_where_the_package_has_another_name(tmp_path):
    # As Blender installs it: bl_ext.user_default.cgc.cgc_addon.
    package = Path(cgc_addon.__file__).parent
    inside = tmp_path / "bl_ext" / "user_default" / "cgc" / "cgc_addon"
    shutil.copytree(package, inside, ignore=shutil.ignore_patterns("sample", "__pycache__"))
    program = (
        "from bl_ext.user_default.cgc.cgc_addon.reconstruction.colmap import process\n"
        "from pathlib import Path\n"
        "arguments = {'database': 'database.db', 'photos': '.', 'groups': [], 'max_features': 9,\n"
        "             'threads': 1, 'seed': 0}\n"
        "print(process.run_stage('features', arguments, Path('log.txt')))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stdout == "{'extracted': 0}\n", result.stderr


def test_an_unreadable_database_is_an_error_and_not_an_abort_of_this_process(tmp_path):
    (tmp_path / "database.db").write_bytes(b"no database" * 1000)
    with pytest.raises(CgcError, match="features"):
        process.run_stage(
            "features",
            {"database": str(tmp_path / "database.db"), "photos": str(tmp_path), "groups": [],
             "max_features": 10, "threads": 1, "seed": 0},
            tmp_path / "log.txt",
        )  # fmt: skip
