# SPDX-License-Identifier: GPL-3.0-or-later
"""How well rendered segments match ground truth whose ids agree between views.

Click protocol: each object is pointed at once, in the training view that shows it largest; the
segment found there is then compared with the object in all held-out views. What is not found
counts 0 and is never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BOUNDARY_WIDTH = 0.02
"""Of the image diagonal (Boundary IoU, arXiv 2103.16562)."""

IGNORED = 65535
"""Id of pixels of the ground truth that nobody has labelled; nothing counts there."""

MINIMUM_COVER = 0.001
"""Held-out views in which an object covers a smaller share of the pixels do not count for it."""


@dataclass(frozen=True)
class ObjectScore:
    """How one object of the ground truth was found."""

    truth_id: int
    clicked_id: int
    """Segment found by the click, 0 = missing."""
    iou: float
    """Mean over the held-out views, 0 where missing."""
    boundary_iou: float
    best_id: int
    """Segment with the highest mean IoU over the held-out views, 0 = none overlaps."""
    best_iou: float
    views: int
    """Held-out views in which the object counts."""


@dataclass(frozen=True)
class SegmentationScore:
    """How well segments match objects; every mean is over objects."""

    mean_iou: float
    mean_boundary_iou: float
    best_mean_iou: float
    missing: int
    """Objects for which the click found nothing."""
    rand_index: float
    """Adjusted Rand index over held-out pixels of objects."""
    rand_index_all: float
    """Adjusted Rand index over all held-out pixels, background being one more object."""
    segments: int
    """Different segments in the held-out views."""
    objects: tuple[ObjectScore, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON takes them."""
        return asdict(self)

    def table(self) -> str:
        """Return the numbers as a table of plain text."""
        lines = [f"{'object':>8} {'segment':>8} {'IoU':>6} {'B-IoU':>6} {'best':>6} {'views':>6}"]
        lines += [
            f"{score.truth_id:>8} {score.clicked_id or '-':>8} {score.iou:>6.3f} "
            f"{score.boundary_iou:>6.3f} {score.best_iou:>6.3f} {score.views:>6}"
            for score in self.objects
        ]
        lines.append(
            f"{'mean':>8} {'':>8} {self.mean_iou:>6.3f} {self.mean_boundary_iou:>6.3f} "
            f"{self.best_mean_iou:>6.3f}"
        )
        lines.append(
            f"adjusted Rand index {self.rand_index:.3f}, with background "
            f"{self.rand_index_all:.3f}; {self.missing} of {len(self.objects)} objects missing; "
            f"{self.segments} segments in view"
        )
        return "\n".join(lines)


