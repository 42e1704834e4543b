# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.leftovers import remove_leftovers
from cgc_addon.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint = Checkpoint({"a": torch.arange(6.0).reshape(2, 3)}, {"step": 7, "queue": [3, 1]})
    save_checkpoint(path, tmp_path / "checkpoint.json", checkpoint)
    return path


def test_a_checkpoint_comes_back_as_it_was(saved):
    loaded = load_checkpoint(saved, CPU)
    assert torch.equal(loaded.tensors["a"], torch.arange(6.0).reshape(2, 3))
    assert loaded.values == {"step": 7, "queue": [3, 1]}


def test_the_summary_is_readable_by_people(saved):
    assert json.loads(saved.with_suffix(".json").read_text())["step"] == 7


def test_nothing_but_the_two_files_is_left(saved):
    assert sorted(path.name for path in saved.parent.iterdir()) == [
        "checkpoint.json",
        "checkpoint.safetensors",
    ]


@pytest.mark.parametrize("keep", [0, 4, 40, 100])
def test_a_truncated_checkpoint_is_refused_in_one_sentence(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(CgcError, match=r"checkpoint\.safetensors is damaged"):
        load_checkpoint(saved, CPU)


def test_a_missing_checkpoint_says_what_to_do(tmp_path):
    with pytest.raises(CgcError, match="start it anew"):
        load_checkpoint(tmp_path / "checkpoint.safetensors", CPU)


def test_what_a_kill_leaves_while_it_is_written_is_found(saved):
    program = """
        import os, sys
        from pathlib import Path
        import torch
        import cgc_addon.training.checkpoint as module
        def killed(_tensors, path, **_options):
            (Path(path).parent / ".tmpAb3xYz").write_bytes(b"half of it")  # as safetensors does
            os._exit(9)
        module.save_file = killed
        module.write_checkpoint(Path(sys.argv[1]), module.Checkpoint({"a": torch.zeros(1)}))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(saved)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    assert len(list(saved.parent.iterdir())) > 2
    remove_leftovers(saved.parent)  # as every run does that begins or goes on
    test_nothing_but_the_two_files_is_left(saved)
    assert load_checkpoint(saved, CPU).values["step"] == 7


def test_a_failed_write_keeps_the_old_checkpoint(saved, monkeypatch):
    import cgc_addon.training.checkpoint as module

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(CgcError, match="No space left"):
        save_checkpoint(saved, saved.with_suffix(".json"), Checkpoint({"a": torch.zeros(1)}, {}))
    assert load_checkpoint(saved, CPU).values["step"] == 7
    assert len(list(saved.parent.iterdir())) == 2


@pytest.mark.skipif(os.name != "posix", reason="permissions are of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_who_may_read_it_is_the_users_choice(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        checkpoint = Checkpoint({"a": torch.zeros(3)})
        save_checkpoint(tmp_path / "c.safetensors", tmp_path / "c.json", checkpoint)
    finally:
        os.umask(before)
    assert (tmp_path / "c.safetensors").stat().st_mode & 0o777 == mode
