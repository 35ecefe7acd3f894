"""Counts of the house: ``python tests/house.py`` (``make house``) prints how well it is kept.

``python tests/house.py --offenders`` names every place that a count is about.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
LIB = ROOT / "lib"
MODULES = sorted(LIB.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_LINE = 100
LONGEST_FUNCTION = 60
LONGEST_MODULE = 300
LARGEST_PACKAGE = 12  # modules beside __init__
EXCEPTED = ("live",)  # lab and explorer, which share their tools for drawing
TORCHS_OWN = ("forward", "backward")  # their shapes stand in comments

Function = ast.FunctionDef | ast.AsyncFunctionDef


def text(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(text(path))


def name(path: Path) -> str:
    """A path as it is read: relative to the project's root."""
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """``lib.storage.files`` of lib/storage/files.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """The modules of ``lib`` that a file names in an import, also within functions."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lib"):
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= members & modules.keys() or {node.module}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("lib.")}
    return found & modules.keys()


def cycles() -> list[str]:
    """A circle of imports, where there is one."""
    modules = {module_name(path): path for path in MODULES}
    graph = {one: imported(path, modules) - {one} for one, path in modules.items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, also those within functions and classes."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def public_functions(path: Path) -> Iterator[Function]:
    """Functions of a module and methods of its public classes, without names that begin with _."""
    top = tree(path).body
    classes = [c for c in top if isinstance(c, ast.ClassDef) and not c.name.startswith("_")]
    for node in [*top, *(member for one in classes for member in one.body)]:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def body_lines(function: Function) -> int:
    """Lines of the body without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def is_documented(function: Function) -> bool:
    """Whether there is a docstring, or it is one of torch's own methods."""
    return function.name in TORCHS_OWN or ast.get_docstring(function) is not None


def is_annotated(function: Function) -> bool:
    """Whether every argument and what is returned has a type."""
    if function.name in TORCHS_OWN:
        return True
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    bare = [
        a.arg
        for a in arguments
        if a is not None and a.annotation is None and a.arg not in ("self", "cls")
    ]
    return not bare and function.returns is not None


def packs_several(node: ast.AST) -> bool:
    """``a, b = one, other``: two statements in the shape of one."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Tuple)
        and any(isinstance(target, ast.Tuple) for target in node.targets)
    )


def nests_conditions(node: ast.AST) -> bool:
    """``a if b else c if d else e``."""
    inside = ast.iter_child_nodes(node)
    return isinstance(node, ast.IfExp) and any(isinstance(one, ast.IfExp) for one in inside)


def where(path: Path, node: ast.AST) -> str:
    """``lib/storage/files.py:12 replacing``."""
    return f"{name(path)}:{node.lineno} {getattr(node, 'name', '')}".strip()


def code_cells(path: Path) -> list[str]:
    """The code cells of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def offenders() -> dict[str, list[str]]:
    """Every place that a rule of the house is about, by rule."""
    found: dict[str, list[str]] = {
        "packages over 12 modules": [],
        "modules over 300 lines": [],
        "functions over 60 lines": [],
        "lines over 100 characters": [],
        "public functions without docstring": [],
        "public functions not fully annotated": [],
        "tuple assignments": [],
        "nested conditional expressions": [],
    }
    for path in MODULES:
        lines = text(path).splitlines()
        if len(lines) > LONGEST_MODULE:
            found["modules over 300 lines"].append(f"{name(path)} {len(lines)}")
        long = [n for n, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE]
        found["lines over 100 characters"] += [f"{name(path)}:{n}" for n in long]
        found["functions over 60 lines"] += [
            where(path, one) for one in functions(path) if body_lines(one) > LONGEST_FUNCTION
        ]
        for one in public_functions(path):
            if not is_documented(one):
                found["public functions without docstring"].append(where(path, one))
            if not is_annotated(one):
                found["public functions not fully annotated"].append(where(path, one))
        for node in ast.walk(tree(path)):
            if packs_several(node):
                found["tuple assignments"].append(where(path, node))
            if nests_conditions(node):
                found["nested conditional expressions"].append(where(path, node))
    found["packages over 12 modules"] = [
        f"lib/{package} {n}"
        for package, n in sizes_of_packages()
        if n > LARGEST_PACKAGE and package not in EXCEPTED
    ]
    found["circles of imports"] = cycles()
    return found


def sizes_of_packages() -> list[tuple[str, int]]:
    """Every package of ``lib`` with its number of modules beside ``__init__``, by name."""
    inside = [one for one in MODULES if one.parent != LIB and one.name != "__init__.py"]
    return sorted(Counter(path.parent.name for path in inside).items())


def counts() -> dict[str, str]:
    """What ``make house`` prints."""
    packages = sizes_of_packages()
    public = [one for path in MODULES for one in public_functions(path)]
    sizes = [body_lines(one) for path in MODULES for one in functions(path)]
    cells = [len(cell.splitlines()) for path in NOTEBOOKS for cell in code_cells(path)]
    lines = sum(len(text(path).splitlines()) for path in MODULES)
    return {
        "modules": f"{len(MODULES)} in {len(packages)} packages "
        f"({', '.join(f'{package} {n}' for package, n in packages)})",
        "lines of lib": f"{lines:,}",
        "public functions": f"{len(public)}, with docstring {share(public, is_documented)}, "
        f"fully annotated {share(public, is_annotated)}",
        "lines of a function": f"median {statistics.median(sizes):g}, longest {max(sizes)}",
        "lines of a notebook's cell": f"median {statistics.median(cells):g}, longest {max(cells)}",
        **{rule: str(len(places)) for rule, places in offenders().items()},
    }


def share(public: list[Function], holds) -> str:
    """Of how many public functions something holds, rounded down, so that 100 % is all."""
    return f"{int(1000 * sum(map(holds, public)) / len(public)) / 10:g} %"


def main() -> None:
    """Print the counts, or all places."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offenders", action="store_true", help="name every place")
    if parser.parse_args().offenders:
        for rule, places in offenders().items():
            print(f"{rule}: {len(places)}", *(f"  {place}" for place in places), sep="\n")
        return
    for what, said in counts().items():
        print(f"{what + ':':<40} {said}")


if __name__ == "__main__":
    main()
