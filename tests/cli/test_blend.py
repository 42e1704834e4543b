# SPDX-License-Identifier: GPL-3.0-or-later
"""Without Blender in this Python, `blend` finds one and passes on what it tells, or says why not.

Stand-ins take the place of Blender; tests/blender does the same with real ones.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cgc_addon.cli import blend, demo, main
from cgc_addon.cli.blender_program import find_blender
from cgc_addon.cli.console.plain_text import PlainText
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.progress import never

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts")

COUNTS = {"cameras": 3, "points": 5, "gaussians": 7000, "segments": 2, "bytes": 2_000_000}


@pytest.fixture(autouse=True)
def no_blender(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CGC_BLENDER", raising=False)


@pytest.fixture
def stand_in(tmp_path: Path):
    """Return a function that writes a Blender: its version, and what it does when it is called."""

    def write(version: str = "Blender 5.2.0 LTS", program: str = "") -> Path:
        file = tmp_path / "blender"
        file.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"if '--version' in sys.argv: sys.exit(print('Some noise\\n{version}'))\n{program}\n"
        )
        file.chmod(0o755)
        return file

    return write


def telling(*messages: dict) -> str:
    lines = [f"print({json.dumps(message)!r}, flush=True)" for message in messages]
    return "print('Blender 5.2.0')\n" + "\n".join(lines)


def test_without_any_blender_the_sentence_says_how_to_get_one(capsys, tmp_path: Path) -> None:
    assert main(["blend", str(tmp_path), "-o", str(tmp_path / "a.blend")]) == 1
    error = capsys.readouterr().err
    assert "No Blender was found" in error
    assert "--blender" in error
    assert "CGC_BLENDER" in error
    assert error.count("\n") == 1


def test_the_one_that_is_named_goes_before_the_variable_and_that_before_the_path(
    stand_in, monkeypatch, tmp_path: Path
) -> None:
    found = stand_in()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_blender().path == str(found)
    monkeypatch.setenv("CGC_BLENDER", "/no/such/program")
    with pytest.raises(CgcError, match=r"CGC_BLENDER names /no/such/program"):
        find_blender()
    assert find_blender(str(found)).version == (5, 2)
    with pytest.raises(CgcError, match=r"--blender names /nowhere"):
        find_blender("/nowhere")


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("Blender 4.2.9 LTS", "is Blender 4.2; 4.5 or newer is needed"),
        ("GIMP 3.0", "is no Blender"),
    ],
)
def test_what_cannot_do_it_is_refused(stand_in, version, complaint) -> None:
    with pytest.raises(CgcError, match=complaint):
        find_blender(str(stand_in(version)))


def test_a_python_needs_the_module() -> None:
    with pytest.raises(CgcError, match="a Python without the module bpy"):
        find_blender(sys.executable)


def test_what_blender_tells_is_passed_on(stand_in, capsys, tmp_path: Path) -> None:
    result = {"type": "result", **COUNTS, "file": "x"}
    note = {"type": "note", "text": "There are no cameras."}
    progress = {"type": "progress", "stage": "Writing the .blend", "done": 1, "total": 2}
    program = stand_in(
        program=f"open({str(tmp_path / 'called')!r}, 'w').write(json.dumps(sys.argv))\n"
        + telling(progress, note, result)
    )
    file = tmp_path / "a.blend"
    arguments = ["blend", "run", "-o", str(file), "--blender", str(program), "--json"]
    assert main(arguments) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [progress, note, {"type": "result", **COUNTS, "file": str(file)}]
    called = json.loads((tmp_path / "called").read_text())
    assert "--factory-startup" in called
    assert called[called.index("--") + 1 :] == [
        *("blend", str(Path("run").absolute()), "-o", str(file), "--json")
    ]


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        (telling({"type": "error", "text": "x.ply is damaged."}), "x.ply is damaged."),
        ("print('no memory', file=sys.stderr); sys.exit(1)", "no memory"),
        (telling({"type": "note", "text": "so far"}) + "\nsys.exit(11)", "exit code 11"),
    ],
)
def test_a_failure_of_blender_is_one_sentence(stand_in, program, complaint, tmp_path: Path) -> None:
    named = str(stand_in(program=program))
    with pytest.raises(CgcError, match=complaint):
        blend.make_blend(tmp_path, None, tmp_path / "a.blend", named, None, PlainText(), never)


def test_the_wish_to_stop_ends_blender(stand_in, tmp_path: Path) -> None:
    forever = telling({"type": "note", "text": "busy"}) + "\nimport time; time.sleep(60)"
    named = str(stand_in(program=forever))
    with pytest.raises(Interrupted):
        blend.make_blend(
            tmp_path, None, tmp_path / "a.blend", named, None, PlainText(), lambda: True
        )


def test_the_demo_goes_on_without_a_blend_and_says_why(tmp_path: Path) -> None:
    old = tmp_path / "demo.blend"
    old.touch()
    made, sentence = demo._blend(tmp_path, old, None, PlainText(), never)
    assert made is None
    assert sentence.startswith("The .blend was left out: No Blender was found")
    assert not old.exists()


def test_the_demo_ends_with_a_blend_where_there_is_a_blender(
    stand_in, monkeypatch, tmp_path: Path
) -> None:
    result = {"type": "result", **COUNTS, "file": "x"}
    monkeypatch.setenv("CGC_BLENDER", str(stand_in(program=telling(result))))
    made, sentence = demo._blend(tmp_path, tmp_path / "demo.blend", None, PlainText(), never)
    assert made == tmp_path / "demo.blend"
    assert "7,000 Gaussians in 2 segments, 2.0 MB" in sentence


def test_the_demo_has_its_blend_written_while_it_does_something_else(
    stand_in, monkeypatch, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    result = {"type": "result", **COUNTS, "file": "x"}
    program = stand_in(program=f"open({str(begun)!r}, 'w').close()\n" + telling(result))
    monkeypatch.setenv("CGC_BLENDER", str(program))
    with demo._blending(tmp_path, tmp_path / "a.blend", None, PlainText(), never) as blended:
        ends = time.monotonic() + 20
        while not begun.exists():  # nobody has asked for it yet
            assert time.monotonic() < ends
            time.sleep(0.01)
        made, sentence = blended()
    assert made == tmp_path / "a.blend"
    assert "7,000 Gaussians" in sentence


def test_where_the_demo_ends_blender_does_too(stand_in, monkeypatch, tmp_path: Path) -> None:
    forever = telling({"type": "note", "text": "busy"}) + (
        "\nimport time, json\n"
        "for _ in range(600):\n"
        "    time.sleep(0.1)\n"
        "    print(json.dumps({'type': 'note', 'text': 'busy'}), flush=True)\n"
    )
    monkeypatch.setenv("CGC_BLENDER", str(stand_in(program=forever)))
    began = time.monotonic()
    with (
        pytest.raises(Interrupted),
        demo._blending(tmp_path, tmp_path / "a.blend", None, PlainText(), never),
    ):
        raise Interrupted("evaluation")
    assert time.monotonic() - began < 30


def test_in_a_blender_the_demo_writes_at_its_end(tmp_path: Path) -> None:
    written = []

    def writer(run, dataset, output, report, say):
        written.append(output)
        return SimpleNamespace(**COUNTS)

    with demo._blending(tmp_path, tmp_path / "a.blend", writer, PlainText(), never) as blended:
        assert not written
        made, _ = blended()
    assert written == [made]


@pytest.mark.parametrize("another_is_named", [False, True])
def test_a_blender_around_the_verb_writes_unless_another_is_named(
    tmp_path, capsys, another_is_named
) -> None:
    called = []

    def write(run, dataset, output, report, say):
        called.append((run, dataset, output))
        say("A word.")
        return SimpleNamespace(**COUNTS)

    output = tmp_path / "a.blend"
    options = ["--blender", str(tmp_path / "nowhere")] if another_is_named else []
    code = main(["blend", "run", "-o", str(output), "--json", *options], lambda: write)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    if another_is_named:
        assert (code, called) == (1, [])
        return
    assert (code, called) == (0, [(Path("run"), None, output)])
    assert printed[0]["text"] == "A word."
    assert {**COUNTS, "file": str(output)}.items() <= printed[-1].items()
