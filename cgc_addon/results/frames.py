# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a scene of splats as passes: colours, depth, positions, ids, Cryptomatte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..progress import Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend
from ..splats.spherical_harmonics import CONSTANT_BASIS
from .cryptomatte import Ranks, hash_numbers
from .frame_meshes import FrameMeshes, draw_meshes, no_splats, visible_shares
from .frame_request import (
    COMBINED,
    CRYPTOMATTE,
    DEPTH,
    INDEX,
    POSITION,
    FramePart,
    FrameRequest,
)
from .loaded_scenes import LoadedScene
from .mesh_layer import compose
from .renders import COVERED
from .scene_linear import over_background, premultiplied

FAR = 1e10
"""Depth where nothing is, as other engines of Blender have it."""
OBJECTS_AT_ONCE = 32
"""Objects whose coverage is drawn at once; bounds the memory."""

SAME_COLORS = 1e-3
"""Colour spaces whose primaries differ by less are one: what Blender tells of them is rounded."""


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What several passes are made of."""

    rgb: Tensor
    """(H, W, 3) sRGB."""
    alpha: Tensor
    """(H, W) coverage by all that is there."""
    shown: Tensor
    """(H, W) coverage without holdouts."""
    depth: Tensor | None
    """(H, W) Σ αᵢTᵢzᵢ, where a pass needs it."""
    meshes: FrameMeshes | None = None


def draw_frame(
    request: FrameRequest,
    scene: LoadedScene | None,
    backend: Backend,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> dict[str, NDArray[np.float32]]:
    """Draw the passes of a request.

    Args:
        request: what is wanted.
        scene: its Gaussians, None where there are none.
        backend: rasterizer that the scene was loaded for.
        report: progress.
        should_stop: asked between passes.

    Returns:
        (H, W, channels) for each file of the answer, named as `FrameRequest.output` says; rows from
        top to bottom.

    Raises:
        Interrupted: `should_stop` said so.
    """
    found: dict[str, NDArray[np.float32]] = {}
    drawn: _Drawn | None = None
    with torch.no_grad():
        for name in track(request.passes, "Drawing splats", report, should_stop):
            if drawn is None and (request.meshes is not None or name not in {INDEX, CRYPTOMATTE}):
                drawn = _draw(request, scene, backend)
            meshes = None if drawn is None else drawn.meshes
            if name == INDEX:
                found[name] = _indices(request, scene, meshes, backend)
                continue
            if name == CRYPTOMATTE:
                ranks = _cryptomatte(request, scene, meshes, backend, report, should_stop)
                found |= {f"{name}_{number}": one for number, one in enumerate(ranks)}
                continue
            assert drawn is not None
            if name == COMBINED:
                found[name] = _combined(request, drawn)
            elif name == DEPTH:
                found[name] = _depth(request, drawn)
            elif name == POSITION:
                found[name] = _positions(request, drawn)
    return found


def _draw(request: FrameRequest, scene: LoadedScene | None, backend: Backend) -> _Drawn:
    camera = request.view.camera
    if scene is None:
        nothing = torch.zeros(camera.height, camera.width)
        black = torch.zeros(camera.height, camera.width, 3)
        alone = None if request.meshes is None else no_splats(request, request.meshes)
        return _Drawn(black, nothing, nothing, nothing, alone)
    splat, shown = scene.splat, None
    if any(part.holdout for part in request.parts):
        cut = _of_parts(scene, [part.holdout for part in request.parts], backend)[:, None]
        shown = 1.0 - cut
        # A colour of 0 is dark at every direction: no light comes from there.
        black = torch.where(cut[..., None] > 0.0, -0.5 / CONSTANT_BASIS, splat.sh0)
        splat = replace(splat, sh0=black, shN=splat.shN * shown[..., None])
    rendering = backend.render(
        splat,
        request.view,
        sh_degree=scene.sh_degree,
        features=shown,
        depth=DEPTH in request.passes or POSITION in request.passes,
    )
    alpha = rendering.alpha
    visible = alpha if rendering.features is None else rendering.features[..., 0]
    meshes = None
    if request.meshes is not None:
        scale = _scale(request.to_world)
        meshes = draw_meshes(request, request.meshes, scale, splat, shown, scene.sh_degree, backend)
    return _Drawn(rendering.rgb, alpha, visible, rendering.depth, meshes)


def _combined(request: FrameRequest, drawn: _Drawn) -> NDArray[np.float32]:
    if request.background is None:
        linear, alpha = premultiplied(drawn.rgb, drawn.shown), drawn.shown
    else:
        behind = np.linalg.solve(request.to_scene, np.array(request.background, np.float64))
        background = torch.tensor(behind, dtype=torch.float32, device=drawn.rgb.device)
        transmittance = 1.0 - drawn.alpha
        linear = over_background(drawn.rgb, transmittance, background)
        # What holdouts cover is neither the splat nor the world.
        alpha = drawn.shown + transmittance
    picture = _in_scene(request, torch.cat([linear, alpha[..., None]], dim=2))
    if drawn.meshes is None:
        return picture
    meshes = drawn.meshes
    front = _in_scene(request, meshes.front)
    return compose(meshes.layer, picture, front, meshes.front_coverage)


def _in_scene(request: FrameRequest, rgba: Tensor) -> NDArray[np.float32]:
    """Return linear Rec. 709 (H, W, 4) in the scene's linear colours."""
    if not np.allclose(request.to_scene, np.eye(3), atol=SAME_COLORS):
        to_scene = torch.tensor(request.to_scene, dtype=torch.float32, device=rgba.device)
        rgba = torch.cat([rgba[..., :3] @ to_scene.T, rgba[..., 3:]], dim=2)
    return _array(rgba)


