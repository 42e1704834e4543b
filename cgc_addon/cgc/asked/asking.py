# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask model is asked for one object in several views; its answers become Gaussians.

What a person pointed at is answered first. The Gaussians of that answer, drawn from the next view,
tell the model there what is meant: by a box, points on the object and points beside it. Its answer
adds Gaussians that the first view did not show, and so on round the object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View
from ...errors import CgcError
from ...masks.generate import enlarged
from ...masks.models.interface import Candidates, Embedding, MaskModel, Prompt
from ...progress import Progress, Reporter, ShouldStop, never, silent, track
from ...rasterize.blending import BlendingMatrix
from ...rasterize.interface import Backend, SplatTensors
from ...splats.gaussians import Gaussians
from .evidence import INSIDE, UNKNOWN, Evidence
from .prompting import best_answer, prompt_for
from .views import views_around

ASKING = "Asking the mask model"
"""Stage of the progress."""
VIEWS_AROUND = 8
"""In which an object is asked for beyond those that a person pointed at."""
LEAST_AGREEMENT = 0.5
"""IoU of an answer with what is known of the object; one that agrees less is about another."""
CLEARLY_BETTER = 0.1
"""IoU, as the model expects it."""
_PIXELS = 100_000
"""Of a view that are looked at, about."""


@dataclass(frozen=True, eq=False)
class _Looked:
    """A view that the mask model has seen."""

    embedding: Embedding
    blending: BlendingMatrix
    """(P, N) of every n-th pixel along both sides."""
    rows: int
    columns: int
    """P = rows · columns."""
    step: int


class Asking:
    """Asks for one object after the other; what it saw of a view is kept."""

    def __init__(
        self,
        gaussians: Gaussians,
        splat: SplatTensors,
        views: Sequence[View],
        photo: Callable[[int], NDArray[np.uint8]],
        model: MaskModel,
        backend: Backend,
        should_stop: ShouldStop = never,
    ) -> None:
        """Begin; nothing is looked at yet.

        Args:
            gaussians: N.
            splat: the same for the backend.
            views: in which objects may be asked for.
            photo: returns that of a view (H, W, 3), by its index, at the view's size.
            model: is asked.
            backend: rasterizer.
            should_stop: asked between views; `Interrupted` is then raised.
        """
        self._gaussians, self._splat, self._views = gaussians, splat, views
        self._photo, self._model, self._backend = photo, model, backend
        self._should_stop = should_stop
        self._looked: dict[int, _Looked] = {}

    def find(self, prompts: Mapping[int, Prompt], report: Reporter = silent) -> NDArray[np.bool_]:
        """Return the Gaussians (N,) of one object.

        Args:
            prompts: what a person pointed at, by the index of the view.
            report: progress.

        Raises:
            CgcError: the model finds nothing there.
            Interrupted: `should_stop` said so.
        """
        evidence = Evidence(len(self._gaussians))
        first = [index for index, one in prompts.items() if _is_about_something(one)]
        report(Progress(ASKING, 0, len(first) + VIEWS_AROUND))
        for index in track(first, ASKING, silent, self._should_stop):
            self._ask_first(evidence, index, prompts[index])
        inside = evidence.kinds() == INSIDE
        if not inside.any():
            raise CgcError(
                f"{self._model.name} finds nothing at the place in {self._views[first[0]].name}; "
                "point at the middle of a thing."
            )
        middle = np.median(self._gaussians.means[inside], axis=0)
        around = views_around(
            self._views, [self._views[one] for one in first], middle, VIEWS_AROUND
        )
        report(Progress(ASKING, len(first), len(first) + len(around)))
        nothing = Prompt(np.zeros((0, 2), np.float32), np.zeros(0, bool))
        for done, index in enumerate(track(around, ASKING, silent, self._should_stop), 1):
            self._ask_again(evidence, index, prompts.get(index, nothing))
            report(Progress(ASKING, len(first) + done, len(first) + len(around)))
        return evidence.members(self._gaussians)

    def _ask_first(self, evidence: Evidence, index: int, prompt: Prompt) -> None:
        """Let the answer to what a person pointed at vote."""
        looked = self._look(index)
        answers = self._model.decode_prompt(looked.embedding, prompt)
        masks = self._masks(answers, index)
        self._vote(evidence, looked, masks[first_answer(prompt, answers)])

    def _ask_again(self, evidence: Evidence, index: int, given: Prompt) -> None:
        """Let the answer to what is known of the object so far vote, if it is about the same."""
        looked = self._look(index)
        small = looked.blending.strongest_labels(evidence.kinds()).reshape(looked.rows, -1)
        small[small == 0] = UNKNOWN
        kinds = np.repeat(np.repeat(small, looked.step, axis=0), looked.step, axis=1)
        camera = self._views[index].camera
        kinds = kinds[: camera.height, : camera.width]
        prompt = prompt_for(kinds, given.points, given.positive)
        if prompt is None:
            return
        answers = self._model.decode_prompt(looked.embedding, prompt)
        masks = self._masks(answers, index)
        choice, agreement = best_answer(answers, masks, kinds)
        if agreement >= LEAST_AGREEMENT:
            self._vote(evidence, looked, masks[choice])

    def _vote(self, evidence: Evidence, looked: _Looked, mask: NDArray[np.bool_]) -> None:
        sampled = mask[:: looked.step, :: looked.step].reshape(-1)
        evidence.add(looked.blending, sampled, float(looked.step**2))

    def _masks(self, answers: Candidates, index: int) -> NDArray[np.bool_]:
        camera = self._views[index].camera
        return enlarged(answers.logits[0], (camera.width, camera.height))

    def _look(self, index: int) -> _Looked:
        if index not in self._looked:
            import torch

            view = self._views[index]
            width, height = view.camera.width, view.camera.height
            step = max(1, round((width * height / _PIXELS) ** 0.5))
            rows, columns = np.arange(0, height, step), np.arange(0, width, step)
            pixels = torch.from_numpy((rows[:, None] * width + columns).reshape(-1))
            blending = self._backend.blending_weights(
                self._splat, view, pixels.to(self._backend.device), minimum=0.01
            )
            embedding = self._model.embed(self._photo(index))
            self._looked[index] = _Looked(embedding, blending, len(rows), len(columns), step)
        return self._looked[index]


def first_answer(prompt: Prompt, answers: Candidates) -> int:
    """Return which answer to what a person pointed at is taken.

    Of several points or a box one thing is meant, which the first of the four is for. A point alone
    may mean a part, a thing or all around it; the second of the three is mostly the thing.

    Args:
        prompt: what was asked.
        answers: to it, 4.
    """
    if prompt.box is not None or len(prompt.points) > 1:
        return 0
    _, _, thing, larger = answers.scores[0].tolist()
    return 3 if larger > thing + CLEARLY_BETTER else 2


def _is_about_something(prompt: Prompt) -> bool:
    return prompt.box is not None or bool(prompt.positive.any())
