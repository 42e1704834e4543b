# SPDX-License-Identifier: GPL-3.0-or-later
"""A region stays fluid while its view moves, and shows everything soon after it rests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.pace import FRAME_SECONDS, REST_SECONDS, SLICE_SECONDS
from cgc_addon.blender.drawing.picture import Style
from cgc_addon.blender.drawing.region import Occluders, RegionDrawing, Wanted

from .slow_pictures import looking_at_origin, random_appearance


@dataclass
class FakePicture:
    """Takes time as a real one does."""

    painter: FakePainter
    size: tuple[int, int]
    total: int
    marked: bool
    drawn: int = 0
    hidden_by: object = None

    @property
    def complete(self) -> bool:
        return self.drawn >= self.total

    def draw(self, _blending, nearest, count: int) -> None:
        self.hidden_by = nearest
        part = min(count, self.total - self.drawn)
        self.drawn += part
        pixels = self.size[0] * self.size[1] / self.painter.pixels
        self.painter.now += part / self.painter.speed * pixels

    def wait(self) -> None:
        pass


@dataclass
class FakePainter:
    """A graphics card that draws so many Gaussians a second at full size."""

    speed: float
    pixels: int = 64 * 48
    blending: object = None
    now: float = 100.0
    begun: list[FakePicture] = field(default_factory=list)

    def begin(self, _appearances, order, viewpoint, style) -> FakePicture:
        size = (viewpoint.width, viewpoint.height)
        self.begun.append(FakePicture(self, size, len(order), style.marked))
        return self.begun[-1]


MANY = 60_000


@pytest.fixture(scope="module")
def cloud():
    return (random_appearance(MANY, degree=0),)


def wanted(cloud, angle: float = 0.0, **changes) -> Wanted:
    view = looking_at_origin(distance=8.0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    view = replace(view, world_to_view=view.world_to_view @ turn)
    return replace(Wanted(cloud, view, Style()), **changes)


def redraw_until_fine(
    region: RegionDrawing, painter: FakePainter, view: Wanted, look_around=Occluders
) -> list[float]:
    """Redraw when it is due, as the timer does, and return what each redraw took."""
    took = []
    for _ in range(2000):
        if not region.waits:
            return took
        painter.now += 0.03
        time.sleep(0.001)  # for the thread that sorts
        if region.due():
            began = painter.now
            region.advance(painter, view, look_around)
            took.append(painter.now - began)
    raise AssertionError("it never became fine")


def test_a_moving_view_does_not_look_around() -> None:
    def look_around() -> Occluders:
        raise AssertionError("this would wait for the graphics card")

    painter = FakePainter(speed=1e6)
    region = RegionDrawing(clock=lambda: painter.now)
    few = (random_appearance(500),)
    for step in range(3):
        picture = region.advance(painter, wanted(few, 0.01 * step), look_around)
        assert picture.complete
        assert picture.hidden_by is None
        assert picture.marked  # which tell how deep it is
        painter.now += REST_SECONDS / 2
    assert not region.fine
    region.close()


def test_what_hides_splats_is_noticed_once_the_view_rests() -> None:
    painter = FakePainter(speed=1e6)
    region = RegionDrawing(clock=lambda: painter.now)
    few = wanted((random_appearance(500),))
    mesh, moved = Occluders("a mesh", 0), Occluders("a mesh that has moved", 1)
    region.advance(painter, few, lambda: mesh)
    redraw_until_fine(region, painter, few, lambda: mesh)
    assert region.shown.hidden_by == "a mesh"
    assert region.shown is not region.rough
    region.advance(painter, few, lambda: moved)
    assert not region.fine
    assert region.shown is region.rough  # which fits behind any mesh
    assert len(painter.begun) == 2
    redraw_until_fine(region, painter, few, lambda: moved)
    assert region.shown.hidden_by == "a mesh that has moved"
    region.close()


def test_while_meshes_move_no_full_picture_is_begun(cloud) -> None:
    painter = FakePainter(speed=1e5)
    region = RegionDrawing(clock=lambda: painter.now)
    redraws = iter(range(1000))
    for _ in range(30):
        region.advance(painter, wanted(cloud), lambda: Occluders(version=next(redraws)))
        painter.now += REST_SECONDS / 3
        time.sleep(0.001)  # for the thread that sorts
    assert len(painter.begun) <= 2
    assert not region.fine
    region.close()


def test_nothing_is_drawn_again_without_cause(cloud) -> None:
    painter = FakePainter(speed=1e5)
    region = RegionDrawing(clock=lambda: painter.now)
    region.advance(painter, wanted(cloud), Occluders)
    redraw_until_fine(region, painter, wanted(cloud))
    begun = len(painter.begun)
    for _ in range(5):
        assert region.advance(painter, wanted(cloud), Occluders).complete
    assert len(painter.begun) == begun
    assert not region.due()
    region.close()


@pytest.mark.parametrize("speed", [2e4, 1e5, 1e9])
def test_a_moving_view_keeps_to_its_budget(cloud, speed: float) -> None:
    painter = FakePainter(speed=speed)
    region = RegionDrawing(clock=lambda: painter.now)
    took = []
    for step in range(12):
        began = painter.now
        picture = region.advance(painter, wanted(cloud, 0.01 * step), Occluders)
        took.append(painter.now - began)
        painter.now += 0.02
        assert picture.complete
        assert picture.total > 0
    assert max(took[6:]) < 1.2 * FRAME_SECONDS  # once it knows how fast it is
    if speed > 1e8:
        assert painter.begun[-1].size == (64, 48)
        assert painter.begun[-1].total > 0.9 * MANY
    region.close()


def test_a_resting_view_is_completed_in_slices(cloud) -> None:
    painter = FakePainter(speed=3e4)
    region = RegionDrawing(clock=lambda: painter.now)
    region.advance(painter, wanted(cloud), Occluders)
    assert region.waits
    rough = region.shown
    took = redraw_until_fine(region, painter, wanted(cloud))
    assert region.shown is not rough
    assert region.shown.size == (64, 48)
    assert region.shown.total > 0.9 * MANY
    assert len(took) > 3
    assert max(took[3:]) < 1.2 * SLICE_SECONDS
    region.close()


def test_a_short_last_slice_does_not_make_it_seem_faster(cloud) -> None:
    painter = FakePainter(speed=3e4)
    region = RegionDrawing(clock=lambda: painter.now)
    for angle in (0.0, 0.3):
        region.advance(painter, wanted(cloud, angle), Occluders)
        took = redraw_until_fine(region, painter, wanted(cloud, angle))
    assert max(took) < 1.2 * SLICE_SECONDS  # of the second picture: by then its speed is known
    region.close()


def test_what_was_begun_for_another_view_is_dropped(cloud) -> None:
    painter = FakePainter(speed=2e4)
    region = RegionDrawing(clock=lambda: painter.now)
    for angle in (-0.2, -0.1, 0.0):  # from which it learns how slow it is
        region.advance(painter, wanted(cloud, angle), Occluders)
    for _ in range(1000):
        if region.begun is not None:
            break
        painter.now += REST_SECONDS
        time.sleep(0.001)
        region.advance(painter, wanted(cloud), Occluders)
    assert region.begun is not None
    region.advance(painter, wanted(cloud, 0.5), Occluders)
    assert region.begun is None
    assert not region.due()  # it moves
    region.close()


@pytest.mark.parametrize("change", [{"style": Style("DEPTH")}, {"style": Style(size=0.5)}])
def test_every_change_is_seen(change) -> None:
    painter = FakePainter(speed=1e6)
    region = RegionDrawing(clock=lambda: painter.now)
    few = (random_appearance(500),)
    region.advance(painter, wanted(few), Occluders)
    begun = len(painter.begun)
    region.advance(painter, wanted(few, **change), Occluders)
    assert len(painter.begun) == begun + 1
    region.close()


def test_an_order_of_other_splats_is_not_used() -> None:
    painter = FakePainter(speed=1e9)
    region = RegionDrawing(clock=lambda: painter.now)
    for seed in (0, 1):
        cloud = (random_appearance(MANY, degree=0, seed=seed),)
        for _ in range(4):
            region.advance(painter, wanted(cloud), Occluders)
    fewer = (random_appearance(MANY - 5_000, degree=0, seed=2),)
    picture = region.advance(painter, wanted(fewer), Occluders)
    assert picture.total <= MANY - 5_000
    region.close()
