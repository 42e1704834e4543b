# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of packages, brought into one folder; those that are there and right stay."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import CgcError, Interrupted
from ..progress import Progress, Reporter, ShouldStop, never, silent
from .archive import EngineArchive
from .lock import Lock, Package, PackageFile
from .pip import NotFoundError, Pip

MEGABYTE = 1_000_000
BATCH_BYTES = 40_000_000
"""pip keeps what it has fetched when it ends, so it fetches no more than this at a time, or one."""
WHEELS = Path(__file__).resolve().parent / "wheels"
"""Wheels that came with the extension."""

Chosen = tuple[Package, PackageFile]
"""A package, and which of its files is taken."""


class Files:
    """Brings the files of a lock into a folder, from wherever they can be had."""

    def __init__(
        self,
        folder: Path,
        lock: Lock,
        pip: Callable[[], Pip],
        python: Path,
        archive: EngineArchive | None = None,
        folders: Sequence[Path] = (WHEELS,),
    ) -> None:
        """Describe where they come from.

        Args:
            folder: where they go.
            lock: says what they are.
            pip: returns what fetches them.
            python: Python that they are for.
            archive: has them all; nothing is fetched then.
            folders: looked into before any index.
        """
        self._folder, self._lock, self._pip, self._python = folder, lock, pip, python
        self._archive, self._folders = archive, tuple(folders)

    def bring(
        self,
        packages: Sequence[Package],
        report: Reporter = silent,
        should_stop: ShouldStop = never,
    ) -> list[Chosen]:
        """Have the files of packages in the folder.

        Args:
            packages: of the lock.
            report: progress in MB (10⁶ bytes).
            should_stop: asked several times a second.

        Returns:
            Each package with the file that was taken.

        Raises:
            NotFoundError: nobody has one of them.
            CgcError: no network, another content, no room; another call goes on with what came.
            Interrupted: `should_stop` said so; another call goes on with what came.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._folder / "coming", ignore_errors=True)
        tally = _Tally(sum(package.wheel.size for package in packages), report)
        chosen: dict[str, PackageFile] = {}
        missing: list[Chosen] = []
        for package in packages:
            here = self._here(package, should_stop)
            if here is None:
                missing.append((package, package.wheel))
            else:
                chosen[package.name] = here
                tally.count(package.name, package.wheel.size)
        if missing and self._archive is not None:
            names = ", ".join(package.name for package, _ in missing)
            raise CgcError(
                f"{self._archive.path} lacks {names} of its own lock; fetch the archive anew."
            )
        try:
            for batch in batches(missing):
                for package, file in self._fetch(batch, tally, should_stop):
                    chosen[package.name] = file
        finally:
            shutil.rmtree(self._folder / "coming", ignore_errors=True)
        return [(package, chosen[package.name]) for package in packages]

    def _fetch(self, batch: list[Chosen], tally: _Tally, should_stop: ShouldStop) -> list[Chosen]:
        """Fetch files in one go; where nobody has one that there is something else for, that."""
        local = any("+" in file.version for _, file in batch)
        try:
            self._pip().download(
                self._python,
                batch,
                self._folder,
                self._lock.indexes if local else (),
                tally.count,
                should_stop,
            )
        except NotFoundError as error:
            package, file = batch[0]
            if len(batch) == 1 and package.otherwise is not None and file != package.otherwise:
                return self._fetch([(package, package.otherwise)], tally, should_stop)
            if local and self._lock.indexes:
                raise CgcError(self._without_index(package, file)) from error
            raise
        for package, file in batch:
            if not _is_right(self._folder / file.file, file, should_stop):
                raise CgcError(
                    f"{file.file} did not come whole; install the engine again to fetch it anew."
                )
            tally.count(package.name, package.wheel.size)
        return batch

    def _without_index(self, package: Package, file: PackageFile) -> str:
        """Say that a build of PyTorch could not be had, and what can be done."""
        other = "CUDA, which is larger and runs on any processor, too"
        if self._lock.build == "cuda":
            other = "CPU"
        return (
            f"{package.name} {file.version} could not be had: this build comes from PyTorch's own "
            f"index ({', '.join(self._lock.indexes)}), which is out of reach; let it through, "
            f"choose the build {other}, or install from an engine archive."
        )

    def _here(self, package: Package, should_stop: ShouldStop) -> PackageFile | None:
        """Return the file of a package that is in the folder now; put there what others have."""
        for file in (package.wheel, *((package.otherwise,) if package.otherwise else ())):
            path = self._folder / file.file
            if _is_right(path, file, should_stop):
                return file
            with suppress(FileNotFoundError):
                path.unlink()
            if self._archive is not None and self._archive.has(file.file):
                self._take_from_archive(self._archive, file, path, should_stop)
                return file
            for folder in self._folders:
                if _is_right(folder / file.file, file, should_stop):
                    shutil.copyfile(folder / file.file, path)
                    return file
            if self._archive is None:
                return None  # the index may have the wheel itself
        return None

    def _take_from_archive(
        self, archive: EngineArchive, file: PackageFile, path: Path, should_stop: ShouldStop
    ) -> None:
        archive.extract(file.file, path)
        if not _is_right(path, file, should_stop):
            path.unlink()
            raise CgcError(
                f"{file.file} in {archive.path} has other content than its lock names; fetch the "
                "archive anew."
            )


class _Tally:
    """Counts bytes, and tells how many there are."""

    def __init__(self, total: int, report: Reporter) -> None:
        self._total, self._report = total, report
        self._done: dict[str, int] = {}

    def count(self, name: str, received: int) -> None:
        """Take note of how many bytes of a package are here."""
        self._done[normal_name(name)] = received
        done = min(self._total, sum(self._done.values()))
        total = max(1, round(self._total / MEGABYTE))
        self._report(
            Progress(
                f"Downloading {name} (MB)",
                min(total, round(done / MEGABYTE)),
                total,
                overall=done / max(1, self._total),
            )
        )


def batches(wanted: Iterable[Chosen]) -> Iterator[list[Chosen]]:
    """Yield files in their order, small ones together: as many as pip is to handle at a time."""
    batch: list[Chosen] = []
    for entry in wanted:
        package, file = entry
        alone = package.otherwise is not None or "+" in file.version
        size = sum(other.size for _, other in batch)
        if batch and (alone or size + file.size > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(entry)
        if alone:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_right(path: Path, file: PackageFile, should_stop: ShouldStop) -> bool:
    """Return whether a file is there and has the content that the lock names.

    The hash decides alone: of some files the lock knows no more than about how large they are.
    """
    try:
        digest = hashlib.sha256()
        with path.open("rb") as opened:
            while block := opened.read(1 << 22):
                if should_stop():
                    raise Interrupted("install")
                digest.update(block)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == file.sha256


def normal_name(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return name.lower().replace("_", "-").replace(".", "-")
