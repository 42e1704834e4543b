# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads look for work for a moment and then sleep, unless the user wants something else."""

from __future__ import annotations

import pytest

from cgc_addon.waiting_threads import WAITING, let_threads_sleep


def test_threads_sleep_but_not_at_once() -> None:
    environment: dict[str, str] = {}
    let_threads_sleep(environment)
    assert environment == WAITING
    assert 0 < int(environment["GOMP_SPINCOUNT"]) < 5_000


@pytest.mark.parametrize("policy", ["ACTIVE", "passive"])
def test_what_the_user_has_chosen_stays(policy: str) -> None:
    environment = {"OMP_WAIT_POLICY": policy}
    let_threads_sleep(environment)
    assert environment == {"OMP_WAIT_POLICY": policy}


def test_a_number_of_turns_stays() -> None:
    environment = {"GOMP_SPINCOUNT": "7"}
    let_threads_sleep(environment)
    assert environment["GOMP_SPINCOUNT"] == "7"
