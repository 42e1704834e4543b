# SPDX-License-Identifier: GPL-3.0-or-later
import shutil
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from PIL import Image

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.ranks import ALONE
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.ssim import photometric_loss
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training.checkpoint import load_checkpoint, save_checkpoint
from cgc_addon.training.parameters import photo_level, splat_of, to_splat
from cgc_addon.training.presets import preset
from cgc_addon.training.trainer import Trainer


@pytest.fixture(scope="module")
def dataset(tiny_dataset):
    return load_dataset(tiny_dataset, test_every=6)


@pytest.fixture(scope="module")
def backend():
    return CpuBackend()


def make(dataset, backend, steps=60, name="draft", ranks=ALONE, batch=1, **changes):
    config = replace(preset(name, steps=steps), **changes)
    start = first_gaussians(dataset.scene, None, far_count=50)
    return Trainer(dataset, backend, config, start, ranks, batch)


@pytest.mark.parametrize("name", ["draft", "paper"])
def test_training_lowers_the_loss(dataset, backend, name):
    trainer = make(dataset, backend, 120, name)
    losses = []
    trainer.run(on_result=lambda result, _pace: losses.append(result.loss))
    assert trainer.step == 120
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:2])


def test_the_same_seed_gives_the_same_splat(dataset, backend):
    first, second = (make(dataset, backend, 40, seed=3) for _ in range(2))
    first.run()
    second.run()
    a, b = first.gaussians(), second.gaussians()
    assert np.array_equal(a.means, b.means)
    assert np.array_equal(a.sh, b.sh)


@pytest.mark.parametrize("name", ["draft", "paper"])
def test_a_restored_training_ends_bit_for_bit_where_an_undisturbed_one_does(
    dataset, backend, tmp_path, name
):
    whole = make(dataset, backend, 60, name)
    whole.run()
    first = make(dataset, backend, 60, name)
    with pytest.raises(Interrupted):
        first.run(should_stop=lambda: first.step == 36)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, tmp_path / "checkpoint.json", first.checkpoint())
    second = make(dataset, backend, 60, name)
    second.restore(load_checkpoint(path, backend.device))
    assert second.step == 36
    second.run()
    a, b = whole.gaussians(), second.gaussians()
    for part in ("means", "log_scales", "quats", "logit_opacities", "sh"):
        assert np.array_equal(getattr(a, part), getattr(b, part)), part
    if name == "paper":
        assert a.features is not None
        assert b.features is not None
        assert np.array_equal(a.features, b.features)


def test_a_training_is_the_same_with_any_number_of_threads(dataset):
    ends = []
    for threads in (1, 2):
        trainer = make(dataset, CpuBackend(threads), 60, seed=3)
        trainer.run()
        ends.append(trainer.gaussians())
    assert np.array_equal(ends[0].means, ends[1].means)
    assert np.array_equal(ends[0].sh, ends[1].sh)


def test_two_photos_are_looked_at_with_the_same_parameters_and_get_a_step_each(dataset, backend):
    trainer = make(dataset, backend)
    config = preset("draft", steps=60)
    splat, gradients = to_splat(trainer._parameters), []
    names = ("means", "scales", "quats", "opacities", "sh0")
    for index in np.random.default_rng(0).permutation(np.asarray(dataset.train))[-2:][::-1]:
        camera = dataset.store.view(index).camera
        level = photo_level(config.geometry, 0, min(camera.width, camera.height))
        photo = torch.from_numpy(dataset.store.photo(index, level)).float() / 255
        rendered = reference.render(splat, dataset.store.view(index, level), sh_degree=0)
        loss = photometric_loss(rendered.rgb, photo)
        wanted = [trainer._parameters[name] for name in names]
        gradients.append(torch.autograd.grad(loss, wanted, retain_graph=True))
    trainer.train_step()
    assert trainer.step == 2
    for name, first, second in zip(names, *gradients, strict=True):
        state = trainer._optimizers[name].state[trainer._parameters[name]]
        expected = 0.9 * 0.1 * first + 0.1 * second
        scale = float(expected.abs().max())
        torch.testing.assert_close(state["exp_avg"], expected, rtol=1e-3, atol=2e-3 * scale + 1e-8)
        assert int(state["step"]) == 2


def test_an_odd_number_of_steps_ends_with_a_single_photo(dataset, backend):
    trainer = make(dataset, backend, 31)
    steps = []
    trainer.run(on_pause=lambda: steps.append(trainer.step))
    assert steps == [*range(2, 31, 2), 31]


