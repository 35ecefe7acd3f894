"""Load a study file (YAML), the single description of a run, and say everything that is wrong
with it.
"""

from __future__ import annotations

import contextlib
import difflib
import reprlib
import shlex
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import yaml

from lib.settings.options import ROOT, Study, resolve
from lib.settings.rules import contradictions

__all__ = ["ROOT", "Study", "StudyError", "examine", "load_study", "resolve"]


class StudyError(ValueError):
    """A study that cannot be run; ``problems`` lists everything wrong with it at once."""

    def __init__(self, problems: list[str], where: str = "the study"):
        self.problems = list(problems)
        super().__init__(f"{where} cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))


def load_study(path: str | Path, overrides: Mapping | Iterable[str] | str | None = ()) -> Study:
    """Read, override and validate a study.

    Parameters
    ----------
    path : a YAML file; relative paths are relative to the project's root.
    overrides : ``{"training.epochs": 10}``, ``["training.epochs=10"]`` or ``"training.epochs=10
        name=mine"``; None is none. A section, such as ``{"training": {"epochs": 10}}``, changes
        what it names and leaves the file's other settings; a setting that is a mapping, such as
        ``images.labels``, is replaced whole, or changed by a key of its own, such as
        ``morphs.boxes.eyes``, from what the file or the default has.

    Raises
    ------
    StudyError : with every unknown key, wrong type and impossible value, what was given and what is
        allowed.
    """
    study, problems = examine(path, overrides)
    if problems:
        raise StudyError(problems, where=f"study {Path(path).name}")
    return study


def examine(
    path: str | Path, overrides: Mapping | Iterable[str] | str | None = ()
) -> tuple[Study, list[str]]:
    """A study and everything wrong with its settings; the default stands in for each value that was
    refused.

    Raises
    ------
    StudyError : no such file, or one that holds no settings at all.
    """
    path = resolve(path)
    tree = _read_yaml(path)
    problems: list[str] = []
    for key, value in parse_overrides(overrides, problems).items():
        _put(tree, str(key), value, problems)
    tree.setdefault("name", path.stem)
    study = _build(Study(), tree, "", problems)
    problems += contradictions(
        study, wrong_keys={problem.partition(":")[0] for problem in problems}
    )
    return study, problems


def parse_overrides(overrides, problems: list[str]) -> dict:
    """``key=value`` words as a dict with YAML-typed values; a malformed word becomes a problem."""
    if overrides is None or isinstance(overrides, Mapping):
        return dict(overrides or {})
    try:
        words = shlex.split(overrides) if isinstance(overrides, str) else list(overrides)
    except ValueError as error:  # a quote that is never closed
        problems.append(
            f"overrides {overrides!r}: {error}; allowed: key=value words, "
            "such as training.epochs=10"
        )
        return {}
    result = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            problems.append(
                f"override {word!r}: given without '='; allowed: key=value, "
                "such as training.epochs=10"
            )
            continue
        try:
            result[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            result[key] = value
    return result


class _SafeLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: plain YAML would silently keep the last."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"the key {key_node.value!r} is given twice",
                        key_node.start_mark,
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict:
    if not path.is_file():
        shipped = ", ".join(sorted(p.name for p in (ROOT / "data/studies").glob("*.yaml")))
        raise StudyError(
            [
                (
                    f"no such file: {path}; allowed: a YAML study, such as those "
                    f"in data/studies ({shipped})"
                )
            ]
        )
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError, ValueError) as error:
        raise StudyError(
            [f"not readable as YAML: {' '.join(str(error).split())}"], path.name
        ) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise StudyError(
            [f"holds a {type(tree).__name__}; allowed: keys and values, such as 'name: mine'"],
            path.name,
        )
    return tree


def _put(tree: dict, key: str, value, problems: list[str]) -> None:
    """Set a dotted key in a study file's tree: sections are merged, other values replaced."""
    *groups, last = key.split(".")
    default = Study()
    for group in groups:
        default = _default(default, group)
        if (tree := _below(tree, group, default, key, problems)) is None:
            return
    _merge(tree, last, value, _default(default, last), key, problems)


def _merge(tree: dict, name: str, value, default, key: str, problems: list[str]) -> None:
    if is_dataclass(default) and isinstance(value, Mapping):
        if (below := _below(tree, name, default, key, problems)) is not None:
            for inner, one in value.items():
                _merge(below, inner, one, _default(default, inner), f"{key}.{inner}", problems)
    elif is_dataclass(default) and value is None:
        names = ", ".join(f.name for f in fields(default))
        problems.append(
            f"{key}: nothing given (null); allowed: a mapping with some of "
            f"{names}. To change nothing, "
            "leave it out"
        )
    else:
        tree[name] = dict(value) if isinstance(value, Mapping) else value


def _below(tree: dict, group: str, default, key: str, problems: list[str]) -> dict | None:
    """The mapping below a key, or a copy of its default; None, and a problem, where the file
    has something else.
    """
    below = tree.get(group, default if isinstance(default, Mapping) else None)
    if below is not None and not isinstance(below, Mapping):
        problems.append(f"{key}: {group!r} holds {_shown(below)}, which has no keys of its own")
        return None
    tree[group] = dict(below or {})  # a copy, because YAML's aliases are shared
    return tree[group]


def _default(section, name):
    """The default of a section's setting; None where there is no such section or setting."""
    known = is_dataclass(section) and name in {f.name for f in fields(section)}
    return getattr(section, name) if known else None


def _build(default, tree, prefix: str, problems: list[str]):
    """A section like ``default`` from a dict; problems are collected and the default stands in
    for what is wrong.
    """
    if not isinstance(tree, dict):
        problems.append(f"{prefix[:-1]}: {_shown(tree)} given; allowed: keys and values")
        return default
    hints, known = typing.get_type_hints(type(default)), {f.name: f for f in fields(default)}
    for key in sorted(tree.keys() - known.keys(), key=str):
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = f"; did you mean {prefix}{close[0]}?" if close else ""
        problems.append(f"{prefix}{key}: unknown key{hint} (allowed: {', '.join(known)})")
    values = {}
    for name, spec in known.items():
        if is_dataclass(hints[name]):
            below = {} if tree.get(name) is None else tree[name]
            values[name] = _build(_fresh(default, spec), below, f"{prefix}{name}.", problems)
            continue
        if name not in tree:
            continue
        try:
            values[name] = _value(tree[name], hints[name], spec.metadata)
        except ValueError as error:
            problems.append(f"{prefix}{name}: {error}")
    return replace(default, **values)


def _fresh(default, spec):
    """The default of a section; a study's own is already in the words of its poles."""
    return spec.default_factory() if isinstance(default, Study) else getattr(default, spec.name)


def _value(given, hint, meta):
    """``given`` as the annotated type, or ValueError that says what is allowed."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if given is None:
            return None
        return _value(given, next(a for a in args if a is not type(None)), meta)
    if origin is tuple:
        if isinstance(given, str):
            given = _words(given)
        if not isinstance(given, list | tuple):
            raise ValueError(f"{_shown(given)} given; allowed: a list")
        return tuple(_value(g, args[0], meta) for g in given)
    if origin is dict:
        if not isinstance(given, dict):
            raise ValueError(f"{_shown(given)} given; allowed: keys and values")
        return {_key(k): _value(v, args[1], meta) for k, v in given.items()}
    return _scalar(given, hint, meta)


def _words(given: str) -> list:
    """A list given as text, such as ``eyes,nose`` on the command line."""
    try:
        return [yaml.safe_load(word) for word in given.split(",")]
    except yaml.YAMLError:
        raise ValueError(f"{_shown(given)} given; allowed: a list, such as [a, b]") from None


def _key(key) -> str:
    if isinstance(key, bool) or key is None:
        raise ValueError(
            f"the key {key!r} given, as which YAML reads an unquoted yes, no, on, off or null; "
            "allowed: the word in quotes"
        )
    return str(key)


def _scalar(given, hint, meta):
    if hint is float and isinstance(given, str):  # YAML 1.1 reads 1e-4 as text
        with contextlib.suppress(ValueError):
            given = float(given)
    if hint is float and isinstance(given, int) and not isinstance(given, bool):
        given = float(given) if abs(given) < 2**1000 else float("inf")
    if (
        hint is str
        and isinstance(given, int | float)
        and not isinstance(given, bool)
        and given == given
    ):
        given = str(given)
    if type(given) is not hint or given != given or given in (float("inf"), float("-inf")):
        raise ValueError(
            f"{_shown(given)} given ({type(given).__name__}); allowed: {_allowed(hint, meta)}"
        )
    if meta.get("among") and given not in meta["among"]:
        close = difflib.get_close_matches(str(given), map(str, meta["among"]), n=1)
        hint_text = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"{_shown(given)} given; allowed: {_allowed(hint, meta)}{hint_text}")
    low, high = meta.get("low"), meta.get("high")
    if (low is not None and given < low) or (high is not None and given > high):
        raise ValueError(f"{_shown(given)} given; allowed: {_allowed(hint, meta)}")
    return given


def _shown(given) -> str:
    """What was given, cut short where it is long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(given)


def _allowed(hint, meta) -> str:
    if meta.get("among"):
        return ", ".join(map(str, meta["among"]))
    noun = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[hint]
    low, high = meta.get("low"), meta.get("high")
    limits = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
    return " ".join([noun, *limits])
