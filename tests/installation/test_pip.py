# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip says becomes one sentence with a cure."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.installation import pip
from cgc_addon.installation.lock import Package, PackageFile

FOLDER = Path("/data/cgc-engine/py3.11-cpu/downloads")
NO_NAME = """\
WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(\
"HTTPSConnection(host='example.org', port=443): Failed to resolve 'example.org'")': /simple/pip/
ERROR: Could not find a version that satisfies the requirement pip==26.3 (from versions: none)
ERROR: No matching distribution found for pip==26.3"""
WRONG_HASH = """\
Collecting rich==15.0.0 (from -r requirements.txt (line 3))
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the \
package versions, please update the hashes.
    rich==15.0.0 from https://example.org/rich.whl (from -r requirements.txt (line 3)):
        Expected sha256 0000
             Got        abcd"""
CERTIFICATE = """\
WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: \
CERTIFICATE_VERIFY_FAILED] certificate verify failed'))': /simple/pip/
ERROR: No matching distribution found for pip==26.3"""
PROXY = "WARNING: ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407'))"
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
NOWHERE = "ERROR: No matching distribution found for torch==2.13.0+cpu"
ODD = "Collecting rich\nERROR: Something else is wrong."


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (NO_NAME, "The package index could not be reached"),
        (WRONG_HASH, "rich came with other content than the lock"),
        (CERTIFICATE, "certificate cannot be checked"),
        (PROXY, "The proxy wants a name and a password"),
        (FULL, f"The disk of {FOLDER} is full"),
        (NOWHERE, r"No package index that can be reached has torch==2\.13\.0\+cpu"),
        (ODD, "pip could not install the engine: Something else is wrong"),
        ("", "pip could not install the engine: it said nothing"),
    ],
)
def test_a_failure_is_one_sentence(said: str, sentence: str) -> None:
    told = pip.explained(said.splitlines(), FOLDER)
    assert re.search(sentence, told), told
    assert told.endswith(".")
    assert ". " not in told
    assert "\n" not in told


def test_bytes_are_told_since_24_1() -> None:
    told = {version: pip.tells_bytes(version) for version in ("23.2.1", "24.0", "24.1", "26.3")}
    assert told == {"23.2.1": False, "24.0": False, "24.1": True, "26.3": True}


def test_settings_that_would_lead_elsewhere_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.org")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    online = pip._environment(FOLDER, offline=False)
    assert online["PIP_INDEX_URL"] == "https://mirror.example.org"
    assert online["TMPDIR"] == str(FOLDER)
    assert not {"PIP_TARGET", "PYTHONPATH"} & set(online)
    offline = pip._environment(FOLDER, offline=True)
    assert {n: v for n, v in offline.items() if n.startswith("PIP_")} == {
        "PIP_CONFIG_FILE": os.devnull
    }


def test_a_requirement_has_its_hash() -> None:
    file = PackageFile("1.0+cpu", "torch.whl", "ab" * 32, 1)
    line = pip._requirement(Package("torch", file), file)
    assert line == f"torch==1.0+cpu --hash=sha256:{'ab' * 32}\n"


def test_a_wheel_that_is_none_is_said(tmp_path: Path) -> None:
    wheel = tmp_path / "pip-26.3-py3-none-any.whl"
    wheel.write_text("no zip")
    with pytest.raises(CgcError, match="could not be unpacked"):
        pip.unpacked(wheel, tmp_path / "tools")