def test_means_beyond_the_extent_move_in_proportion_and_no_other_mean_moves_less(dataset, backend):
    trainer = make(dataset, backend, 10)
    means, center, extent = trainer._parameters["means"], trainer._center, trainer._extent
    directions = torch.nn.functional.normalize(torch.randn(len(means), 3), dim=1)
    distances = torch.linspace(0.0, 20.0, len(means))[:, None] * extent
    before = center + distances * directions
    step = torch.full_like(before, 1e-3 * extent)
    means.data.copy_(before + step)
    trainer._lengthen_far_steps(before)
    factors = ((means.detach() - before) / step).mean(dim=1)
    expected = torch.clamp(distances[:, 0] / extent, min=1.0)
    torch.testing.assert_close(factors, expected, rtol=2e-2, atol=2e-2)


def test_gaussians_are_held_below_a_tenth_of_the_extent_or_of_their_distance(dataset, backend):
    trainer = make(dataset, backend, 5)
    means, scales = trainer._parameters["means"], trainer._parameters["scales"]
    extent, center = trainer._extent, trainer._center
    with torch.no_grad():
        means[0], means[1] = center, center + torch.tensor([50.0 * extent, 0.0, 0.0])
        scales[:] = np.log(1e-3 * extent)
        scales[:2, 0] = np.log(100.0 * extent)
    before = scales.detach().clone()
    trainer._limit_sizes(0.1)
    held = torch.exp(scales.detach()) / extent
    assert held[:2, 0].tolist() == pytest.approx([0.1, 5.0], rel=1e-5)
    assert (scales[2:] == before[2:]).all()
    assert (scales[:, 1:] == before[:, 1:]).all()


@pytest.mark.parametrize(("limit", "largest"), [(0.1, 0.1), (0.0, 1.0)])
def test_the_size_limit_is_that_of_the_configuration(dataset, backend, limit, largest):
    geometry = replace(preset("draft", steps=5).geometry, size_limit=limit)
    trainer = make(dataset, backend, 5, geometry=geometry)
    with torch.no_grad():
        trainer._parameters["means"][:] = trainer._center
        trainer._parameters["scales"][:] = np.log(trainer._extent)
    trainer.train_step()
    found = torch.exp(trainer._parameters["scales"].detach()).max().item() / trainer._extent
    assert found == pytest.approx(largest, rel=0.1)


def test_joint_features_are_learned_and_reported(dataset, backend):
    often = replace(preset("paper").features, contrastive_every=50, spatial_every=100)
    trainer = make(dataset, backend, 120, "paper", features=often)
    assert trainer.gaussians().features is not None
    results = []
    trainer.run(on_result=lambda result, _pace: results.append(result))
    # Every fiftieth photo has one; steps of two photos begin with the one before.
    contrastive = [result.step for result in results if result.contrastive is not None]
    assert contrastive == [48, 98]
    assert [result.step for result in results if result.spatial is not None] == [98]


def test_a_loss_that_is_no_number_ends_in_one_sentence(dataset, backend):
    trainer = make(dataset, backend, 10)
    trainer._parameters["sh0"].data[:] = 1e38
    with pytest.raises(CgcError, match="The loss became"):
        trainer.run()


def test_memory_that_runs_out_becomes_advice(dataset, backend, monkeypatch):
    trainer = make(dataset, backend, 10)

    def exhausted(*_arguments, **_options):
        raise MemoryError

    monkeypatch.setattr(type(backend), "render", exhausted)
    with pytest.raises(CgcError, match=r"Memory ran out at step 0 .*--max-size"):
        trainer.run()


def test_what_is_cut_out_of_the_photos_stays_empty(tiny_dataset, backend, tmp_path):
    folder = tmp_path / "cut_out"
    shutil.copytree(tiny_dataset, folder)
    for path in sorted((folder / "images").iterdir()):
        ball = np.asarray(Image.open(folder / "gt" / path.name)) > 0
        pixels = np.asarray(Image.open(path))
        Image.fromarray(np.dstack([pixels, (255 * ball).astype(np.uint8)])).save(path)
    dataset = load_dataset(folder)
    assert dataset.store.are_cut_out
    config = preset("draft", steps=300)
    trainer = Trainer(dataset, backend, config, first_gaussians(dataset.scene, None, far_count=0))
    trainer.run()
    splat, view = splat_of(trainer.gaussians(), backend.device), dataset.scene.views[0]
    covered = backend.render(splat, view, sh_degree=0).alpha.numpy()
    opacity = dataset.store.opacity(0) / 255.0
    assert covered[opacity == 0].mean() < 0.15  # the board is grey, but nothing asks for it
    assert covered[opacity == 1].mean() > 0.8


# ---- Steps of several photos ---------------------------------------------------------------------


@dataclass(frozen=True)
class Recording:
    """One of two processes, of whose sums the test is told; the other one does not exist."""

    rank: int
    size: int = 2
    local_size: int = 2
    told: list[list[torch.Tensor]] = field(default_factory=list)

    def sum(self, tensors) -> None:
        self.told.append([tensor.clone() for tensor in tensors])

    def first_does(self, work):
        return work()

    def gather(self, value):
        return [value, value]

    def any(self, flag):
        return flag


