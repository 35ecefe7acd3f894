"""Settings changed for one run: ``training.epochs=10 name=mine``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

import yaml

from lib.settings.options import Study
from lib.settings.values import shown

Overrides = Mapping | Iterable[str] | str | None
ALLOWED = "allowed: key=value words, such as training.epochs=10"


def parse_overrides(overrides: Overrides, problems: list[str]) -> dict:
    """``key=value`` words as a dict with YAML-typed values; a malformed word becomes a problem."""
    if overrides is None or isinstance(overrides, Mapping):
        return dict(overrides or {})
    try:
        words = shlex.split(overrides) if isinstance(overrides, str) else list(overrides)
    except ValueError as error:  # a quote that is never closed
        problems.append(f"overrides {overrides!r}: {error}; {ALLOWED}")
        return {}
    result = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            problems.append(f"override {word!r}: given without '='; {ALLOWED}")
            continue
        try:
            result[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            result[key] = value
    return result


def put(tree: dict, key: str, value: object, problems: list[str]) -> None:
    """Set a dotted key in a study file's tree: sections are merged, other values replaced."""
    *groups, last = key.split(".")
    default: object = _defaults(tree)
    for group in groups:
        default = _default(default, group)
        below = _below(tree, group, default, key, problems)
        if below is None:
            return
        tree = below
    _merge(tree, last, value, _default(default, last), key, problems)


def _merge(
    tree: dict, name: str, value: object, default: object, key: str, problems: list[str]
) -> None:
    if is_dataclass(default) and isinstance(value, Mapping):
        below = _below(tree, name, default, key, problems)
        for inner, one in value.items() if below is not None else ():
            _merge(below, inner, one, _default(default, inner), f"{key}.{inner}", problems)
    elif is_dataclass(default) and value is None:
        names = ", ".join(f.name for f in fields(default))
        problems.append(
            f"{key}: nothing given (null); allowed: a mapping with some of {names}. "
            "To change nothing, leave it out"
        )
    else:
        tree[name] = dict(value) if isinstance(value, Mapping) else value


def _below(tree: dict, group: str, default: object, key: str, problems: list[str]) -> dict | None:
    """The mapping below a key, or a copy of its default; None, and a problem, where the file
    has something else.
    """
    below = tree.get(group, default if isinstance(default, Mapping) else None)
    if below is not None and not isinstance(below, Mapping):
        problems.append(f"{key}: {group!r} holds {shown(below)}, which has no keys of its own")
        return None
    tree[group] = dict(below or {})  # a copy, because YAML's aliases are shared
    return tree[group]


def _defaults(tree: dict) -> Study:
    """The default study in the words of the file's poles, where these are some."""
    try:
        return Study(poles=tree["poles"])
    except (KeyError, ValueError):
        return Study()


def _default(section: object, name: object) -> object:
    """The default of a section's setting; None where there is no such section or setting."""
    known = is_dataclass(section) and name in {f.name for f in fields(section)}
    return getattr(section, name) if known else None
