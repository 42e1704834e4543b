# SPDX-License-Identifier: GPL-3.0-or-later
"""Views are looked at in rounds, by whoever they are for, and come back in their order."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cgc_addon.ranks import ALONE
from cgc_addon.rasterize.views_at_once import ViewsAtOnce


class Pairs:
    photos = 2

    def each(self, look, photos):
        return [look(f"backend {place}", photo) for place, photo in enumerate(photos)]


@dataclass
class Drawing:
    together: Pairs | None

    def photos_together(self):
        return self.together


@dataclass(frozen=True)
class OneOf:
    rank: int
    size: int


def test_one_after_the_other_where_the_backend_wants_it_so():
    drawing = Drawing(None)
    at_once = ViewsAtOnce(drawing, ALONE)
    assert at_once.count == 1
    assert at_once.each(lambda backend, view: (backend, view), ["a"]) == [(drawing, "a")]


@pytest.mark.parametrize("views", ["ab", "a", ""])
def test_two_at_a_time_each_with_a_backend_of_its_own(views):
    at_once = ViewsAtOnce(Drawing(Pairs()), ALONE)
    assert at_once.count == 2
    assert at_once.each(lambda backend, view: (backend, view), views) == [
        (f"backend {place}", view) for place, view in enumerate(views)
    ]


def test_of_several_processes_each_looks_at_one_of_its_own():
    drawing = Drawing(Pairs())
    at_once = ViewsAtOnce(drawing, OneOf(1, 3))
    assert at_once.count == 3
    assert at_once.each(lambda _backend, view: view, "abc") == ["b"]
    assert at_once.each(lambda _backend, view: view, "a") == []
