# SPDX-License-Identifier: GPL-3.0-or-later
"""gsplat's CUDA operations on the CPU, so that its Python side runs for real without a card.

Each function stands for the compiled one of the same name, takes the same arguments in the same
order and, where gsplat has a plain PyTorch version, calls that. Memory that the kernels leave
unwritten holds NaN here. Gradients come from autograd.
"""

from __future__ import annotations

import torch
from gsplat.cuda import _torch_impl, _wrapper
from torch import Tensor

from cgc_addon.progress import Reporter, ShouldStop
from cgc_addon.rasterize.backends import BackendDescription
from cgc_addon.rasterize.cuda.backend import CudaBackend

ALPHA_MINIMUM = 1 / 255
ALPHA_LIMIT = 0.999
TRANSMITTANCE_MINIMUM = 1e-4


def _vector_jacobian(function, inputs, gradients):
    """Return the gradients to `inputs` of `function(*inputs)`, zeros where there are none."""
    with torch.enable_grad():
        leaves = [value.detach().requires_grad_() for value in inputs]
        outputs = function(*leaves)
        pairs = [(o, g) for o, g in zip(outputs, gradients, strict=True) if o.requires_grad]
        return torch.autograd.grad(
            [output for output, _ in pairs],
            leaves,
            [gradient for _, gradient in pairs],
            allow_unused=True,
            materialize_grads=True,
        )


def projection_ewa_3dgs_fused_fwd(
    means, covars, quats, scales, opacities, viewmats, Ks, width, height, eps2d, near_plane,
    far_plane, radius_clip, calc_compensations, camera_model,
):  # fmt: skip
    assert covars is None
    assert camera_model == "CameraModelType.PINHOLE"
    assert radius_clip == 0
    assert not calc_compensations
    covars, _ = _torch_impl._quat_scale_to_covar_preci(quats, scales, compute_preci=False)
    radii, means2d, depths, conics, _ = _torch_impl._fully_fused_projection(
        means, covars, viewmats, Ks, width, height, eps2d, near_plane, far_plane
    )
    radii[:, opacities < ALPHA_MINIMUM] = 0
    unwritten = ~(radii > 0).all(dim=-1)
    for result in (means2d, depths, conics):
        result[unwritten] = torch.nan
    return radii, means2d, depths, conics, None


def projection_ewa_3dgs_fused_bwd(
    means, covars, quats, scales, viewmats, Ks, width, height, eps2d, camera_model, radii, conics,
    compensations, v_means2d, v_depths, v_conics, v_compensations, viewmats_requires_grad,
):  # fmt: skip
    drawn = (radii[0] > 0).all(dim=-1)

    def project(means: Tensor, quats: Tensor, scales: Tensor):
        covars, _ = _torch_impl._quat_scale_to_covar_preci(quats, scales, compute_preci=False)
        _, means2d, depths, conics, _ = _torch_impl._fully_fused_projection(
            means, covars, viewmats, Ks, width, height, eps2d
        )
        return means2d, depths, conics

    gradients = [v[:, drawn] for v in (v_means2d, v_depths, v_conics)]
    assert not any(gradient.isnan().any() for gradient in gradients)
    inputs = [means, quats, scales]
    results = [torch.zeros_like(value) for value in inputs]
    parts = _vector_jacobian(project, [value[drawn] for value in inputs], gradients)
    for result, part in zip(results, parts, strict=True):
        result[drawn] = part
    v_means, v_quats, v_scales = results
    return v_means, None, v_quats, v_scales, None


def spherical_harmonics_fwd(sh_degree, dirs, coeffs, masks):
    colors = _torch_impl._spherical_harmonics(sh_degree, dirs, coeffs)
    return torch.where(masks[..., None], colors, torch.nan)


def spherical_harmonics_bwd(num_bases, sh_degree, dirs, coeffs, masks, v_colors, compute_v_dirs):
    assert num_bases == coeffs.shape[-2]

    def evaluate(coeffs: Tensor, dirs: Tensor):
        return (_torch_impl._spherical_harmonics(sh_degree, dirs, coeffs),)

    v_colors = torch.where(masks[..., None], v_colors, 0.0)
    return _vector_jacobian(evaluate, [coeffs, dirs], [v_colors])


def intersect_tile(
    means2d, radii, depths, image_ids, gaussian_ids, n_images, tile_size, tile_width, tile_height,
    sort, segmented,
):  # fmt: skip
    assert image_ids is None
    assert gaussian_ids is None
    assert n_images == 1
    assert sort
    return _torch_impl._isect_tiles(
        means2d.nan_to_num(), radii, depths.nan_to_num(), tile_size, tile_width, tile_height
    )


def intersect_offset(isect_ids, n_images, tile_width, tile_height):
    return _torch_impl._isect_offset_encode(isect_ids, n_images, tile_width, tile_height)


