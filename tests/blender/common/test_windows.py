# SPDX-License-Identifier: GPL-3.0-or-later
"""Areas and viewports are found in every window, and their panels drawn again alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.windows import areas_of, redraw_panels, redraw_viewports, viewports_in


class Drawn:
    """A region, or an area, that remembers whether it was drawn again."""

    def __init__(self, kind: str, **more: Any) -> None:
        self.type = kind
        self.drawn = False
        vars(self).update(more)

    def tag_redraw(self) -> None:
        self.drawn = True


def area(kind: str, *spaces: str) -> Drawn:
    regions = [Drawn("WINDOW"), Drawn("UI")]
    return Drawn(kind, regions=regions, spaces=[SimpleNamespace(type=space) for space in spaces])


def context_of(*windows: tuple[Drawn, ...]) -> Any:
    listed = [SimpleNamespace(screen=SimpleNamespace(areas=areas)) for areas in windows]
    return SimpleNamespace(window_manager=SimpleNamespace(windows=listed))


def regions_drawn(area: Drawn) -> list[str]:
    return [region.type for region in vars(area)["regions"] if region.drawn]


def test_areas_of_every_window_are_found_by_their_types() -> None:
    view, image, other = area("VIEW_3D"), area("IMAGE_EDITOR"), area("VIEW_3D")
    context = context_of((view, image), (other,))
    assert list(areas_of(context, "VIEW_3D")) == [view, other]
    assert list(areas_of(context)) == [view, image, other]


def test_a_blender_without_windows_has_no_areas() -> None:
    assert list(areas_of(SimpleNamespace(window_manager=None))) == []  # type: ignore[arg-type]


def test_viewports_that_wait_behind_another_editor_are_found() -> None:
    areas: Any = [
        area("IMAGE_EDITOR", "IMAGE_EDITOR", "VIEW_3D"),
        area("TEXT_EDITOR", "TEXT_EDITOR"),
    ]
    assert [view.type for view in viewports_in(areas)] == ["VIEW_3D"]


def test_panels_are_drawn_again_without_the_scene_and_the_scene_without_panels() -> None:
    view, preferences, image = area("VIEW_3D"), area("PREFERENCES"), area("IMAGE_EDITOR")
    redraw_panels(context_of((view, preferences, image)))
    assert regions_drawn(view) == ["UI"]
    assert regions_drawn(preferences) == ["WINDOW", "UI"]
    assert regions_drawn(image) == []
    other = area("VIEW_3D")
    redraw_viewports(context_of((other,)))
    assert regions_drawn(other) == ["WINDOW"]
