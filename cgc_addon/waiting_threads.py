# SPDX-License-Identifier: GPL-3.0-or-later
"""How OpenMP's threads wait for work: told by the environment before PyTorch is imported."""

from __future__ import annotations

from collections.abc import MutableMapping

WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
"""For some microseconds they look whether there is work, then they sleep. A step of training has
dozens of pieces for all threads: sleeping at once, two threads lose a tenth of its time to being
woken. Beside another program that takes a core, these turns cost a tenth, and 20,000 of them or
GNU's own 300,000 more than the step itself: who looks keeps who has work from the core. Other
OpenMPs know no number of turns, and sleep."""


def let_threads_sleep(environment: MutableMapping[str, str]) -> None:
    """Set what the user has not set.

    Example:
        >>> environment = {"OMP_WAIT_POLICY": "ACTIVE"}
        >>> let_threads_sleep(environment)
        >>> environment
        {'OMP_WAIT_POLICY': 'ACTIVE'}
    """
    if "OMP_WAIT_POLICY" in environment:  # a number of turns would count in its place
        return
    for name, value in WAITING.items():
        environment.setdefault(name, value)
