# SPDX-License-Identifier: GPL-3.0-or-later
"""Wheels whose files Windows can hold where Blender unpacks them.

Blender does not ask Windows for paths of more than 259 characters, and what it cannot unpack of a
wheel it takes back whole. torch keeps licences of what it is made of in folders 167 characters
deep. Such licences are put under shorter names; nothing else of a wheel is touched.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from development.environments import SetupError

_UNPACKED_TO = (
    r"C:\Users\twenty letters long.\AppData\Roaming\Blender Foundation\Blender\5.3"
    r"\extensions\.local\lib\python3.13\site-packages" + "\\"
)
LONGEST_FILE = 259 - len(_UNPACKED_TO)
"""Characters of a path in a wheel, for a user's name of 20 characters."""
LONGEST_FOLDER = 247 - len(_UNPACKED_TO)


def is_too_long(name: str) -> bool:
    """Return whether a file of this name in a wheel is too deep for Windows."""
    return len(name) > LONGEST_FILE or len(str(PurePosixPath(name).parent)) > LONGEST_FOLDER


def shortened(wheel: Path, folder: Path) -> Path:
    """Return the wheel, or a copy of it in a folder where its licences have shorter names.

    Raises:
        SetupError: something else than a licence has too long a name.
    """
    with zipfile.ZipFile(wheel) as old:
        long = [name for name in old.namelist() if not name.endswith("/") and is_too_long(name)]
        if not long:
            return wheel
        names = {name: _short_name(wheel, name) for name in long}
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / wheel.name, "w", zipfile.ZIP_DEFLATED) as new:
            _copy(old, new, names)
    return folder / wheel.name


def _short_name(wheel: Path, name: str) -> str:
    found = re.fullmatch(r"([^/]+\.dist-info/licenses/)(.+)", name)
    if found is None:
        raise SetupError(f"{name} of {wheel.name} has too long a name to be unpacked on Windows.")
    # Of two licences called LICENSE both are kept.
    mark = hashlib.sha256(found[2].encode()).hexdigest()[:8]
    return f"{found[1]}{mark}/{PurePosixPath(name).name}"


def _copy(old: zipfile.ZipFile, new: zipfile.ZipFile, names: Mapping[str, str]) -> None:
    """Copy a wheel under other names, also in its lists of files; the record comes last."""
    record = next(name for name in old.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", name))
    metadata = record.replace("RECORD", "METADATA")
    lines = old.read(record).decode()
    for entry in old.infolist():
        if entry.is_dir() or entry.filename == record:
            continue
        content = old.read(entry)
        if entry.filename == metadata:
            before, content = content, _named_anew(content, names)
            lines = lines.replace(_sum(before), _sum(content))
        name = names.get(entry.filename, entry.filename)
        lines = lines.replace(f"{entry.filename},", f"{name},") if name in names.values() else lines
        new.writestr(_renamed(entry, name), content, zipfile.ZIP_DEFLATED)
    new.writestr(record, lines)


def _named_anew(metadata: bytes, names: Mapping[str, str]) -> bytes:
    for old, short in names.items():
        before, after = (name.partition("/licenses/")[2].encode() for name in (old, short))
        metadata = metadata.replace(b"License-File: " + before, b"License-File: " + after)
    return metadata


def _sum(content: bytes) -> str:
    """Return hash and size as a record writes them."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest},{len(content)}"


def _renamed(entry: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    """Return an entry of another name, with the date and rights that it had."""
    renamed = zipfile.ZipInfo(name, entry.date_time)
    renamed.external_attr = entry.external_attr
    return renamed