def _tiles(offsets, flatten_ids, width, height, tile_size):
    """Yield the rows, columns and Gaussians of each tile."""
    ends = [*offsets.flatten().tolist()[1:], len(flatten_ids)]
    for index, (start, end) in enumerate(zip(offsets.flatten().tolist(), ends, strict=True)):
        row, column = divmod(index, offsets.shape[-1])
        rows = torch.arange(row * tile_size, min(height, (row + 1) * tile_size))
        columns = torch.arange(column * tile_size, min(width, (column + 1) * tile_size))
        yield rows, columns, flatten_ids[start:end].long()


def _contributions(means2d, conics, opacities, rows, columns, ids, light=None):
    """Return alpha (h, w, G), 0 where a Gaussian is skipped or the ray has ended."""
    dx = means2d[0, ids, 0] - (columns[None, :, None] + 0.5)
    dy = means2d[0, ids, 1] - (rows[:, None, None] + 0.5)
    a, b, c = conics[0, ids].unbind(-1)
    sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
    alpha = (opacities[0, ids] * torch.exp(-sigma)).clamp(max=ALPHA_LIMIT)
    alpha = torch.where((sigma < 0) | (alpha < ALPHA_MINIMUM), 0.0, alpha)
    passing = torch.cumprod(1 - alpha, dim=-1)
    if light is not None:
        passing = passing * light[..., None]
    return torch.where(passing <= TRANSMITTANCE_MINIMUM, 0.0, alpha)


def rasterize_to_pixels_3dgs_fwd(
    means2d, conics, colors, opacities, backgrounds, masks, width, height, tile_size, offsets,
    flatten_ids,
):  # fmt: skip
    compiled = (1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513)
    assert colors.shape[-1] in compiled
    assert masks is None
    image = torch.zeros(1, height, width, colors.shape[-1])
    alphas = torch.zeros(1, height, width, 1)
    for rows, columns, ids in _tiles(offsets, flatten_ids, width, height, tile_size):
        alpha = _contributions(means2d, conics, opacities, rows, columns, ids)
        passing = torch.cumprod(1 - alpha, dim=-1)
        before = torch.cat([torch.ones_like(passing[..., :1]), passing], dim=-1)
        if not len(ids):
            before = torch.ones(len(rows), len(columns), 1)
        part = (alpha * before[..., :-1]) @ colors[0, ids]
        if backgrounds is not None:
            part = part + before[..., -1:] * backgrounds[0]
        image[0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = part
        alphas[0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1 - before[..., -1:]
    return image, alphas, torch.zeros(1, height, width, dtype=torch.int32)


def rasterize_to_pixels_3dgs_bwd(
    means2d, conics, colors, opacities, backgrounds, masks, width, height, tile_size, offsets,
    flatten_ids, render_alphas, last_ids, v_render_colors, v_render_alphas, absgrad,
):  # fmt: skip
    def draw(*inputs: Tensor):
        return rasterize_to_pixels_3dgs_fwd(
            *inputs, backgrounds, masks, width, height, tile_size, offsets, flatten_ids
        )[:2]

    inputs = [means2d, conics, colors, opacities]
    gradients = [v_render_colors, v_render_alphas]
    return None, *_vector_jacobian(draw, inputs, gradients)


def rasterize_to_indices_3dgs(
    range_start, range_end, transmittances, means2d, conics, opacities, width, height, tile_size,
    offsets, flatten_ids,
):  # fmt: skip
    assert range_start == 0
    assert range_end >= len(flatten_ids)
    assert range_end < 2**32
    pairs = []
    for rows, columns, ids in _tiles(offsets, flatten_ids, width, height, tile_size):
        light = transmittances[0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        alpha = _contributions(means2d, conics, opacities, rows, columns, ids, light)
        for row, column, index in (alpha > 0).nonzero().tolist():
            pairs.append((int(rows[row]) * width + int(columns[column]), index, int(ids[index])))
    pairs.sort()
    gaussians = torch.tensor([gaussian for _, _, gaussian in pairs], dtype=torch.int64)
    return gaussians, torch.tensor([pixel for pixel, _, _ in pairs], dtype=torch.int64)


OPERATIONS = {
    function.__name__: function
    for function in (
        projection_ewa_3dgs_fused_fwd,
        projection_ewa_3dgs_fused_bwd,
        spherical_harmonics_fwd,
        spherical_harmonics_bwd,
        intersect_tile,
        intersect_offset,
        rasterize_to_pixels_3dgs_fwd,
        rasterize_to_pixels_3dgs_bwd,
        rasterize_to_indices_3dgs,
    )
}


class EmulatedBackend(CudaBackend):
    """The CUDA adapter on the operations above."""

    name = "emulated"
    hardware = "gsplat without a card"


EMULATED = BackendDescription(
    name="emulated",
    label="Emulated",
    sentence="Draw with gsplat's Python side and no card",
    place="the CPU",
    module=__name__,
)


def obstacle(_report: Reporter, _should_stop: ShouldStop, /, *, compile_kernels: bool) -> str:
    return ""


def open_backend(_report: Reporter, *, compile_kernels: bool) -> EmulatedBackend:
    """Let gsplat run without a card from now on, and return the backend."""
    _wrapper._make_lazy_cuda_func = OPERATIONS.__getitem__
    _wrapper._make_lazy_cuda_obj = lambda name: name
    return EmulatedBackend("cpu")