def intersection_over_union(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return |first ∩ second| / |first ∪ second| of two masks (H, W); 1 where both are empty.

    Example:
        >>> left, right = np.array([[True, True, False]]), np.array([[False, True, True]])
        >>> round(intersection_over_union(left, right), 3)
        0.333
    """
    union = np.count_nonzero(first | second)
    return 1.0 if union == 0 else np.count_nonzero(first & second) / union


def boundary(mask: NDArray[np.bool_], width: int | None = None) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie near its edge or the edge of the image.

    Args:
        mask: (H, W).
        width: pixels, counted in king's moves; 2 % of the image diagonal if None.

    Returns:
        (H, W): the mask without what is left of it after `width` erosions by 3×3.

    Example:
        >>> boundary(np.ones((3, 3), bool), width=1).tolist()
        [[True, True, True], [True, False, True], [True, True, True]]
    """
    from scipy.ndimage import distance_transform_cdt

    if width is None:
        width = boundary_width(*mask.shape)
    depth = distance_transform_cdt(np.pad(mask, 1), metric="chessboard")
    return mask & (np.asarray(depth)[1:-1, 1:-1] <= width)


def boundary_width(height: int, width: int) -> int:
    """Return 2 % of the diagonal of an image, at least 1 pixel."""
    return max(1, round(BOUNDARY_WIDTH * float(np.hypot(height, width))))


def boundary_iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the IoU of the boundaries of two masks (H, W); 1 where both are empty.

    Example:
        >>> square = np.ones((5, 5), bool)
        >>> boundary_iou(square, square), boundary_iou(square, ~square)
        (1.0, 0.0)
    """
    return intersection_over_union(boundary(first), boundary(second))


def clicked_segment(
    truth_id: int,
    predicted: Sequence[NDArray[np.integer]],
    truth: Sequence[NDArray[np.integer]],
) -> int:
    """Return the commonest segment inside an object, in the view that shows the object largest.

    Args:
        truth_id: the object.
        predicted: V segment maps (H, W) of the training views, 0 = none.
        truth: V ground truth maps (H, W).

    Returns:
        The segment; 0 where most of the object has none, or no view shows it.

    Example:
        >>> truth = [np.array([[1, 0, 0]]), np.array([[1, 1, 1]])]  # most in the second view
        >>> clicked_segment(1, [np.array([[9, 0, 0]]), np.array([[4, 4, 0]])], truth)
        4
    """
    sizes = [np.count_nonzero(view == truth_id) for view in truth]
    if not sizes or max(sizes) == 0:
        return 0
    largest = int(np.argmax(sizes))
    return int(np.bincount(predicted[largest][truth[largest] == truth_id]).argmax())


def score_segmentation(
    train_predicted: Sequence[NDArray[np.integer]],
    train_truth: Sequence[NDArray[np.integer]],
    test_predicted: Sequence[NDArray[np.integer]],
    test_truth: Sequence[NDArray[np.integer]],
) -> SegmentationScore:
    """Score rendered segments by the click protocol, and by what no click is needed for.

    Args:
        train_predicted: segment maps (H, W) of the training views, 0 = none.
        train_truth: ground truth maps of these views, 0 = background, `IGNORED` = not labelled.
        test_predicted: segment maps of the held-out views.
        test_truth: ground truth maps of these views.

    Returns:
        The score. Objects that no held-out view shows large enough are not in it.

    Raises:
        ValueError: maps that belong together differ in number or size, or none is held out.

    Example:
        >>> truth, found = np.array([[1, 1, 2, 2]]), np.array([[8, 8, 8, 5]])
        >>> score = score_segmentation([found], [truth], [found], [truth])
        >>> [(one.clicked_id, round(one.iou, 3)) for one in score.objects]
        [(8, 0.667), (5, 0.5)]
    """
    for predicted, truth in ((train_predicted, train_truth), (test_predicted, test_truth)):
        if [view.shape for view in predicted] != [view.shape for view in truth]:
            raise ValueError("segment maps and ground truth differ in number or size.")
    if not test_truth:
        raise ValueError("there are no held-out views with ground truth to score.")
    # What nobody has labelled is neither found nor missed.
    test_predicted = [
        np.where(truth == IGNORED, 0, predicted)
        for predicted, truth in zip(test_predicted, test_truth, strict=True)
    ]
    identifiers = np.unique(np.concatenate([np.unique(view) for view in test_truth]))
    objects = []
    for truth_id in np.setdiff1d(identifiers, [0, IGNORED]).tolist():
        pairs = [
            (predicted, truth == truth_id)
            for predicted, truth in zip(test_predicted, test_truth, strict=True)
            if np.count_nonzero(truth == truth_id) >= MINIMUM_COVER * truth.size
        ]
        if pairs:
            clicked = clicked_segment(truth_id, train_predicted, train_truth)
            objects.append(_score_object(truth_id, clicked, pairs))
    flat_predicted = np.concatenate([view.reshape(-1) for view in test_predicted])
    flat_truth = np.concatenate([view.reshape(-1) for view in test_truth])
    labelled = flat_truth != IGNORED
    flat_predicted, flat_truth = flat_predicted[labelled], flat_truth[labelled]
    on_object = flat_truth > 0
    count = max(1, len(objects))
    return SegmentationScore(
        mean_iou=sum(score.iou for score in objects) / count,
        mean_boundary_iou=sum(score.boundary_iou for score in objects) / count,
        best_mean_iou=sum(score.best_iou for score in objects) / count,
        missing=sum(score.clicked_id == 0 for score in objects),
        rand_index=_rand_index(flat_truth[on_object], flat_predicted[on_object]),
        rand_index_all=_rand_index(flat_truth, flat_predicted),
        segments=len(np.setdiff1d(flat_predicted, [0])),
        objects=tuple(objects),
    )


def _score_object(
    truth_id: int,
    clicked: int,
    pairs: Sequence[tuple[NDArray[np.integer], NDArray[np.bool_]]],
) -> ObjectScore:
    iou = edge = 0.0
    if clicked:
        for predicted, shape in pairs:
            found = predicted == clicked
            iou += intersection_over_union(found, shape) / len(pairs)
            edge += boundary_iou(found, shape) / len(pairs)
    totals: dict[int, float] = {}
    for predicted, shape in pairs:
        area = np.count_nonzero(shape)
        sizes = np.bincount(predicted.reshape(-1))
        overlaps = np.bincount(predicted[shape], minlength=len(sizes))
        overlaps[0] = 0
        for segment in np.nonzero(overlaps)[0].tolist():
            union = sizes[segment] + area - overlaps[segment]
            share = float(overlaps[segment] / union)
            totals[segment] = totals.get(segment, 0.0) + share / len(pairs)
    best = min(totals, key=lambda segment: (-totals[segment], segment), default=0)
    return ObjectScore(
        truth_id, clicked, float(iou), float(edge), best, float(totals.get(best, 0.0)), len(pairs)
    )


def _rand_index(truth: NDArray[np.integer], predicted: NDArray[np.integer]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(truth, predicted)) if truth.size else 0.0


def peak_signal_to_noise(rendered: NDArray[np.floating], photo: NDArray[np.floating]) -> float:
    """Return the PSNR of two images (H, W, 3) in 0..1, decibel; infinite where they are equal.

    Example:
        >>> black = np.zeros((4, 4, 3))
        >>> round(peak_signal_to_noise(black + 0.1, black), 6)  # a hundredth, squared
        20.0
    """
    error = float(np.mean((np.clip(rendered, 0, 1).astype(np.float64) - photo) ** 2))
    return float("inf") if error == 0 else float(-10 * np.log10(error))