def _depth(request: FrameRequest, drawn: _Drawn) -> NDArray[np.float32]:
    return np.where(_seen(drawn), _distance(request, drawn), np.float32(FAR))[..., None]


def _positions(request: FrameRequest, drawn: _Drawn) -> NDArray[np.float32]:
    """Return places in the world (H, W, 3), zero where nothing is."""
    camera = request.view.camera
    depth = _distance(request, drawn) / _scale(request.to_world)
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    to_world = request.to_world @ np.linalg.inv(request.view.world_to_camera)
    axes, origin = to_world[:3, :3].astype(np.float32), to_world[:3, 3].astype(np.float32)
    rays = x[None, :, None] * axes[:, 0] + y[:, None, None] * axes[:, 1] + axes[:, 2]
    places = rays.astype(np.float32) * depth[..., None] + origin
    return np.where(_seen(drawn)[..., None], places, np.float32(0.0))


def _seen(drawn: _Drawn) -> NDArray[np.bool_]:
    seen = _array(drawn.alpha) >= COVERED
    return seen if drawn.meshes is None else seen | (drawn.meshes.coverage >= COVERED)


def _distance(request: FrameRequest, drawn: _Drawn) -> NDArray[np.float32]:
    """Return the expected distance along the camera's axis (H, W), units of the world."""
    assert drawn.depth is not None
    expected = _array(drawn.depth / drawn.alpha.clamp(min=COVERED))
    distance = expected * np.float32(_scale(request.to_world))
    if drawn.meshes is None:
        return distance
    meshes = drawn.meshes
    return np.where(meshes.coverage >= COVERED, meshes.layer.depth, distance)


def _scale(to_world: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(to_world[:3, :3], axis=0).mean())


def _indices(
    request: FrameRequest,
    scene: LoadedScene | None,
    meshes: FrameMeshes | None,
    backend: Backend,
) -> NDArray[np.float32]:
    if scene is None:
        nothing = np.zeros((request.view.camera.height, request.view.camera.width), np.float32)
        return _with_meshes(nothing, meshes)[..., None]
    given = np.array([part.index or 0 for part in request.parts], np.int32)[scene.part]
    own = np.array([part.index is None for part in request.parts])[scene.part]
    cut = np.array([part.holdout for part in request.parts])[scene.part]
    labels = np.where(cut, 0, np.where(own, scene.segments, given)).astype(np.int32)
    strongest, _weight = backend.render_labels(
        scene.splat, request.view, torch.from_numpy(labels).to(backend.device)
    )
    return _with_meshes(_array(strongest), meshes)[..., None]


def _with_meshes(indices: NDArray[np.float32], meshes: FrameMeshes | None) -> NDArray[np.float32]:
    """Return indices (H, W) with those of meshes where these cover most of a pixel."""
    if meshes is None:
        return indices
    own = 0.0 if meshes.layer.index is None else meshes.layer.index
    return np.where(meshes.coverage >= COVERED, own, indices).astype(np.float32)


def _cryptomatte(
    request: FrameRequest,
    scene: LoadedScene | None,
    meshes: FrameMeshes | None,
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> list[NDArray[np.float32]]:
    camera = request.view.camera
    ranks = Ranks(camera.height, camera.width, request.ranks)
    if scene is not None:
        names = list(dict.fromkeys(part.name for part in request.parts if not part.holdout))
        groups = [
            names[start : start + OBJECTS_AT_ONCE]
            for start in range(0, len(names), OBJECTS_AT_ONCE)
        ]
        for group in track(groups, "Drawing Cryptomatte", report, should_stop):
            features = torch.stack(
                [_of_parts(scene, _are(request.parts, name), backend) for name in group], dim=1
            )
            if meshes is None:
                rendering = backend.render(
                    scene.splat, request.view, sh_degree=0, features=features
                )
                assert rendering.features is not None
                shares = rendering.features
            else:
                shares = visible_shares(request, scene.splat, features, meshes, backend)
            ranks.add(_array(shares), hash_numbers(group))
    if meshes is not None and meshes.layer.shares is not None and meshes.layer.hashes is not None:
        passing = 1.0 - meshes.front_coverage[..., None]
        ranks.add(meshes.layer.shares * passing, meshes.layer.hashes)
    return ranks.passes()


def _are(parts: Sequence[FramePart], name: str) -> list[bool]:
    return [part.name == name and not part.holdout for part in parts]


def _of_parts(scene: LoadedScene, chosen: Sequence[bool], backend: Backend) -> Tensor:
    """Return 1 for the Gaussians of chosen parts and 0 for all others (N,)."""
    return torch.from_numpy(np.array(chosen, np.float32)[scene.part]).to(backend.device)


def _array(values: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.float32)
