# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a job is, in words for the status bar and for panels; knows no bpy."""

from __future__ import annotations

from .job import JobState, Phase

_BETWEEN = "  ·  "
_IN_STATUS = (
    ("loss", "loss {:.4f}"),
    ("psnr", "{:.1f} dB"),
    ("gaussians", "{:,.0f} Gaussians"),
    ("steps_per_second", "{:.1f} steps/s"),
)
_IN_PANEL = (
    ("psnr", "{:.1f} dB"),
    ("loss", "loss {:.4f}"),
    ("gaussians", "{:,.0f} Gaussians"),
    ("steps_per_second", "{:.1f} steps/s"),
)


def status_line(state: JobState) -> str:
    """Say in one line how far a job is."""
    words = [state.title, state.stage]
    if state.overall is not None:
        words.insert(1, f"{state.overall:.0%}")
    if state.total:
        words.append(f"{state.done:,} of {state.total:,}")
    words += [
        text.format(state.numbers[name]) for name, text in _IN_STATUS if name in state.numbers
    ]
    if state.seconds_left is not None:
        words.append(f"{duration(state.seconds_left)} left")
    if state.phase is not Phase.RUNNING:
        words.insert(1, state.phase.value.capitalize())
    return "   |   ".join((*words, "ESC cancels"))


def stage_line(state: JobState) -> str:
    """Say what is being done, how much of it is done, and how long that will take."""
    return _BETWEEN.join([units_line(state), *_left(state)])


def units_line(state: JobState) -> str:
    """Say what is being done, and how much of it is done."""
    words = [state.stage if not state.stopping else "Ending"]
    if state.paused:
        words = ["Paused"]
    if state.total:
        words.append(f"{state.done:,} / {state.total:,}")
    return _BETWEEN.join(words)


def whole_line(state: JobState) -> str:
    """Say how far a job of several stages is as a whole."""
    return _BETWEEN.join([f"{state.fraction:.0%}", *_left(state)])


def number_lines(state: JobState) -> list[str]:
    """Return the numbers of a state, two a line."""
    words = [text.format(state.numbers[name]) for name, text in _IN_PANEL if name in state.numbers]
    words.append(f"{duration(state.seconds)} so far")
    return [_BETWEEN.join(words[place : place + 2]) for place in range(0, len(words), 2)]


def duration(seconds: float) -> str:
    """Write seconds as people do: "45 s", "3 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _left(state: JobState) -> list[str]:
    if state.seconds_left is None or state.stopping:
        return []
    return [f"{duration(state.seconds_left)} left"]
