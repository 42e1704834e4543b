# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing an engine, mending it, and bringing it up to date: one way for all three.

Whatever is whole of the engine that is there is taken over; the rest is downloaded and installed
into an environment beside it. Only when that environment was tried does it become the engine, in
one step, and the one before goes. Whatever ends this earlier leaves the engine as it was, and what
was downloaded for the next try.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CgcError
from ..progress import Progress, Reporter, ShouldStop, never, silent
from ..stages import Stage, StagedProgress
from .archive import EngineArchive
from .checking import import_problems, notes_on
from .contents import sound
from .download import WHEELS, Chosen, Files
from .engine import Engine, read_engine, site_packages, write_engine
from .environment import make_empty, put_in, take_over
from .lock import Lock, Package, this_platform, this_python
from .one_at_a_time import changing
from .pip import Pip, tells_bytes, unpacked
from .places import EngineHome, engine_home, homes_in, python_of
from .removal import clear_unfinished, delete_folder, remove_engine
from .space import check_room, folder_bytes

PREPARING, DOWNLOADING, INSTALLING, TRYING = "Preparing", "Downloading", "Installing", "Trying"
DOWNLOAD_PACE, INSTALL_PACE, TRYING_SECONDS = 8e6, 40e6, 20.0
"""Bytes a second, and seconds: only to know beforehand what share of the whole each part has."""
SYSTEM_WHEELS = Path("/usr/share/python-wheels")
"""Where Debian keeps the pip that others keep in ensurepip."""


@dataclass(frozen=True)
class Installed:
    """What came of it."""

    engine: Engine
    downloaded: int
    """Bytes of the files that were not there yet."""
    changed: bool
    """Whether anything was done: an engine that is well is left as it is."""
    notes: tuple[str, ...]


def install_engine(
    engines: Path,
    lock: Lock,
    *,
    base: Path = Path(sys.executable),
    archive: EngineArchive | None = None,
    folders: Sequence[Path] = (WHEELS,),
    report: Reporter = silent,
    should_stop: ShouldStop = never,
    say: Callable[[str], None] = lambda _sentence: None,
) -> Installed:
    """Have the engine that a lock describes in a folder.

    Args:
        engines: folder of the engines, made if missing.
        lock: what is to be installed.
        base: Python that the engine is made with; the one that runs this, or one like it.
        archive: holds the packages; without it they come from pip's indexes.
        folders: of wheels, looked into before any index.
        report: progress.
        should_stop: asked several times a second.
        say: takes sentences for the user.

    Raises:
        CgcError: it cannot be; one sentence says why. The engine that was there still is.
        Interrupted: `should_stop` said so; likewise.
    """
    _check_fits(lock)
    home = engine_home(engines, lock.python, lock.build)
    with changing(home):
        clear_unfinished(home)
        try:
            installed = _Installation(home, lock, base, archive, folders, report, should_stop).run()
        except OSError as error:
            raise CgcError(
                f"{error.filename or home.folder} could not be written "
                f"({error.strerror or error}); check free space and permissions, then install the "
                "engine again: what was downloaded is kept."
            ) from error
        finally:
            clear_unfinished(home)
    for other in homes_in(engines):
        if other.folder != home.folder and other.folder.name.startswith(f"py{lock.python}-"):
            removal = remove_engine(other)
            say(f"{removal.sentence(other)} It held the other build.")
    return installed


