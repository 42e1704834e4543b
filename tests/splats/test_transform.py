# SPDX-License-Identifier: GPL-3.0-or-later
"""A transformed splat looks, from the transformed camera, as the splat did before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from cgc_addon.errors import CgcError
from cgc_addon.splats import rotations
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.sphere import fibonacci_sphere
from cgc_addon.splats.spherical_harmonics import basis, rotation_matrix
from cgc_addon.splats.transform import transform

seeds = st.integers(0, 2**32 - 1)
repeated = settings(max_examples=25, deadline=None)


def random_rotation(generator: np.random.Generator) -> np.ndarray:
    return Rotation.from_quat(generator.normal(size=4)).as_matrix()


def affine(linear: np.ndarray, translation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = translation
    return matrix


def random_similarity(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    scale = np.exp(generator.uniform(-2, 2))
    return affine(scale * random_rotation(generator), generator.normal(size=3))


def covariances(gaussians: Gaussians) -> np.ndarray:
    axes = Rotation.from_quat(gaussians.quats[:, [1, 2, 3, 0]]).as_matrix()
    axes = axes * np.exp(gaussians.log_scales.astype(np.float64))[:, None, :]
    return axes @ axes.transpose(0, 2, 1)


def colors_towards(sh: np.ndarray, directions: np.ndarray) -> np.ndarray:
    return np.einsum("mk,nkc->nmc", basis(directions, round(sh.shape[1] ** 0.5) - 1), sh)


def test_basis_is_the_real_part_of_the_textbook_harmonics() -> None:
    directions = fibonacci_sphere(200)
    polar = np.arccos(directions[:, 2])
    azimuth = np.arctan2(directions[:, 1], directions[:, 0])
    expected = []
    for degree in range(4):
        for m in range(-degree, degree + 1):
            # scipy's complex harmonics carry the Condon-Shortley sign (−1)^m, as 3DGS does.
            value = sph_harm_y(degree, abs(m), polar, azimuth)
            root = np.sqrt(2.0)
            expected.append(
                root * value.imag if m < 0 else value.real if m == 0 else root * value.real
            )
    np.testing.assert_allclose(basis(directions, 3), np.stack(expected, axis=1), atol=1e-12)


@repeated
@given(seed=seeds, mirror=st.booleans())
def test_turned_harmonics_have_the_old_colour_in_the_turned_direction(seed, mirror) -> None:
    generator = np.random.default_rng(seed)
    rotation = random_rotation(generator) * (-1 if mirror else 1)
    coefficients = generator.normal(size=(16, 3))
    directions = generator.normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    turned = rotation_matrix(rotation, 3) @ coefficients
    np.testing.assert_allclose(
        basis(directions @ rotation.T, 3) @ turned, basis(directions, 3) @ coefficients, atol=1e-12
    )


@repeated
@given(seed=seeds)
def test_harmonics_turn_like_a_group(seed) -> None:
    generator = np.random.default_rng(seed)
    first, second = random_rotation(generator), random_rotation(generator)
    d_first, d_second = rotation_matrix(first, 3), rotation_matrix(second, 3)
    np.testing.assert_allclose(rotation_matrix(second @ first, 3), d_second @ d_first, atol=1e-12)
    np.testing.assert_allclose(d_first @ d_first.T, np.eye(16), atol=1e-12)


@repeated
@given(seed=seeds)
def test_quaternions_agree_with_scipy(seed) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, 10, 4))
    ours = rotations.matrices(first)
    np.testing.assert_allclose(ours, Rotation.from_quat(first[:, [1, 2, 3, 0]]).as_matrix())
    np.testing.assert_allclose(rotations.matrices(rotations.quaternions(ours)), ours, atol=1e-12)
    product = rotations.matrices(rotations.multiply(first, second))
    np.testing.assert_allclose(product, ours @ rotations.matrices(second), atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("angle", [0.0, 1e-9, np.pi - 1e-9, np.pi, 3.0])
def test_quaternions_of_half_turns_keep_their_digits(axis, angle) -> None:
    matrix = Rotation.from_rotvec(np.eye(3)[axis] * angle).as_matrix()
    quaternion = rotations.quaternions(matrix)
    np.testing.assert_allclose(rotations.matrices(quaternion), matrix, atol=1e-15)


@repeated
@given(seed=seeds, degree=st.integers(0, 3))
def test_similarity_moves_means_covariances_and_colours(make_gaussians, seed, degree) -> None:
    before = make_gaussians(8, degree=degree, seed=seed)
    matrix = random_similarity(seed)
    linear = matrix[:3, :3]
    after = transform(before, matrix)

    np.testing.assert_allclose(
        after.means, before.means @ linear.T + matrix[:3, 3], rtol=1e-4, atol=1e-4
    )
    expected = linear @ covariances(before) @ linear.T
    np.testing.assert_allclose(
        covariances(after), expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max()
    )
    directions = fibonacci_sphere(40)
    turned = directions @ (linear / np.cbrt(np.linalg.det(linear))).T
    np.testing.assert_allclose(
        colors_towards(after.sh, turned), colors_towards(before.sh, directions), atol=2e-5
    )
    np.testing.assert_array_equal(after.features, before.features)
    np.testing.assert_array_equal(after.segments, before.segments)
    np.testing.assert_array_equal(after.logit_opacities, before.logit_opacities)
    for values in (after.means, after.log_scales, after.quats, after.sh):
        assert values.dtype == np.float32


@repeated
@given(seed=seeds)
def test_any_invertible_map_gives_the_exact_covariance(make_gaussians, seed) -> None:
    before = make_gaussians(8, seed=seed)
    linear = np.random.default_rng(seed).normal(size=(3, 3)) + 2 * np.eye(3)
    after = transform(before, affine(linear, np.zeros(3)))
    expected = linear @ covariances(before) @ linear.T
    largest = np.abs(expected).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(covariances(after) / largest, expected / largest, atol=2e-6)


def test_a_thin_gaussian_stays_thin_under_shear(make_gaussians) -> None:
    before = make_gaussians(4)
    before.log_scales[:] = [0.0, -1.0, -14.0]
    linear = np.array([[1.0, 0.5, 0.0], [0.0, 2.0, 0.1], [0.3, 0.0, 0.7]])
    after = transform(before, affine(linear, np.zeros(3)))
    # Volume scales with the determinant; the thickness must not drown in rounding.
    np.testing.assert_allclose(
        after.log_scales.sum(axis=1), -15.0 + np.log(np.linalg.det(linear)), atol=1e-4
    )


@repeated
@given(seed=seeds)
def test_forth_and_back_is_where_it_was(make_gaussians, seed) -> None:
    before = make_gaussians(8, seed=seed)
    matrix = random_similarity(seed)
    after = transform(transform(before, matrix), np.linalg.inv(matrix))
    np.testing.assert_allclose(after.means, before.means, atol=1e-4)
    np.testing.assert_allclose(after.log_scales, before.log_scales, atol=1e-5)
    np.testing.assert_allclose(after.sh, before.sh, atol=2e-5)
    np.testing.assert_allclose(covariances(after), covariances(before), rtol=1e-3, atol=1e-6)


@repeated
@given(seed=seeds)
def test_two_steps_are_one(make_gaussians, seed) -> None:
    before = make_gaussians(8, seed=seed)
    first, second = random_similarity(seed), random_similarity(seed + 1)
    steps = transform(transform(before, first), second)
    at_once = transform(before, second @ first)
    np.testing.assert_allclose(steps.means, at_once.means, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(steps.log_scales, at_once.log_scales, atol=1e-5)
    np.testing.assert_allclose(steps.sh, at_once.sh, atol=2e-5)


def test_a_mirror_turns_shapes_and_colours(make_gaussians) -> None:
    before = make_gaussians(8)
    mirror = np.diag([-2.0, 2.0, 2.0])
    after = transform(before, affine(mirror, np.zeros(3)))
    expected = mirror @ covariances(before) @ mirror
    np.testing.assert_allclose(covariances(after), expected, rtol=1e-3, atol=1e-6)
    directions = fibonacci_sphere(40)
    np.testing.assert_allclose(
        colors_towards(after.sh, directions * (-1, 1, 1)),
        colors_towards(before.sh, directions),
        atol=2e-5,
    )


def test_uniform_and_general_way_agree(make_gaussians) -> None:
    before = make_gaussians(8)
    similarity = random_similarity(5)
    nearly = similarity @ np.diag([1.0, 1.0, 1.0001, 1.0])
    uniform, general = transform(before, similarity), transform(before, nearly)
    np.testing.assert_allclose(covariances(general), covariances(uniform), rtol=1e-2, atol=1e-5)
    np.testing.assert_allclose(general.sh, uniform.sh, atol=1e-3)


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.diag([1.0, 1.0, 0.0, 1.0]), "scale of zero"),
        (np.diag([1.0, 1.0, np.nan, 1.0]), "finite"),
        (np.diag([1.0, 1.0, 1.0, 2.0]), "not affine"),
        (np.eye(3), "4 × 4"),
    ],
)
def test_maps_that_are_none_are_refused(make_gaussians, matrix, reason) -> None:
    with pytest.raises(CgcError, match=reason):
        transform(make_gaussians(2), matrix)


@pytest.mark.parametrize("share", [1e-4, 1e-3, 1e-2])
def test_scales_that_differ_by_little_are_not_taken_as_one(make_gaussians, share) -> None:
    """A tenth of a per cent on an object of a metre is a millimetre: it has to show."""
    before = make_gaussians(20)
    linear = np.diag([1.0, 1.0, 1.0 + share])
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    expected = linear @ covariances(before) @ linear.T
    change = np.abs(expected - covariances(before)).max()
    error = np.abs(covariances(transform(before, matrix)) - expected).max()
    assert error < max(0.02 * change, 2e-6 * np.abs(expected).max())
