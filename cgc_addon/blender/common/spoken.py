# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences of the engine as Blender says them: buttons and settings in place of verbs and options.

The engine names what its command line has. Who reads its sentences in a panel has neither.
"""

from __future__ import annotations

import re

_SPOKEN = (
    (r"use --resume to go on with it, --overwrite to start anew, or name another folder",
     "resume it, start anew, or choose another Run Folder"),
    (r"name another folder with --run, or start it anew with --overwrite",
     "choose another Run Folder, or Start Anew"),
    (r"name another folder with --run", "choose another Run Folder"),
    (r"add --overwrite to make it anew, or name another folder",
     "choose Start Anew, or another Dataset Folder"),
    (r"that `solve` did not make, and never overwrites; name another folder",
     "that From Photos did not make, and never overwrites; choose another Dataset Folder"),
    (r"run `solve` on the photos or copy the model there",
     "begin with From Photos, or copy the model there"),
    (r"run `segment` again to write it anew", "train it again to write it anew"),
    (r"run `segment` on its run folder first", "train with masks first"),
    (r"name a folder that `train` wrote", "choose a folder that training wrote"),
    (r"put label maps into masks/ and train again with --init",
     "make or import masks in the panel Masks, and train again"),
    (r"name a dataset or a cameras\.json with --cameras", "choose its dataset"),
    (r"go on with train --resume", "go on with Resume Training"),
    (r"train --resume makes (it|both) anew", r"Resume Training makes \1 anew"),
    (r"(go on|continue) with --resume", r"\1 with Resume Training"),
    (r"then use --resume", "then use Resume Training"),
    (r"--resume goes on", "Resume Training goes on"),
    (r"--overwrite replaces them", "Overwrite replaces them"),
    (r"fetch (them once|it anew) with `models --download \S+`", r"fetch \1 with Download"),
    (r", or ask the mask model with --by mask", ", or use Add Object by Click"),
    (r"with another --seed", "with another Seed"),
    (r"give larger ones with --max-size", "give larger ones (Photo Size)"),
    (r"\(--max-size\)", "(Photo Size)"),
    (r"install the engine's packages there, or choose another Python that has them",
     "press Install Engine at the top of the tab CGC, or name a Python in the preferences"),
    (r"`install-engine` makes one", "Install Engine makes one"),
    (r"bring it in with the verb `masks --import`", "bring it in with Import Masks"),
    (r"make the masks anew with --overwrite", "make the masks anew with Overwrite"),
    (r"\(--max-gaussians\)", "(Max Gaussians)"),
    (r"\(--steps\)", "(Steps)"),
    (r"--max-gaussians raises the cap", "Max Gaussians raises the cap"),
)  # fmt: skip
"""Patterns of what the engine says, and what Blender says there."""


def spoken(sentence: object) -> str:
    """Return a sentence, or an error that is one, in Blender's words.

    Example:
        >>> spoken("desk_run/splat.ply is missing; go on with train --resume.")
        'desk_run/splat.ply is missing; go on with Resume Training.'
    """
    said = str(sentence)
    for pattern, words in _SPOKEN:
        said = re.sub(pattern, words, said)
    return said