class _Installation:
    """One call of `install_engine`."""

    def __init__(
        self,
        home: EngineHome,
        lock: Lock,
        base: Path,
        archive: EngineArchive | None,
        folders: Sequence[Path],
        report: Reporter,
        should_stop: ShouldStop,
    ) -> None:
        self.home, self.lock, self.base = home, lock, base
        self.archive, self.folders = archive, folders
        self.report, self.should_stop = report, should_stop
        self.pip: Pip | None = None

    def run(self) -> Installed:
        self.report(Progress(PREPARING, 0, 0))
        old = read_engine(self.home)
        kept = self._kept(old)
        wanted = [package for package in self.lock.packages if package not in kept]
        if old is not None and not wanted and not old.problem() and self._same(old):
            broken = import_problems(old.environment, self.lock, self.report, self.should_stop)
            if not broken:
                return Installed(self._under_this_lock(old), 0, False, self._notes(old))
            # Its files have the right sizes and yet something in them is wrong.
            kept, wanted = [], list(self.lock.packages)
        download = sum(package.wheel.size for package in wanted)
        grown = self._grown(wanted)
        here = folder_bytes(self.home.downloads)
        check_room(self.home.folder, max(0, download - here) + grown + self._largest(wanted))
        progress = StagedProgress(
            [
                Stage(DOWNLOADING, 1.0 + download / DOWNLOAD_PACE),
                Stage(INSTALLING, 1.0 + grown / INSTALL_PACE),
                Stage(TRYING, TRYING_SECONDS),
            ],
            self.report,
        )
        chosen = self._download(wanted, progress.begin(DOWNLOADING))
        environment = self.home.new_environment()
        self._fill(environment, old, kept, chosen, progress.begin(INSTALLING))
        self._try(environment, progress.begin(TRYING))
        engine = Engine(self.home, environment, self.lock, folder_bytes(environment), time.time())
        write_engine(engine)
        progress.finish()
        delete_folder(self.home.downloads)
        return Installed(engine, max(0, download - here), True, self._notes(engine))

    def _kept(self, old: Engine | None) -> list[Package]:
        """Return the packages that the engine has as the lock wants them."""
        if old is None:
            return []
        had = {(entry.name, digest) for entry in old.lock.packages for digest in entry.digests}
        found = sound(self.lock, site_packages(old.environment, old.python))
        return [entry for entry in found if {(entry.name, d) for d in entry.digests} & had]

    def _under_this_lock(self, old: Engine) -> Engine:
        """Return an engine that is well, once its stamp has the lock that it was compared with."""
        if old.lock.digest == self.lock.digest:
            return old
        engine = replace(old, lock=self.lock)
        write_engine(engine)
        return engine

    def _same(self, old: Engine) -> bool:
        return {package.name for package in old.lock.packages} == {
            package.name for package in self.lock.packages
        }

    def _notes(self, engine: Engine) -> tuple[str, ...]:
        return notes_on(self.lock, site_packages(engine.environment, engine.python))

    def _grown(self, wanted: Sequence[Package]) -> int:
        """Return the bytes that packages take once they are installed: their share of all."""
        size = sum(package.wheel.size for package in wanted)
        return round(self.lock.installed_size * size / max(1, self.lock.download_size))

    def _largest(self, wanted: Sequence[Package]) -> int:
        """Return the bytes of the largest file, which is there twice while it comes."""
        return max((package.wheel.size for package in wanted), default=0)

    def _download(self, wanted: Sequence[Package], report: Reporter) -> list[Chosen]:
        """Have the files of packages here, that of pip first."""
        if not wanted:
            return []
        tool = next((entry for entry in self.lock.packages if entry.name == "pip"), None)
        if tool is None:
            raise CgcError(f"The lock {self.lock} names no pip; install the extension anew.")
        if tool in wanted or not (self.home.downloads / tool.wheel.file).is_file():
            first = self._files(self._pip_of_python)
            first.bring([tool], should_stop=self.should_stop)
        tools = self.home.downloads / "tools"
        delete_folder(tools)
        self.pip = unpacked(self.home.downloads / tool.wheel.file, tools)
        pip = self.pip
        return self._files(lambda: pip).bring(wanted, report, self.should_stop)

    def _files(self, pip: Callable[[], Pip]) -> Files:
        return Files(self.home.downloads, self.lock, pip, self.base, self.archive, self.folders)

    def _pip_of_python(self) -> Pip:
        """Return the pip that this Python brings along.

        Raises:
            CgcError: it has none.
        """
        ensurepip = importlib.util.find_spec("ensurepip")
        places = [] if ensurepip is None else list(ensurepip.submodule_search_locations or ())
        for folder in [*(Path(place) / "_bundled" for place in places), SYSTEM_WHEELS]:
            for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
                return unpacked(wheel, self.home.downloads / "tools")
        if (found := importlib.util.find_spec("pip")) is not None and found.origin:
            version = importlib.metadata.version("pip")
            return Pip(Path(found.origin).parents[1], tells_bytes(version))
        raise CgcError(
            f"{self.base} has no pip to begin with; install it (Debian and Ubuntu: the package "
            "python3-venv), or install from an engine archive."
        )

    def _fill(
        self,
        environment: Path,
        old: Engine | None,
        kept: Sequence[Package],
        chosen: Sequence[Chosen],
        report: Reporter,
    ) -> None:
        """Make the environment."""
        make_empty(environment, self.base, self.should_stop)
        folder = site_packages(environment, self.lock.python)
        if old is not None:
            take_over(kept, site_packages(old.environment, old.python), folder, self.should_stop)
        if chosen:
            assert self.pip is not None
            put_in(chosen, self.home.downloads, environment, self.pip, report, self.should_stop)

    def _try(self, environment: Path, report: Reporter) -> None:
        """Import what the engine needs.

        Raises:
            CgcError: something does not load.
        """
        if not python_of(environment).is_file():
            raise CgcError(f"{environment} has no Python; install the engine again.")
        broken = import_problems(environment, self.lock, report, self.should_stop)
        if broken:
            name, reason = next(iter(broken.items()))
            raise CgcError(
                f"The engine was installed, but {name} does not load on this machine: {reason}; "
                "what was there before is as it was."
            )


def _check_fits(lock: Lock) -> None:
    """Check that a lock is for this machine and this Python.

    Raises:
        CgcError: it is not.
    """
    here = f"{this_platform()}-py{this_python()}"
    if f"{lock.platform}-py{lock.python}" != here:
        raise CgcError(
            f"This engine is for {lock.platform} with Python {lock.python}, and this is {here}; "
            "use the one that belongs here."
        )