def test_a_step_of_two_photos_has_the_mean_of_their_gradients(dataset, backend):
    trainer = make(dataset, backend, batch=2)
    config = preset("draft", steps=60)
    splat = to_splat(trainer._parameters)
    losses = []
    for index in np.random.default_rng(0).permutation(np.asarray(dataset.train))[-2:]:
        camera = dataset.store.view(index).camera
        level = photo_level(config.geometry, 0, min(camera.width, camera.height))
        photo = torch.from_numpy(dataset.store.photo(index, level)).float() / 255
        rendered = reference.render(splat, dataset.store.view(index, level), sh_degree=0)
        losses.append(photometric_loss(rendered.rgb, photo))
    names = ("means", "scales", "quats", "opacities", "sh0")
    mean = torch.autograd.grad(
        sum(losses) / 2, [trainer._parameters[name] for name in names], retain_graph=True
    )
    result = trainer.train_step()
    assert trainer.step == 2
    assert result.loss == pytest.approx(sum(losses).item() / 2, rel=1e-4)
    for name, gradient in zip(names, mean, strict=True):
        optimizer = trainer._optimizers[name]
        moment = optimizer.state[trainer._parameters[name]]["exp_avg"] / (1 - 0.9**2)
        scale = float(gradient.abs().max())
        torch.testing.assert_close(moment, gradient, rtol=1e-3, atol=2e-3 * scale + 1e-8)


@pytest.mark.parametrize("degree", [0, 3])
def test_what_two_processes_add_up_is_what_one_finds_in_the_same_photos(dataset, backend, degree):
    geometry = replace(preset("draft", steps=60).geometry, sh_degree_every=1)
    whole, ranks = make(dataset, backend, batch=2, geometry=geometry), [Recording(0), Recording(1)]
    parts = [make(dataset, backend, batch=2, ranks=each, geometry=geometry) for each in ranks]
    for trainer in (whole, *parts):
        trainer.step = degree  # one more degree in each step
        trainer._descend = lambda: None  # leave the gradients
        trainer.train_step()
    told = iter(zip(*(each.told[0] for each in ranks), strict=True))
    for name, parameter in whole._parameters.items():
        if name == "shN" and degree == 0:  # nobody uses them, nobody tells of them
            assert not parameter.grad.any()
            continue
        one, other = next(told)
        assert not torch.equal(one, other)
        torch.testing.assert_close(one + other, parameter.grad, rtol=1e-5, atol=1e-9)


def test_two_processes_look_for_floaters_in_one_half_each(dataset, backend):
    center = dataset.scene.views[dataset.train[0]].center()
    geometry = replace(preset("draft", steps=60).geometry, clear_every=4)
    ranks, looked_at = [Recording(0), Recording(1)], []
    for each in ranks:
        trainer = make(dataset, backend, batch=2, ranks=each, geometry=geometry)
        means, holds = trainer._parameters["means"], trainer._free_space.holds
        with torch.no_grad():  # some right before a camera
            means[5:12] = torch.as_tensor(
                0.8 * center + 0.2 * dataset.scene.points.mean(axis=0), dtype=torch.float32
            )
        found = holds(means.detach().numpy())
        assert found[5:12].all()
        trainer._free_space.holds = lambda some, holds=holds: (
            looked_at.append(len(some)) or holds(some)
        )
        trainer.step = 4
        assert trainer._clear_free_space(2)
    (one,), (other,) = (each.told[-1] for each in ranks)
    np.testing.assert_array_equal((one + other).numpy() > 0, found)
    assert sum(looked_at) == len(found)
    assert one.any()
    assert other.any()


def test_steps_of_several_photos_train_as_far_and_report_as_often(dataset, backend):
    trainer = make(dataset, backend, 100, batch=3)
    results, messages = [], []
    trainer.run(messages.append, on_result=lambda result, _pace: results.append(result))
    assert [message.done for message in messages][-1] == 100
    assert 10 <= len(results) <= 11  # the last step may reach beyond the end
    assert not any(np.isnan(result.psnr) for result in results)
    assert trainer.checkpoint().values["step"] == 100


def test_a_training_goes_on_with_another_number_of_photos_a_step(dataset, backend, tmp_path):
    trainer = make(dataset, backend, 60, batch=2)
    for _ in range(15):
        trainer.train_step()
    save_checkpoint(tmp_path / "c", tmp_path / "s", trainer.checkpoint())
    other = make(dataset, backend, 60, batch=3)
    other.restore(load_checkpoint(tmp_path / "c", backend.device))
    assert other.step == 30
    losses = []
    other.run(on_result=lambda result, _pace: losses.append(result.loss))
    assert len(losses) == 3
    assert max(losses) < 1.5 * trainer.train_step().loss
