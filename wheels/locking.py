# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks from `requirements.lock`: asked of pip for each target, proven before they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from development.environments import SetupError, say

from .closure import Pinned, unmet
from .gsplat_binaries import with_binary
from .locks import Lock, LockedPackage, write_lock
from .pip_asked import FoundWheel, NotFoundError, find_wheels
from .pytorch_index import KnownFile, index_of, known_torch, marked
from .remote_wheels import Sizes, name_in, sizes_of
from .targets import Target, applies, fits

REQUIREMENTS = Path(__file__).with_name("requirements.lock")
INSTALLER = Path(__file__).with_name("requirements-wheels.lock")

PINNED_BY_TORCH = re.compile(r"nvidia-|cuda-|triton$")
"""Packages that `requirements.lock` leaves to the metadata of PyTorch's CUDA build."""


def write_locks(targets: Sequence[Target], binaries: Path | None) -> list[str]:
    """Write the lock of every target that has one; return a sentence for each that has none.

    Args:
        targets: which.
        binaries: a folder with our builds of gsplat.
    """
    problems = []
    for target in targets:
        try:
            lock = with_binary(resolve(target), binaries)
        except (SetupError, OSError) as error:
            problems.append(f"{target}: {error}")
            continue
        write_lock(lock)
        say(
            f"{target}: {len(lock.packages)} packages, {lock.download_bytes / 1e6:,.0f} MB, "
            f"unpacked {lock.installed_bytes / 1e6:,.0f} MB; complete, and every wheel fits."
        )
    return problems


def resolve(target: Target) -> Lock:
    """Return the lock of a target.

    Raises:
        SetupError: a wheel cannot be had, does not fit, or asks for something that is not locked.
    """
    wanted = [*requirements(INSTALLER, target, only=("pip",)), *requirements(REQUIREMENTS, target)]
    torch = next(requirement for requirement in wanted if requirement.name == "torch")
    known = torch_of_its_own_index(torch, target)
    asked = [requirement for requirement in wanted if known is None or requirement is not torch]
    found = find_wheels([_exact(requirement) for requirement in asked], target)
    packages = _completed(found, known, target)
    sizes = _measured(packages)
    entries = [_locked(wheel, size) for wheel, size in zip(packages, sizes, strict=True)]
    unpacked = sum(size.unpacked for size in sizes)
    if known is not None:
        entries.append(_locked_torch(known))
        unpacked += known.unpacked
    entries.sort(key=lambda entry: (entry.name != "pip", entry.name))
    for entry in entries:
        if not fits(entry.file, target):
            raise SetupError(f"{entry.file} does not fit.")
    index = index_of(target)
    return Lock(target, (index,) if index else (), unpacked, tuple(entries))


def requirements(lock: Path, target: Target, only: Sequence[str] = ()) -> list[Requirement]:
    """Return the lines of a requirements file that hold on the target, without their markers."""
    lines = [line for line in lock.read_text("utf-8").splitlines() if re.match(r"\w", line)]
    every = [Requirement(line) for line in lines]
    held = [requirement for requirement in every if applies(requirement, target)]
    for requirement in held:
        requirement.marker = None
    return [requirement for requirement in held if not only or requirement.name in only]


def _exact(requirement: Requirement) -> str:
    """Return the requirement so that a version with a mark such as +cpu does not meet it."""
    return f"{requirement.name}==={str(requirement.specifier).removeprefix('==')}"


def torch_of_its_own_index(torch: Requirement, target: Target) -> KnownFile | None:
    """Return torch's file where PyPI has another build; the index is asked to confirm it."""
    index = index_of(target)
    if index is None:
        return None
    version = str(torch.specifier).removeprefix("==")
    known = known_torch(version, target)
    options = ["--extra-index-url", index, "--retries", "0", "--timeout", "15"]
    try:
        (found,) = find_wheels([f"torch=={marked(version, target)}"], target, options)
    except NotFoundError:
        say(f"{target}: {index} has no answer; {known.name} is taken from what is known of it.")
        return known
    same = found.sha256 in (None, known.sha256)  # of some files that index tells no hash
    if not same or name_in(found.address) != known.name:
        raise SetupError(
            f"{found.address} has the SHA-256 {found.sha256}, which is not that of {known.name} in "
            "pytorch_files.toml; find out which is right."
        )
    return known


def _completed(
    found: Sequence[FoundWheel], torch: KnownFile | None, target: Target
) -> list[FoundWheel]:
    """Return the wheels with those that PyTorch's CUDA build names besides.

    Raises:
        SetupError: something else is missing; `requirements.lock` has to name it.
    """
    wheels = list(found)
    while True:
        pinned = {wheel.name: Pinned(wheel.version, wheel.requires) for wheel in wheels}
        if torch is not None:
            pinned["torch"] = Pinned(torch.version, torch.requires)
        wants = unmet(pinned, target)
        more = {}
        for want in wants:
            name = canonicalize_name(want.requirement.name)
            if want.has is not None or not PINNED_BY_TORCH.match(name):
                raise SetupError(f"requirements.lock is not complete: {want}.")
            more.setdefault(name, []).append(str(want.requirement.specifier))
        if not more:
            return wheels
        wheels += find_wheels([f"{name}{','.join(parts)}" for name, parts in more.items()], target)


def _measured(wheels: Sequence[FoundWheel]) -> list[Sizes]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(sizes_of, [wheel.address for wheel in wheels]))


def _locked(wheel: FoundWheel, sizes: Sizes) -> LockedPackage:
    file = name_in(wheel.address)
    if wheel.sha256 is None:
        raise SetupError(f"the index tells no SHA-256 of {file}; let pip use another one.")
    return LockedPackage(wheel.name, wheel.version, file, wheel.sha256, sizes.packed)


def _locked_torch(known: KnownFile) -> LockedPackage:
    return LockedPackage("torch", known.version, known.name, known.sha256, known.bytes)
