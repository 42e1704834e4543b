# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.errors import Interrupted
from cgc_addon.masks.models.interface import Candidates, Embedding
from cgc_addon.masks.proposals import (
    Proposals,
    ProposalSettings,
    grid_points,
    propose,
    stabilities,
)

from .painted_model import PaintedModel, painted_photo


def found_in(photo: np.ndarray, **settings) -> tuple[Proposals, PaintedModel]:
    model = PaintedModel()
    chosen = ProposalSettings(**{"points_per_side": 24, "points_at_once": 4, **settings})
    return propose(model, model.embed(photo), chosen), model


def same(mask: np.ndarray, other: np.ndarray) -> bool:
    return (mask & other).sum() / max(1, (mask | other).sum()) > 0.9


def enlarged(photo: np.ndarray, rows: int, columns: int) -> np.ndarray:
    y = ((np.arange(rows) + 0.5) * photo.shape[0] / rows).astype(int)
    x = ((np.arange(columns) + 0.5) * photo.shape[1] / columns).astype(int)
    return photo[y[:, None], x[None, :]]


@pytest.mark.parametrize("skip", [True, False])
def test_every_thing_and_every_part_is_found_once(skip: bool) -> None:
    photo = painted_photo()
    found, _ = found_in(photo, skip_points=skip)
    things = enlarged(photo, *found.logits.shape[1:])
    wanted = [things[..., 0] == thing for thing in (100, 150, 200)]
    wanted += [(things[..., 0] == 100) & (things[..., 1] == part) for part in (10, 20)]
    assert len(found.scores) == len(wanted)
    for mask in wanted:
        assert sum(same(mask, one) for one in found.masks()) == 1


def test_far_fewer_points_are_asked_than_the_grid_has() -> None:
    photo = painted_photo(ground=50)
    all_of_them, _ = found_in(photo, skip_points=False)
    adaptive, model = found_in(photo)
    assert all_of_them.points_asked == 24 * 16
    assert adaptive.points_asked * 3 < all_of_them.points_asked
    assert len(adaptive.scores) == len(all_of_them.scores) == 6
    assert adaptive.points_asked == sum(map(len, model.asked))


def test_looking_for_parts_asks_every_coarse_point_and_else_only_unexplained_ones() -> None:
    photo = painted_photo(ground=50)
    model = PaintedModel()
    grid = grid_points(model.embed(photo), 24)
    for look in (True, False):
        _, model = found_in(photo, look_for_parts=look, large_share=1.0)
        asked = {tuple(point) for point in np.concatenate(model.asked)}
        assert ({tuple(place) for place in grid.places[grid.coarse]} <= asked) is look


def test_no_point_is_asked_twice_and_never_more_at_once_than_allowed() -> None:
    _, model = found_in(painted_photo())
    points = np.concatenate(model.asked)
    assert len(np.unique(points, axis=0)) == len(points)
    assert max(map(len, model.asked)) <= 4


def test_an_object_does_not_hide_the_parts_that_no_answer_has_shown_yet() -> None:
    # The first point in the box is answered with the whole of it, too, and that as the best.
    settings = {"look_for_parts": False, "points_at_once": 1, "large_share": 0.5}
    found, _ = found_in(painted_photo(), **settings)
    things = enlarged(painted_photo(), *found.logits.shape[1:])
    for part in (10, 20):
        half = (things[..., 0] == 100) & (things[..., 1] == part)
        assert any(same(mask, half) for mask in found.masks())


def test_the_best_answer_is_told_from_the_others() -> None:
    found, _ = found_in(painted_photo())
    things = enlarged(painted_photo(), *found.logits.shape[1:])[..., :2]
    box = things[..., 0] == 100
    for part in (10, 20):
        half = box & (things[..., 1] == part)
        assert [best for best, mask in zip(found.best_of_point, found.masks(), strict=True)
                if same(mask, half)] == [False]  # fmt: skip
    assert [best for best, mask in zip(found.best_of_point, found.masks(), strict=True)
            if same(mask, box)] == [True]  # fmt: skip


def test_a_photo_of_nothing_gives_nothing() -> None:
    found, _ = found_in(np.zeros((20, 30, 3), np.uint8))
    assert found.logits.shape[0] == 0
    assert found.points_asked == 24 * 16  # nothing explains any point


def test_what_pauses_can_stop_the_search() -> None:
    model, calls = PaintedModel(), []

    def stop() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise Interrupted("test")

    with pytest.raises(Interrupted):
        propose(model, model.embed(painted_photo()), ProposalSettings(), pause=stop)
    assert len(model.asked) == 2


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 40))
def test_a_grid_covers_the_photo_evenly_coarse_points_first(width, height, side) -> None:
    grid = grid_points(Embedding(width, height, None), side)
    assert len(np.unique(grid.places, axis=0)) == len(grid.places)
    assert (grid.places > 0).all()
    assert (grid.places < (width, height)).all()
    np.testing.assert_allclose(grid.places.mean(axis=0), (width / 2, height / 2))
    first_fine = np.nonzero(~grid.coarse)[0].min(initial=len(grid.places))
    assert not grid.coarse[first_fine:].any()
    columns, rows = Embedding(width, height, None).logit_size
    assert (grid.cells >= 0).all()
    assert (grid.cells < (columns, rows)).all()


def test_stability_falls_where_the_edge_is_vague() -> None:
    columns = np.arange(20, dtype=np.float32)
    sharp = np.tile(np.where(columns < 10, 5.0, -5.0), (4, 1))
    vague = np.tile((10 - columns) / 5, (4, 1))
    sharp_value, vague_value, empty = stabilities(
        np.stack([sharp, vague, np.full((4, 20), -3.0)]).astype(np.float32)
    )
    assert sharp_value == 1
    assert vague_value == pytest.approx(5 / 15)
    assert empty == 0


def test_answers_that_lie_in_each_other_are_all_kept() -> None:
    """The box and each of its halves, though the label map of objects has the box alone."""
    found, _ = found_in(painted_photo())
    answers = found.answers.masks()
    shared = answers.reshape(len(answers), -1).astype(int)
    inside = shared @ shared.T == shared.sum(axis=1)[:, None]
    assert len(answers) == 5  # box, halves, ball, bead
    assert sorted(inside.sum(axis=1).tolist()) == [1, 1, 1, 2, 2]
    assert not found.best_of_point.all()


def test_answers_that_were_not_believed_are_evidence_and_noise_is_not() -> None:
    class Doubtful(PaintedModel):
        def decode(self, embedding, points):
            answers = super().decode(embedding, points)
            return Candidates(answers.logits, np.where(answers.scores > 0.5, 0.7, 0.2))

    model = Doubtful()
    settings = ProposalSettings(points_per_side=24)
    found = propose(model, model.embed(painted_photo()), settings)
    assert len(found.scores) == 0
    assert len(found.answers) == 5
