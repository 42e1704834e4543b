# SPDX-License-Identifier: GPL-3.0-or-later
"""What one job loads the next one finds, in the worker; on the command line each begins anew."""

import os

import pytest

from .conftest import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the made-up Pythons are shell scripts")


def test_jobs_of_a_worker_share_what_they_keep(start, with_verb):
    worker = start(
        with_verb("""
        found = options.kept.get(list)
        found.append(len(found))
        sink.result({"found": found}, "")
    """)
    )
    for expected in ([0], [0, 1], [0, 1, 2]):
        worker.run(["probe"])
        assert until(worker, "result")[-1]["found"] == expected
