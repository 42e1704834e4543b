# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository keeps the promises that Blender's extension builder and its own walls ask for."""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cgc_addon

ROOT = Path(__file__).parents[1]
MANIFEST = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

HEAVY = ("torch", "gsplat", "numba", "sklearn", "scipy", "pycolmap", "cv2", "onnxruntime", "PIL")
TAGS = {
    *("3D View", "Add Curve", "Add Mesh", "Animation", "Bake", "Camera", "Compositing"),
    *("Development", "Game Engine", "Geometry Nodes", "Grease Pencil", "Import-Export", "Lighting"),
    *("Material", "Modeling", "Mesh", "Node", "Object", "Paint", "Physics", "Pipeline"),
    *("Render", "Rigging", "Scene", "Sculpt", "Sequencer", "System", "Text Editor", "Tracking"),
    *("User Interface", "UV"),
}


def tracked_files() -> list[Path]:
    """Return the files of the repository, of a checkout or of an unpacked archive."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    made_here = {"__pycache__", "dist", "runs", "demo"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            part in made_here or (part.startswith(".") and part not in (".ci", ".gitignore"))
            for part in path.relative_to(ROOT).parts
        )
    ]


FILES = tracked_files()
PYTHON_FILES = [path for path in FILES if path.suffix == ".py"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# ---- The extension's manifest --------------------------------------------------------------------


def test_all_versions_are_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-\w+(\.\d+)?)?", MANIFEST["version"])
    assert MANIFEST["version"] == cgc_addon.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("text", [MANIFEST["tagline"], *MANIFEST.get("permissions", {}).values()])
def test_short_texts_fit_and_have_no_end_punctuation(text) -> None:
    assert 0 < len(text) <= 64
    assert text[-1].isalnum() or text[-1] in ")]}"


def test_manifest_keeps_the_rules_of_extensions() -> None:
    assert MANIFEST["schema_version"] == "1.0.0"
    assert MANIFEST["type"] == "add-on"
    assert MANIFEST["id"].isidentifier()
    assert "__" not in MANIFEST["id"]
    assert not MANIFEST["id"].startswith("_")
    assert not MANIFEST["id"].endswith("_")
    assert not re.search(r"blender|add-?on", MANIFEST["name"], re.IGNORECASE)
    assert re.fullmatch(r".+ <\S+@\S+>", MANIFEST["maintainer"])
    assert tuple(map(int, MANIFEST["blender_version_min"].split("."))) >= (4, 2, 0)
    assert MANIFEST["license"] == ["SPDX:GPL-3.0-or-later"]
    assert set(MANIFEST["tags"]) <= TAGS
    assert set(MANIFEST.get("permissions", {})) <= {
        *("files", "network", "clipboard", "camera", "microphone")
    }
    assert all(re.fullmatch(r"\d{4}(-\d{4})? .+", line) for line in MANIFEST["copyright"])
    empty = [key for key, value in MANIFEST.items() if value in ("", [])]
    assert empty == []


def test_the_zip_takes_the_add_on_and_nothing_else() -> None:
    patterns = MANIFEST["build"]["paths_exclude_pattern"]

    def excluded(name: str) -> bool:
        parts = name.split("/")
        for pattern in patterns:
            bare = pattern.strip("/")
            if pattern.startswith("/"):  # anchored to the root
                if fnmatch.fnmatch(parts[0], bare):
                    return True
            elif any(fnmatch.fnmatch(part, bare) for part in parts):
                return True
        return False

    taken = {path.relative_to(ROOT).as_posix() for path in FILES}
    taken = {name for name in taken if not excluded(name)}
    wanted = {"blender_manifest.toml", "__init__.py", "LICENSE", "README.md"}
    assert {"blender_manifest.toml", "__init__.py", "LICENSE"} <= taken
    assert {name for name in taken if not name.startswith("cgc_addon/")} <= wanted
    code = [name for name in taken if not name.startswith("cgc_addon/sample/")]
    assert sum((ROOT / name).stat().st_size for name in code) < 3_000_000
    assert sum((ROOT / name).stat().st_size for name in taken) < 40_000_000


# ---- The walls -----------------------------------------------------------------------------------


def test_import_contracts_hold() -> None:
    result = run(
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import cgc_addon, cgc_addon.errors, cgc_addon.files, cgc_addon.progress\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    result = run(sys.executable, "-c", program)
    assert result.returncode == 0, result.stderr
    loaded = result.stdout.split()
    assert "cgc_addon.progress" in loaded
    assert set(loaded) & set(HEAVY) == set()


def test_the_help_of_the_command_line_loads_nothing_heavy() -> None:
    program = (
        "import sys; from cgc_addon.cli import main\n"
        "code = main(['--help'])\n"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    result = run(sys.executable, "-c", program)
    assert result.returncode == 0
    assert set(result.stderr.split()) & {*HEAVY, "numpy"} == set()


def test_the_package_imports_itself_relatively() -> None:
    # Blender loads it as bl_ext.REPOSITORY.cgc.cgc_addon: its absolute name is not known here.
    package = [path for path in PYTHON_FILES if path.is_relative_to(ROOT / "cgc_addon")]
    assert len(package) > 20
    absolute = re.compile(r"(?m)^\s*(from|import) cgc_addon\b")
    assert [path for path in package if absolute.search(path.read_text("utf-8"))] == []


# ---- Every file ----------------------------------------------------------------------------------


def test_python_files_state_their_licence_and_those_of_the_package_their_purpose() -> None:
    wrong = []
    for path in PYTHON_FILES:
        text = path.read_text("utf-8")
        of_package = path.is_relative_to(ROOT / "cgc_addon")
        licensed = "# SPDX-License-Identifier: GPL-3.0-or-later" in text.splitlines()[:2]
        if not licensed or (of_package and not ast.get_docstring(ast.parse(text))):
            wrong.append(path.relative_to(ROOT).as_posix())
    assert wrong == []


def test_no_file_points_to_a_place_outside_the_repository() -> None:
    # Written in pieces, or this file would find itself.
    places = ["(?<![\\w.])/" + "work/", r"\.\./" + "shared", "/" + "root/", "/home/" + r"\w+/"]
    registries = ["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)"]
    outside = re.compile("|".join(places + registries))
    found = []
    for path in FILES:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures and models
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in outside.finditer(text)]
    assert found == []


def test_no_file_is_too_large_to_be_source() -> None:
    assert [path.name for path in FILES if path.stat().st_size > 8_000_000] == []
