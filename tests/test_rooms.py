"""The rooms of ``lib``: imports go one way between packages, and never in a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from lib.settings.options import ROOT

# each package may import only those before it
ORDER = (
    "settings",
    "storage",
    "faces",
    "pictures",
    "people",
    "statistics",
    "psychometrics",
    "likeness",
    "networks",
    "training",
    "mechanisms",
    "figures",
    "widgets",
    "report",
    "workbook",
    "study",
)
LIB = ROOT / "lib"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in LIB.rglob("*.py")}


def imported(path: Path) -> set[str]:
    """The modules of ``lib`` that a file names in an import, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lib"):
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= members & MODULES.keys() or {node.module}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("lib.")}
    return found & MODULES.keys()


def package(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def test_every_package_has_its_place():
    folders = {path.parent.name for path in LIB.glob("*/__init__.py")}
    assert folders == set(ORDER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name):
    here = package(name)
    if here not in ORDER:  # a command or a public name at the top of lib
        return
    allowed = ORDER[: ORDER.index(here) + 1]
    assert {other for other in imported(MODULES[name]) if package(other) not in allowed} == set()


def test_no_module_imports_itself_in_a_circle():
    graph = {name: imported(path) - {name} for name, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


def test_the_search_for_imports_finds_them(tmp_path):
    file = tmp_path / "example.py"
    file.write_text(
        "from lib.storage import files\n"
        "def f():\n    from lib.people.trials import counts\n    import lib.networks.vision\n",
        encoding="utf-8",
    )
    assert imported(file) == {"lib.storage.files", "lib.people.trials", "lib.networks.vision"}
