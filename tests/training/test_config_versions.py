# SPDX-License-Identifier: GPL-3.0-or-later
"""What 0.1.0 wrote is read as what it meant, compared as such, and gone on with."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.config import LearningRates
from cgc_addon.training.config_json import from_json, to_json
from cgc_addon.training.from_photos import check_run
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder
from cgc_addon.training.trainer import TRAINING

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "0.1.0"
CONFIGURATIONS = [
    json.loads(line) for line in (EARLIER / "configurations.jsonl").read_text("utf-8").splitlines()
]
"""What `configure` was asked for, and what 0.1.0 then wrote; written by that version itself."""


def called(each):
    return "-".join(str(value) for value in each["chosen"].values())


def configured(chosen):
    init = {"init": Path(chosen["init"])} if "init" in chosen else {}
    return configure(**{**chosen, **init})


def as_started_then(config):
    """The same from sparse points alone, with nothing left out, no space cleared, any size."""
    geometry = config.geometry
    rates = geometry.rates
    if config.preset != "paper":  # all others were those of 3DGS, for 30,000 steps
        rates = LearningRates(means_start=1.6e-4, means_end=3.2e-6)
    geometry = replace(
        geometry, surface_share=0.0, clear_every=0, dropout=0.0, size_limit=0.0, rates=rates
    )
    edges = config.edges
    if edges.steps:  # one in ten of more
        edges = replace(edges, steps=350)
    return replace(config, geometry=geometry, edges=edges)


@pytest.mark.parametrize("each", CONFIGURATIONS, ids=called)
def test_each_preset_and_mode_is_read_as_what_it_meant(each):
    assert each["config"]["version"] == 1
    steps = each["config"]["geometry"]["steps"]  # of a preset, they were more
    meant = configured({"steps": steps, **each["chosen"]})
    if meant.features.mode == "joint":  # λ was for photos of any size
        meant = replace(meant, features=replace(meant.features, reference_pixels=0))
    meant = replace(meant, segments=replace(meant.segments, evidence="maps"))  # all there was
    assert from_json(each["config"], "config.json") == as_started_then(meant)


@pytest.mark.parametrize(
    ("group", "name", "told"),
    [
        ("features", "steps", r"features\.steps is missing"),
        ("features", "mode", r"features\.mode must be frozen or joint or off"),
        ("segments", "minimum_cluster", r"segments\.clustering\.minimum_cluster_size is missing"),
        ("segments", "vote", r"segments\.vote is missing"),
        ("edges", "weight", r"edges\.weight is missing"),
    ],
)
def test_a_damaged_file_of_an_earlier_version_says_what_is_missing(group, name, told):
    value = json.loads(json.dumps(CONFIGURATIONS[0]["config"]))
    del value[group][name]
    with pytest.raises(CgcError, match=told):
        from_json(value, "config.json")


@pytest.mark.parametrize("value", [3, [], None])
def test_groups_of_an_earlier_version_that_are_none_are_said(value):
    for group in ("features", "segments"):
        with pytest.raises(CgcError, match=f"setting {group} must be a group"):
            from_json({**CONFIGURATIONS[0]["config"], group: value}, "config.json")


@pytest.fixture
def unfinished(tiny_dataset, tmp_path):
    """An unfinished run of 0.1.0 on the tiny dataset, stopped at step 393 of 600."""
    run = tmp_path / "run"
    shutil.copytree(EARLIER / "unfinished", run)
    config = json.loads((run / "config.json").read_text("utf-8"))
    config["dataset"] = str(tiny_dataset.resolve())
    (run / "config.json").write_text(json.dumps(config), "utf-8")
    return run


def test_a_run_of_an_earlier_version_is_the_same_as_one_that_is_wanted_now(unfinished):
    dataset, _ = RunFolder(unfinished).read_config()
    wanted = {"name": "paper", "steps": 600, "max_gaussians": 300, "seed": 3}
    # What the preset was then; now its intervals shrink with the steps, and λ knows the photos.
    then = {"reference_pixels": 0, "contrastive_every": 50, "spatial_every": 100}

    def as_then(**chosen):
        config = as_started_then(configure(**wanted, **chosen))
        return replace(config, features=replace(config.features, **then))

    check_run(unfinished, dataset, as_then())
    with pytest.raises(CgcError, match="other settings"):
        check_run(unfinished, dataset, as_then(spatial="off"))
    with pytest.raises(CgcError, match="other settings"):
        check_run(unfinished, dataset, configure(**wanted))


def test_an_unfinished_run_of_an_earlier_version_goes_on(unfinished, tiny_dataset):
    before = (unfinished / "config.json").read_bytes()
    steps = []

    def report(progress):
        if progress.stage == TRAINING:
            steps.append(progress.done)

    summary = train(tiny_dataset, unfinished, configure("draft"), resume=True, report=report)
    assert (steps[0], steps[-1]) == (401, 600)
    assert summary.steps == 600
    assert summary.segments is not None
    assert (unfinished / "config.json").read_bytes() == before
    lines = (unfinished / "metrics.jsonl").read_text("utf-8").splitlines()
    recorded = [json.loads(line)["step"] for line in lines]
    assert recorded == sorted(set(recorded))
    assert recorded[-1] >= 590
    splat = read_ply(unfinished / "splat.ply").gaussians
    assert len(splat) == summary.gaussians <= 300
    assert splat.features is not None


def test_version_2_had_no_evidence_but_label_maps():
    stored = json.loads(json.dumps(to_json(configure("standard"))))
    del stored["segments"]["evidence"]
    read = from_json({**stored, "version": 2}, "config.json")
    assert read == configure("standard", evidence="maps")


@pytest.mark.parametrize(
    ("version", "unknown"),
    [(3, ("surface_share", "clear_every", "dropout", "size_limit")), (4, ("size_limit",))],
)
def test_what_a_version_did_not_know_of_the_geometry_is_not_done(version, unknown):
    today = configure("standard")
    stored = json.loads(json.dumps(to_json(today)))
    for name in unknown:
        assert stored["geometry"].pop(name)
    read = from_json({**stored, "version": version}, "config.json")
    nothing = dict.fromkeys(unknown, 0)
    assert read == replace(today, geometry=replace(today.geometry, **nothing))
