# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `models`: which mask models there are, which of them are here, and getting one."""

from __future__ import annotations

import argparse
from typing import Any

from ..masks.models.fetch import MEGABYTE
from ..masks.models.known import KNOWN
from ..masks.models.weights import download_weights, known_model, models_folder
from ..progress import ShouldStop
from .console.sink import Sink


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `models`."""
    verb.add_argument("--download", choices=tuple(KNOWN), metavar="NAME", help=", ".join(KNOWN))


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """List the mask models, or download one."""
    folder = models_folder()
    if options.download is None:
        sink.result({"folder": str(folder), "models": listed()}, _table())
        return
    model = known_model(options.download)
    sink.say(f"{model.label}: {model.size / MEGABYTE:.0f} MB, licence {model.licence}.")
    files = download_weights(model.name, report=sink.report, should_stop=should_stop)
    sink.result(
        {"name": model.name, "files": [str(file) for file in files]},
        f"{model.label} is ready: {', '.join(str(file) for file in files)}.",
    )


def listed() -> list[dict[str, Any]]:
    """Return each known model with where its files are, or belong: plain values."""
    folder = models_folder()
    return [
        {
            "name": model.name,
            "title": model.label,
            "licence": model.licence,
            "megabytes": round(model.size / MEGABYTE, 1),
            "found": model.is_in(folder),
            "files": [str(path) for path in model.paths(folder)],
        }
        for model in KNOWN.values()
    ]


def _table() -> str:
    folder = models_folder()
    lines = [f"Mask models in {folder}:"]
    for model in KNOWN.values():
        state = "here" if model.is_in(folder) else "not here"
        size = f"{model.size / MEGABYTE:,.0f} MB"
        lines.append(
            f"  {model.name:<10} {model.label:<10} {size:>8}  {state:<9} licence {model.licence}"
        )
    lines.append("`models --download NAME` gets one; CGC_MODELS names another folder.")
    return "\n".join(lines)
