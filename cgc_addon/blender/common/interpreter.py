# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs the worker, and how what it lacks is installed by hand."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...errors import CgcError
from ...installation.engine import find_engine
from ...installation.hardware import PYTORCH_INDEXES, may_have_nvidia_card
from ...installation.lock import this_python

VARIABLE = "CGC_PYTHON"
"""Environment variable that names the interpreter; it goes before the preferences."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that the worker is started with."""

    path: Path
    origin: str
    """Who named it, in words: "Blender's own"."""
    own: bool
    """Whether it is Blender's, which then is given the packages of Blender's extensions."""


def choose(setting: str, engines: Path | None = None) -> Interpreter:
    """Return the interpreter: of the variable, the preferences, the engine, else Blender's own.

    Args:
        setting: what the preferences name, a program or the folder of a virtual environment.
        engines: folder of the engines that Install Engine has made.

    Raises:
        CgcError: what is named is no program, the sentence says where it was named; or the engine
            cannot be started.
    """
    if named := os.environ.get(VARIABLE, "").strip():
        return Interpreter(
            _program(named, f"The variable {VARIABLE}"), f"named by {VARIABLE}", False
        )
    if setting.strip():
        path = _program(bpy.path.abspath(setting.strip()), "The preference Interpreter")
        return Interpreter(path, "named in the preferences", False)
    if engines is not None and (engine := find_engine(engines, this_python())) is not None:
        if problem := engine.problem():
            raise CgcError(problem)
        return Interpreter(engine.interpreter, "installed by this extension", False)
    if not sys.executable:
        raise CgcError(
            "Blender does not tell where its Python is; name an interpreter in the preferences of "
            "this extension."
        )
    return Interpreter(Path(sys.executable), "Blender's own", True)


def _program(named: str, who: str) -> Path:
    """Return the interpreter that a path means, which may be a virtual environment's folder."""
    path = Path(os.path.expandvars(named)).expanduser()
    if path.is_dir():
        inside = [path / "bin" / "python", path / "Scripts" / "python.exe", path / "python.exe"]
        found = next((candidate for candidate in inside if candidate.is_file()), None)
        if found is None:
            raise CgcError(
                f"{who} names the folder {path}, which is no Python environment; name one, or its "
                "program python."
            )
        return found
    if not path.is_file():
        raise CgcError(f"{who} names {path}, which does not exist; correct it or leave it empty.")
    return path


def package_parent() -> Path:
    """Return the folder that the worker imports this add-on from."""
    return Path(__file__).resolve().parents[3]


def extension_packages() -> tuple[Path, ...]:
    """Return the folder where Blender unpacks the wheels of extensions, if there is one."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    extensions = bpy.utils.user_resource("EXTENSIONS")
    folder = Path(extensions, ".local", "lib", version, "site-packages")
    return (folder,) if extensions and folder.is_dir() else ()


def install_command(interpreter: Interpreter, missing: Sequence[str]) -> str:
    """Return one line for a terminal that installs what a Python of the user's lacks."""
    index = PYTORCH_INDEXES.get((platform.system(), "cuda" if may_have_nvidia_card() else "cpu"))
    options = ["--extra-index-url", index] if index and "torch" in missing else []
    return f'"{interpreter.path}" -m pip install {" ".join([*options, *missing])}'
