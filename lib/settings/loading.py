"""Load a study file (YAML), the single description of a run, and say all that is wrong with it."""

from __future__ import annotations

from dataclasses import is_dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from lib.settings.options import ROOT, Study, resolve
from lib.settings.overrides import Overrides, parse_overrides, put
from lib.settings.problems import StudyError, refused
from lib.settings.rules import contradictions

__all__ = [
    "ROOT",
    "Study",
    "StudyError",
    "examine",
    "load_study",
    "parse_overrides",
    "resolve",
]


def load_study(path: str | Path, overrides: Overrides = ()) -> Study:
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


def examine(path: str | Path, overrides: Overrides = ()) -> tuple[Study, list[str]]:
    """A study and everything wrong with its settings.

    The default stands in for each value that was refused.

    Raises
    ------
    StudyError : no such file, or one that holds no settings at all.
    """
    path = resolve(path)
    tree = _read_yaml(path)
    problems: list[str] = []
    for key, value in parse_overrides(overrides, problems).items():
        put(tree, str(key), value, problems)
    tree.setdefault("name", path.stem)
    study, wrong = _validated(_sections(tree, Study()))
    wrong_keys = {problem.partition(":")[0] for problem in problems}
    wrong_keys |= {".".join(setting) for setting in wrong}
    problems += [*wrong.values(), *contradictions(study, wrong_keys)]
    return study, problems


def _sections(tree: dict, default: object) -> dict:
    """A copy in which every section is a dict with text as keys; an empty section is an empty
    dict.
    """
    whole = {}
    for key, value in tree.items():
        below = getattr(default, str(key), None)
        if is_dataclass(below) and isinstance(value, dict | None):
            value = _sections(value or {}, below)
        whole[str(key)] = value
    return whole


def _validated(tree: dict) -> tuple[Study, dict[tuple[str, ...], str]]:
    """The study of a tree, and each refused setting with a sentence; defaults stand in for
    those.
    """
    wrong: dict[tuple[str, ...], str] = {}
    while True:
        try:
            return Study(**tree), wrong
        except ValidationError as error:
            found = refused(error)
        wrong |= found
        for *sections, name in found:
            section = tree
            for above in sections:
                section = section[above]
            del section[name]


class _SafeLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: plain YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """The mapping of a node.

        Raises
        ------
        ConstructorError : a key stands there twice.
        """
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                problem = f"the key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict:
    if not path.is_file():
        shipped = ", ".join(sorted(p.name for p in (ROOT / "data/studies").glob("*.yaml")))
        raise StudyError(
            [
                f"no such file: {path}; allowed: a YAML study, such as those in data/studies "
                f"({shipped})"
            ]
        )
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError, ValueError) as error:
        problem = f"not readable as YAML: {' '.join(str(error).split())}"
        raise StudyError([problem], path.name) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        problem = f"holds a {type(tree).__name__}; allowed: keys and values, such as 'name: mine'"
        raise StudyError([problem], path.name)
    return tree
