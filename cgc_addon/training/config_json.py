# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's configuration as plain values for config.json, and back with every value checked."""

from __future__ import annotations

import types
import typing
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Literal

from ..errors import CgcError
from ..rasterize.backends import AUTO, backend_names
from .config import HIGHEST_SEED, TrainingConfig
from .config_versions import CONFIG_VERSION, migrated

HIGHEST_NUMBER = 2**53
"""Whole numbers up to here are themselves as floating-point numbers; no setting needs more."""
_LONGEST_VALUE = 60
"""Characters of a wrong value that are shown."""


def to_json(config: TrainingConfig) -> dict[str, Any]:
    """Return plain values for config.json."""
    return {"version": CONFIG_VERSION, **asdict(config)}


def from_json(value: Any, source: str) -> TrainingConfig:
    """Read what `to_json` gave, in this or an earlier version.

    Args:
        value: parsed JSON.
        source: file the value came from, for the message.

    Raises:
        CgcError: a later version, unknown or missing keys, or values of another type.
    """
    if not isinstance(value, dict):
        raise CgcError(f"{source} does not hold a run configuration; start the run anew.")
    values = dict(value)
    backend = values.get("backend", AUTO)
    if backend not in backend_names():
        raise _wrong(source, "backend", " or ".join(backend_names()), backend)
    config = _read(
        TrainingConfig, migrated(values, values.pop("version", None), source), source, ""
    )
    if not 0 <= config.seed <= HIGHEST_SEED:
        raise _wrong(source, "seed", f"from 0 to {HIGHEST_SEED}", config.seed)
    return config


def _read(kind: object, value: Any, source: str, place: str) -> Any:
    """Return `value` as `kind`, a dataclass, tuple, Literal, union or scalar type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _read_group(kind, value, source, place)
    if origin is Literal:
        if value not in arguments:
            raise _wrong(source, place, " or ".join(map(str, arguments)), value)
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        rest = [argument for argument in arguments if argument is not type(None)]
        chosen = rest[0] if len(rest) == 1 else _tagged(rest, value, source, place)
        return _read(chosen, value, source, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(source, place, "a list", value)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_read(arguments[0], item, source, place) for item in value)
        if len(value) != len(arguments):
            raise _wrong(source, place, f"{len(arguments)} values", value)
        return tuple(
            _read(each, item, source, place) for each, item in zip(arguments, value, strict=True)
        )
    assert isinstance(kind, type)
    if isinstance(value, int) and not -HIGHEST_NUMBER <= value <= HIGHEST_NUMBER:
        raise _wrong(source, place, f"a number up to {HIGHEST_NUMBER}", value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(source, place, kind.__name__, value)
    return value


def _read_group(kind: type, value: Any, source: str, place: str) -> Any:
    """Return `value` as a dataclass; fields that its constructor does not take are tags."""
    if not isinstance(value, dict):
        raise _wrong(source, place, "a group of settings", value)
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    if unknown := sorted(set(value) - set(known)):
        raise CgcError(f"{source}: unknown setting {place}{unknown[0]}; remove it.")
    if missing := sorted(set(known) - set(value)):
        raise CgcError(f"{source}: setting {place}{missing[0]} is missing.")
    found = {name: _read(hints[name], value[name], source, f"{place}{name}.") for name in known}
    return kind(**{name: found[name] for name, item in known.items() if item.init})


def _tagged(kinds: list[Any], value: Any, source: str, place: str) -> Any:
    """Return which of several dataclasses is meant: the one whose tag `value` has."""
    if not isinstance(value, dict):
        raise _wrong(source, place, "a group of settings", value)
    tags = {kind: next(item for item in fields(kind) if not item.init) for kind in kinds}
    name = next(iter(tags.values())).name
    if name not in value:
        raise CgcError(f"{source}: setting {place}{name} is missing.")
    for kind, tag in tags.items():
        if value[name] == tag.default:
            return kind
    choices = " or ".join(str(tag.default) for tag in tags.values())
    raise _wrong(source, f"{place}{name}.", choices, value[name])


def _wrong(source: str, place: str, wanted: str, value: Any) -> CgcError:
    return CgcError(f"{source}: setting {place.rstrip('.')} must be {wanted}, not {_short(value)}.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
