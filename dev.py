# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up the engine beside this file and run it: `python3 dev.py demo`, `python3 dev.py test`.

    python3 dev.py setup              make .venv, or bring it up to date
    python3 dev.py demo [OPTIONS]     the whole way on the bundled sample
    python3 dev.py run VERB [...]     any verb of the engine; `run --help` lists them
    python3 dev.py test [PYTEST ...]  all checks, then the tests

The environment variable CGC_TORCH=cpu or CGC_TORCH=cuda chooses the build of PyTorch; without it
the CUDA build comes where an NVIDIA card is seen, and the much smaller CPU build everywhere else.

This file needs nothing but Python's standard library.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
RUNTIME_LOCK = ROOT / "wheels" / "requirements.lock"
CHECKS_LOCK = ROOT / "wheels" / "requirements-dev.lock"

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
DONE, FAILED, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130

TORCH_INDEXES = {
    ("cpu", "Linux"): "https://download.pytorch.org/whl/cpu",
    ("cuda", "Windows"): "https://download.pytorch.org/whl/cu130",
}
"""Where a build of PyTorch comes from when the ordinary sources have the other one."""


class SetupError(Exception):
    """Something that keeps the environment from being made: one sentence with the cure."""


def main(arguments: list[str]) -> int:
    """Do what the command line asks for and return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return DONE if arguments else BAD_ARGUMENTS
    command, rest = arguments[0], arguments[1:]
    if command not in ("setup", "demo", "run", "test") or (command == "setup" and rest):
        print(f"dev.py: {' '.join(arguments)!r} is no command; see --help.", file=sys.stderr)
        return BAD_ARGUMENTS
    try:
        with_this_python_or_a_better_one(arguments)
        set_up(checks=command == "test")
        if command == "test":
            return run_checks(checks(rest))
        if command == "setup":
            return DONE
        verb = ["demo", *rest] if command == "demo" else rest
        return become([str(environment_python()), "-m", "cgc_addon", *verb])
    except SetupError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("dev.py: interrupted.", file=sys.stderr)
        return INTERRUPTED


# ---- The environment -----------------------------------------------------------------------------


def set_up(*, checks: bool, environment: Path = ENVIRONMENT) -> None:
    """Make the environment, or bring it up to date; nothing to do is found out in milliseconds.

    Args:
        checks: also install what the checks need.
        environment: folder of the virtual environment.

    Raises:
        SetupError: Python has no `venv`, or a package could not be installed.
    """
    torch = torch_build()
    wanted = {"torch": torch, "runtime": digest(RUNTIME_LOCK)}
    if checks:
        wanted["checks"] = digest(RUNTIME_LOCK, CHECKS_LOCK)
    stamp = read_stamp(environment)
    action = what_to_do(environment, stamp, wanted)
    if action == "keep":
        return

    begun = time.monotonic()
    if action == "make":
        say(f"Making {environment} with Python {platform.python_version()} …")
        make_environment(environment)
    # Until the last package is in, the stamp says so: an interrupted run is then started over.
    write_stamp(environment, {"state": "unfinished"})
    say(f"Installing PyTorch, the {torch.upper()} build …")
    # What torch needs comes with the lock, so that only torch itself is sought in its own index.
    torch_itself = [f"torch=={locked_version('torch')}", "--no-deps"]
    pip_install(environment, [*torch_itself, *torch_sources(torch)])
    if torch == "cpu" and torch_sources(torch) and "+cpu" not in installed_torch(environment):
        say("The CPU build could not be had; this is the CUDA build, which needs gigabytes more.")
    lock = CHECKS_LOCK if checks or "checks" in stamp else RUNTIME_LOCK
    say(f"Installing the packages of {lock.relative_to(ROOT)} …")
    pip_install(environment, ["-r", str(lock)])
    if lock == CHECKS_LOCK:
        wanted["checks"] = digest(RUNTIME_LOCK, CHECKS_LOCK)
    write_stamp(environment, {"state": "finished", **wanted})
    say(f"Ready after {time.monotonic() - begun:.0f} s.")


def what_to_do(environment: Path, stamp: dict[str, str], wanted: dict[str, str]) -> str:
    """Return "keep", "update" or "make".

    An environment without a stamp was made by hand: it is updated, never thrown away. One whose
    set-up was interrupted, whose interpreter is gone, or which holds the other build of PyTorch is
    made anew.
    """
    if not runs(environment_python(environment)) or stamp.get("state") == "unfinished":
        return "make"
    if stamp.get("torch", wanted["torch"]) != wanted["torch"]:
        return "make"
    if all(stamp.get(key) == value for key, value in wanted.items()):
        return "keep"
    return "update"


def environment_python(environment: Path = ENVIRONMENT) -> Path:
    """Return the environment's interpreter, whether it exists or not."""
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def runs(python: Path) -> bool:
    """Return whether an interpreter starts."""
    try:
        started = subprocess.run([str(python), "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return started.returncode == 0


def make_environment(environment: Path) -> None:
    """Make an empty environment, in place of what was there, and stamp it as unfinished."""
    try:
        if environment.exists():
            shutil.rmtree(environment)
        environment.mkdir(parents=True)
        write_stamp(environment, {"state": "unfinished"})
    except OSError as error:
        raise SetupError(
            f"{environment} could not be cleared ({error.strerror or error}); end the programs "
            "that run from it and check its permissions, then run again."
        ) from error
    command = [sys.executable, "-m", "venv", str(environment)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        if "ensurepip" in result.stdout + result.stderr:
            raise SetupError(
                "this Python cannot make virtual environments; install its `venv` part (Debian and "
                f"Ubuntu: `apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv`) "
                "and run again."
            )
        raise SetupError(
            f"{environment} could not be made: {last_line(result.stderr or result.stdout)}"
        )


def pip_install(environment: Path, arguments: list[str]) -> None:
    """Install packages into the environment, telling which ones are being fetched.

    Raises:
        SetupError: pip failed; its last lines have been printed.
    """
    command = [str(environment_python(environment)), "-m", "pip", "install"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line.rstrip())
            if re.match(r"\s*(Downloading|Using cached|Installing collected|WARNING: Retry)", line):
                print("   ", line.strip()[:110], flush=True)
    if pip.returncode != 0:
        print("\n".join(lines[-15:]), file=sys.stderr)
        raise SetupError(
            f"pip could not install the packages (exit code {pip.returncode}, its last lines stand "
            "above); check the network and the free space, then run the same command again."
        )


def read_stamp(environment: Path) -> dict[str, str]:
    """Return what the last set-up left in the environment, empty when there is nothing sound."""
    try:
        stamp = json.loads((environment / "set-up.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(environment: Path, stamp: dict[str, str]) -> None:
    """Note in the environment how far its set-up is."""
    beside = environment / "set-up.json.new"
    beside.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    beside.replace(environment / "set-up.json")


def digest(*files: Path) -> str:
    """Return the SHA-256 of text files, the same for either kind of line break."""
    content = b"\0".join(file.read_bytes().replace(b"\r\n", b"\n") for file in files)
    return hashlib.sha256(content).hexdigest()


def locked_version(package: str) -> str:
    """Return the one version that the runtime lock has of a package."""
    found = re.search(rf"(?m)^{re.escape(package)}==(\S+)", RUNTIME_LOCK.read_text("utf-8"))
    if found is None:
        raise SetupError(f"{RUNTIME_LOCK} does not name {package}.")
    return found[1]


# ---- PyTorch -------------------------------------------------------------------------------------


def torch_build() -> str:
    """Return "cpu" or "cuda": what CGC_TORCH says, or what this machine can use."""
    chosen = os.environ.get("CGC_TORCH", "").strip().lower()
    if chosen in ("cpu", "cuda"):
        return chosen
    if chosen:
        raise SetupError(f"CGC_TORCH is {chosen!r}; set it to cpu or cuda, or not at all.")
    return "cuda" if has_nvidia_card() else "cpu"


def has_nvidia_card() -> bool:
    """Return whether an NVIDIA driver is at work on this machine."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def torch_sources(build: str, system: str | None = None) -> list[str]:
    """Return pip's options for a build of PyTorch.

    A version there carries a mark such as +cpu and counts as newer than the plain one, so pip takes
    it where the index answers. Where it does not, pip soon goes on with the sources it has.
    """
    index = TORCH_INDEXES.get((build, system or platform.system()))
    if index is None:
        return []
    return ["--extra-index-url", index, "--retries", "1", "--timeout", "20"]


def installed_torch(environment: Path) -> str:
    """Return the version of torch in the environment, with its mark."""
    program = "import importlib.metadata as m; print(m.version('torch'))"
    command = [str(environment_python(environment)), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


# ---- Running -------------------------------------------------------------------------------------


def child_environment() -> dict[str, str]:
    """Return the environment variables for a child process."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    variables["PYTHONPATH"] = str(ROOT)
    # Waiting OpenMP threads would spin and take the cores from the threads that have work.
    variables.setdefault("OMP_WAIT_POLICY", "passive")
    return variables


def become(command: list[str]) -> int:
    """Run a program in place of this one, so that signals and the exit code are its own."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, child_environment())
    with subprocess.Popen(command, env=child_environment()) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child got it too, and decides
                continue


def checks(pytest_arguments: list[str]) -> list[tuple[str, list[str]]]:
    """Return the name and the command of each check; the tests come last."""
    python = str(environment_python())
    lint_imports = shutil.which("lint-imports", path=str(Path(python).parent)) or "lint-imports"
    return [
        ("ruff check", [python, "-m", "ruff", "check"]),
        ("ruff format", [python, "-m", "ruff", "format", "--check"]),
        ("pyright", [python, "-m", "pyright"]),
        ("import contracts", [lint_imports]),
        ("tests", [python, "-m", "pytest", *pytest_arguments]),
    ]


def run_checks(steps: list[tuple[str, list[str]]]) -> int:
    """Run every check, also after one has failed, and return 0 only when all are good."""
    failed = []
    for name, command in steps:
        print(f"\n== {name}", flush=True)
        begun = time.monotonic()
        try:
            code = subprocess.run(
                command, cwd=ROOT, env=child_environment(), check=False
            ).returncode
        except FileNotFoundError:
            print(f"{command[0]} is missing.", file=sys.stderr)
            code = FAILED
        verdict = "good" if code == 0 else f"FAILED with exit code {code}"
        print(f"== {name}: {verdict}, {time.monotonic() - begun:.1f} s", flush=True)
        if code != 0:
            failed.append(name)
    if failed:
        print(f"\ndev.py: failed: {', '.join(failed)}.", file=sys.stderr)
    return FAILED if failed else DONE


def with_this_python_or_a_better_one(arguments: list[str]) -> None:
    """Go on with another Python when this one is too old or too new for the locked packages.

    Raises:
        SetupError: there is none.
    """
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return
    for minor in range(NEWEST_PYTHON[1], OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and runs(Path(other)):
            raise SystemExit(become([other, str(Path(__file__).resolve()), *arguments]))
    raise SetupError(
        f"Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} to {NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]} is "
        f"needed, this is {platform.python_version()}; install one of them and run dev.py with it."
    )


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given."


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
