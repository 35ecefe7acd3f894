"""The stages of a run, one a notebook: what each leaves behind, and whether what lies there is
still current.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.backbones.weight_files import from_file
from lib.networks.devices import choose_device
from lib.settings.loading import ROOT, Study, resolve
from lib.storage.files import file_hash, settings_hash, write_json
from lib.storage.runs import TABLES, Stopped, put_together

# These run notebooks or read their results; a change in them changes no result.
OUTSIDE = ("report", "execution", "sweeps", "workbook", "study")


class MissingOutput(Stopped):
    """A notebook ended without an error and without what it declares."""


@dataclass(frozen=True)
class Stage:
    """One notebook of one run."""

    study: Study
    notebook: Path

    @property
    def number(self) -> str:
        """The notebook's number, "01" to "05"."""
        return self.notebook.name[:2]

    @property
    def name(self) -> str:
        """The notebook's name without its suffix."""
        return self.notebook.stem

    @property
    def executed(self) -> Path:
        """Where the executed notebook is kept."""
        return self.study.folder / "notebooks" / self.notebook.name

    @property
    def marker(self) -> Path:
        """The file that says what the notebook was made from."""
        return self.study.folder / "stages" / f"{self.number}.json"

    def outputs(self) -> list[Path]:
        """Its own parts of tables, its figures and the executed notebook, as far as they are
        there.
        """
        folder = self.study.folder
        patterns = (
            f"tables/parts/*.{self.number}.csv",
            f"figures/{self.number}_*.png",
            f"notebooks/{self.notebook.name}",
        )
        return sorted(path for pattern in patterns for path in folder.glob(pattern))

    def clear(self) -> None:
        """Delete its marker, then its outputs, and take its rows out of the tables that other
        notebooks share.
        """
        self.marker.unlink(missing_ok=True)
        parts = [path for path in self.outputs() if path.parent.name == "parts"]
        for path in self.outputs():
            path.unlink()
        for path in parts:
            put_together(self.study.folder / "tables", path.name.split(".")[0])

    def check(self, started: float) -> None:
        """MissingOutput unless every declared table and at least one figure was written since
        ``started``.
        """
        problems = [
            problem
            for name in TABLES.get(self.number, ())
            for problem in self._table_problem(name, started)
        ]
        figures = [
            path for path in self.outputs() if path.suffix == ".png" and _written(path, started)
        ]
        if not figures and not self._may_be_empty():
            problems.append(f"no figure figures/{self.number}_*.png")
        if problems:
            raise MissingOutput(
                f"notebook {self.name} ended but left out what it declares: {'; '.join(problems)}"
            )

    def _table_problem(self, name: str, started: float) -> list[str]:
        path = self.study.folder / "tables" / "parts" / f"{name}.{self.number}.csv"
        if not path.is_file() or not _written(path, started):
            return [f"table {name!r} was not written"]
        with open(path, encoding="utf-8") as lines:
            rows = sum(1 for _ in lines) - 1
        return [f"table {name!r} has no rows"] if rows < 1 and not self._may_be_empty() else []

    def _may_be_empty(self) -> bool:
        """A study may name no network for one of the two training notebooks."""
        named = self.study.networks.architectures
        return (self.number == "03" and "fe_alexnet" not in named) or (
            self.number == "02"
            and set(named) == {"fe_alexnet"}
            and not self.study.networks.controls
        )

    def key(self, before: list[Stage]) -> str:
        """What its results depend on: settings, sources, input files and the outputs of the
        notebooks before it.
        """
        sources = [self.notebook, *result_sources()]
        earlier = [stage.read_marker().get("outputs") for stage in before]
        return settings_hash(
            self.study.to_dict(),
            choose_device(self.study.training).key,
            [("/".join(p.parts[-2:]), file_hash(p)) for p in sources],
            inputs(self.study, networks=bool(before)),
            [sorted((outputs or {}).items()) for outputs in earlier],
        )

    def mark(self, key: str, cost: Cost) -> None:
        """Write the marker that makes this stage done."""
        write_json(self.marker, {"key": key, **asdict(cost), "outputs": self._hashes()})

    def read_marker(self) -> dict:
        """What the marker says; empty where there is none."""
        return json.loads(self.marker.read_text(encoding="utf-8")) if self.marker.is_file() else {}

    def done(self, key: str) -> bool:
        """Whether it ran under this key and all it left is there unchanged."""
        marker = self.read_marker()
        return marker.get("key") == key and marker["outputs"] == self._hashes()

    def _hashes(self) -> dict[str, str]:
        # the executed notebook holds times, so only that it is there counts
        return {
            str(path.relative_to(self.study.folder)): ""
            if path.suffix == ".ipynb"
            else file_hash(path)
            for path in self.outputs()
        }


@dataclass(frozen=True)
class Cost:
    """What a stage cost: seconds on the clock, and megabytes of its processes together at their
    most.
    """

    seconds: float
    peak_memory_mb: float


def _written(path: Path, started: float) -> bool:
    """Written since ``started``, with a second of grace for file systems that keep whole
    seconds.
    """
    return path.stat().st_size > 0 and path.stat().st_mtime >= started - 1


def result_sources() -> list[Path]:
    """The modules that results depend on: all of ``lib`` but the packages that run and check
    studies.
    """
    modules = sorted((ROOT / "lib").rglob("*.py"))
    return [path for path in modules if path.relative_to(ROOT / "lib").parts[0] not in OUTSIDE]


def inputs(study: Study, *, networks: bool = True) -> str:
    """A digest of the files and folders that a study names: every file's name, size and time of
    change. Without ``networks`` of those of pictures and people alone.
    """
    named = [study.images.root, study.morphs.root, study.observers.file]
    if networks:
        given = study.networks
        named += [study.weights_dir, given.face_weights, given.answers]
        named += [name.rpartition(":")[0] for name in filter(from_file, given.architectures)]
    digest = hashlib.sha256()
    for path in (resolve(name) for name in named if name):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            state = file.stat() if file.is_file() else None
            digest.update(f"{file}\0{state and (state.st_size, state.st_mtime_ns)}\n".encode())
    return digest.hexdigest()


def stages(study: Study, notebooks: Path) -> list[Stage]:
    """All stages of a study, in order."""
    return [Stage(study, path) for path in sorted(notebooks.glob("[0-9][1-9]_*.ipynb"))]
