# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that are made up, in place of processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..fake_worker import FakeWorker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    yield from with_worker(FakeWorker(), monkeypatch)


@pytest.fixture
def deaf_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    """A worker that does not stop when it is asked to."""
    yield from with_worker(FakeWorker(stops=False), monkeypatch)


def with_worker(fake: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    from cgc_addon.blender.jobs import registry as jobs

    monkeypatch.setattr(jobs, "new_worker", lambda: fake)
    yield fake
    jobs.unregister()
    jobs.register()
