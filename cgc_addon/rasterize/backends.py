# SPDX-License-Identifier: GPL-3.0-or-later
"""The backends there are, described in plain words: what Blender and the verbs let users choose.

Nothing is imported to describe a backend; `select` imports the module of the one that is to draw.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..choices import Choice, Described, names


@dataclass(frozen=True)
class BackendDescription:
    """What is known of a backend before anything of it is imported."""

    name: str
    """As verbs, files and `Backend.name` call it."""
    label: str
    """As menus call it."""
    sentence: str
    """What choosing it means, without a full stop: the tip of the menu."""
    place: str
    """Where it draws: "Drawing on {place}."."""
    module: str
    """Absolute, or relative to `rasterize` with a dot. It has the two functions of
    `interface.BackendModule`: whether the backend can be used here and why not, and opening it."""


AUTO = "auto"
"""In place of a name: the last of `BACKENDS` that can be used."""

BACKENDS = (
    BackendDescription(
        name="cpu",
        label="Processor",
        sentence="Draw on the processor",
        place="the CPU",
        module=".cpu.backend",
    ),
    BackendDescription(
        name="cuda",
        label="CUDA",
        sentence="Draw on an NVIDIA graphics card",
        place="the GPU with CUDA",
        module=".cuda.opening",
    ),
)
"""As menus list them, from the one that works everywhere to the most wanted one."""


def backend_names() -> tuple[str, ...]:
    """Return the names of all that can be chosen, "auto" first.

    Example:
        >>> backend_names()[0], "cpu" in backend_names()
        ('auto', True)
    """
    return names(backend_choices())


def backend_choices() -> tuple[Described, ...]:
    """Return what can be chosen, "auto" first.

    Example:
        >>> backend_choices()[0].label
        'Automatic'
    """
    automatic = "The graphics card if it can be used, else the processor"
    return (Choice(AUTO, "Automatic", automatic), *BACKENDS)
