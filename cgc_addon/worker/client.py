# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's end of the worker: starts the process, passes wishes on, collects what it tells.

Nothing here blocks but `wait` and `check`: a timer calls `poll` some times a second, and that
drives everything, also the end of a worker that does not listen.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import CgcError
from .environment import worker_environment
from .lines import FINAL, PROTOCOL, Message
from .process import Process

GREETING_SECONDS = 60.0
"""How long a Python may take to start; a cold disk and a virus scanner make it slow."""
STOP_SECONDS = 15.0
"""How long a job may take to stop and save before its process is ended."""
TERMINATE_SECONDS = 3.0
"""How long a process that is asked to end may take before it is killed."""
WAIT_INTERVAL = 0.02
CURE = "choose a Python 3.11 or newer that has the engine's packages in the add-on's preferences"


class Worker:
    """One worker process, for one job after the other.

    Messages are dictionaries with a `type`: `hello`, `progress`, `note`, `preview`, `paused`,
    `resumed`, and as the last of each job `result`, `error` or `interrupted`; those of a job carry
    its `id`. The keys of each are described in docs/file-formats.md. A process that ends by itself
    gives one `error`, with the last `lines` it wrote to stderr.
    """

    def __init__(
        self,
        interpreter: Path,
        package_parent: Path,
        site_packages: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a worker; `start` starts it.

        Args:
            interpreter: of a Python 3.11 or newer with the engine's packages.
            package_parent: the folder that holds the package `cgc_addon`.
            site_packages: further folders to import from.
            environment: what the process would inherit, None = our own; cleaned in any case.
        """
        self._interpreter, self._package_parent = interpreter, package_parent
        self._site_packages = tuple(site_packages)
        self._environment = os.environ if environment is None else environment
        self._process: Process | None = None
        self._jobs = 0
        self._job: str | None = None
        self._greeted = False
        self._ended = False  # and told
        self._ending = False  # because we want it to
        self._refusal = ""  # why we ended it
        self._greet_until = 0.0
        self._end_at: float | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.exit_code() is None

    @property
    def busy(self) -> bool:
        """Whether a job was given whose end `poll` has not told yet."""
        return self._job is not None

    @property
    def process_id(self) -> int | None:
        """Number of the process, None before `start`."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; `hello` comes with a later `poll`.

        Raises:
            CgcError: the interpreter is missing or cannot be run.
        """
        environment = worker_environment(
            self._environment, self._package_parent, self._site_packages
        )
        command = [str(self._interpreter), "-m", "cgc_addon.worker"]
        try:
            self._process = Process(command, environment)
        except FileNotFoundError:
            raise CgcError(f"There is no Python at {self._interpreter}; {CURE}.") from None
        except OSError as error:
            raise CgcError(
                f"{self._interpreter} cannot be run ({error.strerror or error}); {CURE}."
            ) from error
        self._greet_until = time.monotonic() + GREETING_SECONDS

    def run(self, arguments: Sequence[str | Path]) -> str:
        """Give the worker a job and return its id, without waiting.

        Args:
            arguments: a verb of the command line and its arguments, paths absolute.

        Raises:
            CgcError: a job is running, or the worker has ended.
        """
        if self._job is not None:
            raise CgcError("A job is running already; stop it, or wait until it is done.")
        if self._process is None or self._ended or self._ending:
            raise CgcError("The worker has ended; start a new one.")
        self._jobs += 1
        self._job = str(self._jobs)
        texts = [str(argument) for argument in arguments]
        self._process.send({"type": "run", "id": self._job, "arguments": texts})
        return self._job

    def pause(self) -> None:
        """Let the job wait between two steps; `paused` tells that it does."""
        self._ask("pause")

    def resume(self) -> None:
        """Let a paused job go on."""
        self._ask("resume")

    def stop(self, grace: float = STOP_SECONDS) -> None:
        """Let the job save and end with `interrupted`; the worker stays for the next one.

        After `grace` seconds later polls end the process, and kill it if need be. Then the last
        checkpoint is what is kept.
        """
        if self._job is None:
            return
        self._ask("stop")
        end_at = time.monotonic() + grace
        self._end_at = end_at if self._end_at is None else min(self._end_at, end_at)

    def kill(self) -> None:
        """End the process at once, with all that it started."""
        self._ending = True
        if self._process is not None:
            self._process.kill()

    def close(self, wait: float = 0.0) -> None:
        """Let the worker save and go: a running job stops as with `stop`, then the process ends.

        Args:
            wait: seconds to wait for that, after which the process is killed; with 0 nothing is
                waited for, and the process ends by itself.
        """
        self._ending = True
        if self._process is None:
            return
        self._process.send({"type": "quit"})
        self._process.close_input()
        end = time.monotonic() + wait
        while wait and self.alive and time.monotonic() < end:
            time.sleep(WAIT_INTERVAL)
        if wait and self.alive:
            self._process.kill()

    def poll(self) -> list[Message]:
        """Return what came since the last call, without waiting."""
        process = self._process
        if process is None or self._ended:
            return []
        code = process.exit_code()  # asked first: a process that has ended tells nothing more
        if code is None:
            self._end_what_is_late(process)
        messages = [message for message in process.messages() if self._notice(message, process)]
        if code is not None:
            messages += self._last_words(process, code)
            self._ended, self._job = True, None
        return messages

    def wait(self, timeout: float) -> list[Message]:
        """Return the next messages; none, when none came in `timeout` seconds or ever will."""
        end = time.monotonic() + timeout
        while not (messages := self.poll()) and not self._ended and time.monotonic() < end:
            time.sleep(WAIT_INTERVAL)
        return messages

    def _ask(self, wish: str) -> None:
        if self._process is not None:
            self._process.send({"type": wish})

    def _notice(self, message: Message, process: Process) -> bool:
        """Learn from a message what it means for us; False: it is none of the worker's."""
        if not self._greeted:
            if message["type"] != "hello":
                return False
            self._greeted = True
            if message.get("protocol") != PROTOCOL:
                self._refusal = (
                    f"{self._interpreter} runs another version of the engine "
                    f"({message.get('version')}); {CURE}."
                )
                process.kill()
                return False
        if message["type"] in FINAL and message.get("id") == self._job:
            self._job = self._end_at = None
        return True

    def _end_what_is_late(self, process: Process) -> None:
        now = time.monotonic()
        if not self._greeted and now > self._greet_until:
            self._refusal = (
                f"{self._interpreter} did not start the engine within "
                f"{GREETING_SECONDS:.0f} seconds; {CURE}."
            )
            process.kill()
        elif self._end_at is not None and now > self._end_at:
            if self._ending:
                process.kill()
            else:
                self._ending = True
                self._end_at = now + TERMINATE_SECONDS
                process.terminate()

    def _last_words(self, process: Process, code: int) -> list[Message]:
        """Return the message that ends what the process left unfinished, if anything."""
        if self._refusal:
            text = self._refusal
        elif self._ending:
            return [] if self._job is None else [{"type": "interrupted", "id": self._job}]
        else:
            reason = _describe_exit(code)
            if line := _telling_line(process.last_lines()):
                reason = f"{reason}: {line}"
            text = (
                f"The worker ended unexpectedly ({reason})."
                if self._greeted
                else f"{self._interpreter} could not start the engine ({reason}); {CURE}."
            )
        return [
            {"type": "error", "id": self._job, "text": text, "lines": process.last_lines()},
        ]


def check(
    interpreter: Path,
    package_parent: Path,
    site_packages: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> dict[str, Any]:
    """Return what the verb `probe` tells about an interpreter; waits for it.

    The keys are those of its result: `cgc`, `python`, `packages`, `missing`, `backend`, `problem`.

    Raises:
        CgcError: it cannot run the engine at all, or did not answer in `timeout` seconds.
    """
    worker = Worker(interpreter, package_parent, site_packages, environment)
    worker.start()
    end = time.monotonic() + timeout
    try:
        worker.run(["probe"])
        while (left := end - time.monotonic()) > 0 and worker.busy:
            for message in worker.wait(left):
                if message["type"] == "error":
                    raise CgcError(message["text"])
                if message["type"] == "result":
                    return {key: message[key] for key in message.keys() - {"type", "id"}}
        raise CgcError(f"{interpreter} did not answer within {timeout:.0f} seconds; {CURE}.")
    finally:
        worker.close(wait=TERMINATE_SECONDS)


def _describe_exit(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        cause = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return f"killed by {name}{cause}"
    return f"exit code {code}" if code < 256 else f"exit code {code:#x}"  # Windows' are 32 bits


def _telling_line(lines: Sequence[str]) -> str:
    """Return the line of a log that says best why a process ended, without its full stop."""
    said = [line.strip() for line in lines if line.strip()]
    crashes = [line for line in said if line.startswith("Fatal Python error")]
    return (crashes or said or [""])[-1].rstrip(".")
