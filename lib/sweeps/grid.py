"""The points of a sweep: every combination of the grid's values."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

from lib.settings.loading import Study, StudyError, load_study, parse_overrides


@dataclass(frozen=True)
class Sweep:
    """What the command line asks for."""

    study_file: str
    overrides: tuple[str, ...]
    grid: dict[str, list]
    scheduler: str | None = None
    workers: int = 0  # 0: one after the other, in this process

    def points(self) -> Iterator[tuple[dict, Study]]:
        """Every combination of the grid's values with its study."""
        problems: list[str] = []
        fixed = parse_overrides(self.overrides, problems)
        if problems:
            raise StudyError(problems, "the sweep")
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            yield point, load_study(self.study_file, fixed | point)


def parse_grid(words: Iterable[str]) -> dict[str, list]:
    """``["training.lr=1e-4,1e-3"]`` as ``{"training.lr": ["1e-4", "1e-3"]}``; values are read as
    YAML.

    Raises
    ------
    StudyError : a word without values, or a setting named twice.
    """
    grid: dict[str, list] = {}
    for word in words:
        key, _, text = word.partition("=")
        values = _values(text)
        if not values or key in grid:
            raise StudyError(
                [
                    f"--grid {word!r} given; allowed: key=value,value once for each "
                    "setting, such as "
                    "training.lr=1e-4,1e-3"
                ],
                "the sweep",
            )
        grid[key] = values
    return grid


def _values(text: str) -> list:
    """What stands behind the equals sign, as a list; empty where it cannot be read."""
    try:
        return yaml.safe_load(f"[{text}]")
    except yaml.YAMLError:
        return []
