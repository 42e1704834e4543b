# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel of gsplat with its kernels compiled, made of PyPI's wheel and one module.

gsplat's own files are kept as they are, byte by byte. Its C++ and CUDA sources stay out: compiled
they are of no use, and 1,700 files with long paths are a burden to Windows.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NAME = "gsplat"
SOURCES = ("gsplat/cuda/csrc/", "gsplat/cuda/include/", "gsplat/cuda/ext.cpp")
LICENSE_OF_GLM = "gsplat/cuda/csrc/third_party/glm/copying.txt"
"""GLM's headers are compiled in, so its license goes with the module."""
REPRODUCIBLE = (2025, 7, 1, 0, 0, 0)
"""The date of all files in the wheel, so that the same objects give the same wheel."""


@dataclass(frozen=True)
class Fitting:
    """What a compiled gsplat fits."""

    torch: str
    """"2.13.0", without the local part."""
    cuda: str
    """"13.0"."""
    tag: str
    """Of Python: "cp311"."""
    platform: str
    """"linux_x86_64", "win_amd64"."""

    def version(self, gsplat: str) -> str:
        """Return the version of the wheel, in the manner of gsplat's own ones.

        Example:
            >>> Fitting("2.13.0", "13.0", "cp311", "linux_x86_64").version("1.5.3")
            '1.5.3+pt213cu130'
        """
        major, minor = self.torch.split(".")[:2]
        return f"{gsplat}+pt{major}{minor}cu{self.cuda.replace('.', '')}"


def pack(original: Path, module: Path, fitting: Fitting, out: Path) -> Path:
    """Write the wheel and return its path.

    Args:
        original: gsplat's wheel for any Python, as PyPI has it.
        module: the compiled `csrc.*.so` or `csrc.*.pyd`.
        fitting: what it was compiled for.
        out: folder of the new wheel.
    """
    with zipfile.ZipFile(original) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    old = next(name.split("/")[0] for name in files if name.endswith(".dist-info/METADATA"))
    version = fitting.version(old.removesuffix(".dist-info").split("-")[1])
    new = f"{NAME}-{version}.dist-info"

    contents = {
        name: data
        for name, data in files.items()
        if not name.startswith((*SOURCES, f"{old}/")) and not name.endswith(".pyc")
    }
    contents[f"gsplat/{module.name}"] = module.read_bytes()
    for name, data in files.items():
        if name.startswith(f"{old}/licenses/") or name == f"{old}/top_level.txt":
            contents[new + name.removeprefix(old)] = data
    contents[f"{new}/licenses/glm/{PurePosixPath(LICENSE_OF_GLM).name}"] = files[LICENSE_OF_GLM]
    contents[f"{new}/METADATA"] = _metadata(files[f"{old}/METADATA"], version, fitting.torch)
    tag = f"{fitting.tag}-{fitting.tag}-{fitting.platform}"
    contents[f"{new}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: cgc-addon wheels/gsplat\nRoot-Is-Purelib: false\n"
        f"Tag: {tag}\n"
    ).encode()
    contents[f"{new}/RECORD"] = _record(contents, f"{new}/RECORD")

    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{NAME}-{version}-{tag}.whl"
    half = target.with_suffix(".part")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, REPRODUCIBLE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name == f"gsplat/{module.name}" else 0o644) << 16
            wheel.writestr(entry, data)
    half.replace(target)
    return target


def _metadata(original: bytes, version: str, torch: str) -> bytes:
    """Return gsplat's metadata with the new version and what it needs besides.

    It fits one version of PyTorch, whose C++ interface changes with each. `packaging` is imported
    by gsplat 1.5.3 without being asked for.
    """
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(original)
    message.replace_header("Version", version)
    needed = [str(one) for one in message.get_all("Requires-Dist", [])]
    del message["Requires-Dist"]
    for one in needed:
        message["Requires-Dist"] = f"torch=={torch}" if one == "torch" else one
    message["Requires-Dist"] = "packaging"
    return message.as_bytes()


def _record(contents: dict[str, bytes], record: str) -> bytes:
    lines = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{record},,", ""]).encode()
