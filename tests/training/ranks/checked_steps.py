# SPDX-License-Identifier: GPL-3.0-or-later
"""Train together and note what each process has after each step: run by test_processes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.ranks import Ranks
from cgc_addon.training.ranks.together import together


def main(dataset: Path, output: Path) -> None:
    with together(os.environ) as ranks:
        noted = {"talk": talk(ranks), "steps": steps(dataset, ranks)}
        (output / f"{ranks.rank}.json").write_text(json.dumps(noted))


def talk(ranks: Ranks) -> dict[str, object]:
    """Use all that processes say to each other."""
    import torch

    sums = [torch.full((3,), float(ranks.rank + 1)), torch.tensor([ranks.rank])]
    ranks.sum(sums)
    raised = []
    for error in (CgcError("No room."), Interrupted("here")):

        def fail(error: Exception = error) -> None:
            raise error

        try:
            ranks.first_does(fail)
        except (CgcError, Interrupted) as found:
            raised.append(f"{type(found).__name__}: {found}")
    return {
        "sums": [one.tolist() for one in sums],
        "gathered": ranks.gather(f"from {ranks.rank}"),
        "any": [ranks.any(ranks.rank == 1), ranks.any(False)],
        "first": ranks.first_does(lambda: ranks.rank),
        "raised": raised,
        "place": [ranks.rank, ranks.size, ranks.local_size, torch.get_num_threads()],
    }


def steps(dataset_folder: Path, ranks: Ranks) -> list[tuple[int, str]]:
    """Return the number of Gaussians and a digest of everything that a checkpoint has, by step."""
    from cgc_addon.dataset.load import load_dataset
    from cgc_addon.rasterize.cpu import CpuBackend
    from cgc_addon.splats.initialise import first_gaussians
    from cgc_addon.training.presets import preset
    from cgc_addon.training.trainer import Trainer

    dataset = load_dataset(dataset_folder)
    config = preset("paper", steps=120)
    densify = replace(
        config.geometry.densify, start=20, stop=100, every=20, gradient=1e-5, cap=2_000
    )
    geometry = replace(config.geometry, densify=replace(densify, reset_opacity_every=50))
    config = replace(
        config,
        geometry=geometry,
        features=replace(config.features, contrastive_every=5, spatial_every=10),
    )
    start = first_gaussians(dataset.scene, None, far_count=50)
    trainer = Trainer(dataset, CpuBackend(), config, start, ranks, ranks.size)
    found = []
    while trainer.step < trainer.steps:
        trainer.train_step()
        state = trainer.checkpoint()
        digest = hashlib.blake2b(json.dumps(state.values).encode(), digest_size=16)
        for name in sorted(state.tensors):
            digest.update(name.encode() + state.tensors[name].detach().numpy().tobytes())
        found.append((int(state.values["gaussians"]), digest.hexdigest()))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
