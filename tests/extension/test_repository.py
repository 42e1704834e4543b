# SPDX-License-Identifier: GPL-3.0-or-later
"""A release on a server is a repository: its address is added once, Blender brings updates."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from wheels.official_builder import Builder
from wheels.releasing import list_extensions
from wheels.staging import MANIFEST, with_values

LATER = "99.0.0"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and keeps still about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in Python
        pass


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    return folder


@pytest.fixture
def address(release: Path) -> Iterator[str]:
    """The folder of a release on a server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(release)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()
    thread.join()
    server.server_close()


def with_version(source: Path, version: str, target: Path) -> None:
    """Write an extension's zip again under another version."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == MANIFEST:
                content = with_values(content.decode(), {"version": version}).encode()
            new.writestr(entry.filename, content)


def in_blender(resources: Path, program: str) -> str:
    """Run a program in a Blender that may use the network."""
    prologue = """
        import bpy
        bpy.ops.wm.read_userpref()  # a module begins with factory settings
        bpy.context.preferences.system.use_online_access = True
        repositories = bpy.context.preferences.extensions.repos
        def index():
            return [repository.module for repository in repositories].index("cgc_releases")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prologue) + textwrap.dedent(program)],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(resources)},
        cwd=resources,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_one_address_installs_and_updates(
    builder: Path, extension_zip: Path, release: Path, address: str, tmp_path: Path
) -> None:
    official = Builder((sys.executable, str(builder)))
    with zipfile.ZipFile(extension_zip) as opened:
        version = tomllib.loads(opened.read(MANIFEST).decode())["version"]
    with_version(extension_zip, version, release / "cgc-now.zip")
    list_extensions(release, official)
    resources = tmp_path / "resources"
    resources.mkdir()
    installed = resources / "extensions" / "cgc_releases" / "cgc" / MANIFEST

    in_blender(
        resources,
        f"""
        repositories.new(name="CGC", module="cgc_releases", remote_url={address!r})
        assert bpy.ops.extensions.repo_sync(repo_index=index()) == {{"FINISHED"}}
        done = bpy.ops.extensions.package_install(
            repo_index=index(), pkg_id="cgc", enable_on_install=False
        )
        assert done == {{"FINISHED"}}, done
        bpy.ops.wm.save_userpref()
        """,
    )
    assert tomllib.loads(installed.read_text("utf-8"))["version"] == version

    (release / "cgc-now.zip").unlink()
    with_version(extension_zip, LATER, release / "cgc-later.zip")
    list_extensions(release, official)
    in_blender(
        resources,
        """
        assert bpy.ops.extensions.repo_sync(repo_index=index()) == {"FINISHED"}
        assert bpy.ops.extensions.package_upgrade_all() == {"FINISHED"}
        """,
    )
    assert tomllib.loads(installed.read_text("utf-8"))["version"] == LATER


def test_two_zips_for_the_same_blender_are_refused(
    builder: Path, extension_zip: Path, release: Path
) -> None:
    with_version(extension_zip, "1.0.0", release / "one.zip")
    with_version(extension_zip, "1.0.0", release / "two.zip")
    with pytest.raises(Exception, match=r"one\.zip.*two\.zip"):
        list_extensions(release, Builder((sys.executable, str(builder))))
