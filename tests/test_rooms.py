"""The rooms of ``lib``: imports go one way between packages, and never in a circle."""

from __future__ import annotations

import house
import pytest

# each package may import only those before it
ORDER = (
    "settings",
    "storage",
    "faces",
    "pictures",
    "morphs",
    "people",
    "statistics",
    "psychometrics",
    "observers",
    "likeness",
    "claims",
    "backbones",
    "networks",
    "training",
    "pretraining",
    "attention_study",
    "saliency",
    "parts",
    "mechanisms",
    "figures",
    "live",
    "widgets",
    "report",
    "execution",
    "sweeps",
    "workbook",
    "study",
)
MODULES = {house.module_name(path): path for path in house.MODULES}


def package(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def test_every_package_has_its_place():
    folders = {path.parent.name for path in house.LIB.glob("*/__init__.py")}
    assert folders == set(ORDER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name):
    here = package(name)
    if here not in ORDER:  # a command or a public name at the top of lib
        return
    allowed = ORDER[: ORDER.index(here) + 1]
    assert {
        other for other in house.imported(MODULES[name], MODULES) if package(other) not in allowed
    } == set()


def test_no_module_imports_itself_in_a_circle():
    assert house.cycles() == []


def test_the_search_for_imports_finds_them(tmp_path):
    file = tmp_path / "example.py"
    file.write_text(
        "from lib.storage import files\n"
        "def f():\n    from lib.people.trials import counts\n    import lib.backbones.vision\n",
        encoding="utf-8",
    )
    found = house.imported(file, MODULES)
    assert found == {"lib.storage.files", "lib.people.trials", "lib.backbones.vision"}


def test_the_search_for_circles_finds_them(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    paths = [tmp_path / "lib" / f"{name}.py" for name in "abc"]
    for path, other in zip(paths, "bca", strict=True):
        path.write_text(f"from lib import {other}", encoding="utf-8")
    monkeypatch.setattr(house, "ROOT", tmp_path)
    monkeypatch.setattr(house, "MODULES", paths)
    (circle,) = house.cycles()
    assert {"lib.a", "lib.b", "lib.c"} <= set(circle.split(" -> "))
