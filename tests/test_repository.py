"""What holds for every file of the project: sizes, safety, and notebooks that can be committed."""

import ast
import json
import re
import runpy
import statistics
import subprocess
import sys
from pathlib import Path

import house
import nbformat
import pytest
from make_tools import outside_make

from lib.settings.options import ROOT

MODULES = sorted((ROOT / "lib").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PYTHON = sorted([*MODULES, *(ROOT / "tests").rglob("*.py")])
# a home or scratch folder of some machine; the parts are kept apart, so that this file does not
# match itself
HOME = re.compile("/(" + "home|root|Users|work|tmp" + r")/\w")
REGISTRY = re.compile("(index" + "-url|find" + "-links|trusted" + "-host)")


def tracked(*endings: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    paths = [ROOT / line for line in listed.splitlines()]
    return [path for path in paths if path.is_file() and path.name.endswith(endings or ("",))]


@pytest.mark.parametrize(
    "rule",
    [
        "packages over 12 modules",
        "modules over 300 lines",
        "functions over 60 lines",
        "lines over 100 characters",
        "public functions without docstring",
        "public functions not fully annotated",
        "circles of imports",
    ],
)
def test_nothing_breaks_a_rule_of_the_house(rule):
    assert house.offenders()[rule] == []


def test_functions_are_short():
    sizes = [house.body_lines(one) for path in MODULES for one in house.functions(path)]
    assert statistics.median(sizes) <= 10


CODE = """
def bare(x): pass
def half(x: int) -> int:
    \"\"\"Says so.\"\"\"
    a, b = 1, 2
    c, d = half(x)
    return 1 if a else 2 if b else 3
class Block:
    def forward(self, x): return x
    def ready(self) -> bool:
        \"\"\"Whether it is.\"\"\"
        return True if self else (False or True)
    def _own(self): pass
class _Hidden:
    def seen(self): pass
"""


def test_the_counts_of_the_house_are_right(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(CODE, encoding="utf-8")
    public = {one.name: one for one in house.public_functions(path)}
    assert list(public) == ["bare", "half", "forward", "ready"]
    assert [house.is_documented(one) for one in public.values()] == [False, True, True, True]
    assert [house.is_annotated(one) for one in public.values()] == [False, True, True, True]
    assert house.body_lines(public["half"]) == 3
    nodes = list(ast.walk(house.tree(path)))
    assert sum(map(house.packs_several, nodes)) == 1 == sum(map(house.nests_conditions, nodes))


def test_every_module_says_what_it_is_for():
    assert [p.name for p in PYTHON if not ast.get_docstring(ast.parse(p.read_text()))] == []


def test_nothing_is_unpickled():
    # tests make files with code in them, to see them refused
    assert [
        (path.name, problem)
        for path in PYTHON
        if not path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text()))
        for problem in unsafe(node)
    ] == []


def unsafe(node: ast.AST) -> list[str]:
    """Loading that would run code from a file, or weights loaded however they fit."""
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module in ("pickle", "dill", "joblib", "cloudpickle") else []
    return unsafe_call(node) if isinstance(node, ast.Call) else []


def unsafe_call(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {k.arg: ast.unparse(k.value) for k in call.keywords}
    problems = []
    if name == "torch.load" and given.get("weights_only") != "True":
        problems.append("torch.load without weights_only=True")
    if given.get("allow_pickle") == "True" or name in ("yaml.unsafe_load", "pd.read_pickle"):
        problems.append(name)
    if re.match(r"(pickle|dill|joblib|cloudpickle)\.(load|dump|Pickler|Unpickler)", name):
        problems.append(name)
    if name == "yaml.load" and "Safe" not in "".join(
        [*map(ast.unparse, call.args[1:]), given.get("Loader", "")]
    ):
        problems.append("yaml.load without a safe loader")
    if name.endswith("load_state_dict") and given.get("strict") == "False":
        problems.append("load_state_dict(strict=False)")
    return problems


def test_the_search_for_unsafe_loading_finds_it():
    for text in (
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "np.load(p, allow_pickle=True)",
        "yaml.load(t)",
        "net.load_state_dict(s, strict=False)",
        "pickle.loads(b)",
        "yaml.load(t, Loader=yaml.Loader)",
    ):
        assert unsafe(ast.parse(text).body[0].value), text
    assert unsafe(ast.parse("from pickle import loads").body[0])
    for text in (
        "torch.load(p, weights_only=True)",
        "np.load(p)",
        "yaml.load(t, SafeLoader)",
        "net.load_state_dict()",
    ):
        assert not unsafe(ast.parse(text).body[0].value), text


def test_no_error_is_swallowed():
    def swallows(node) -> bool:
        broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        kept = any(isinstance(n, ast.Raise) or hands_on(n, node.name) for n in ast.walk(node))
        return broad and not kept

    def hands_on(call, name) -> bool:
        return isinstance(call, ast.Call) and name in [getattr(a, "id", "") for a in call.args]

    assert [
        (p.name, n.lineno)
        for p in MODULES
        for n in ast.walk(ast.parse(p.read_text()))
        if isinstance(n, ast.ExceptHandler) and swallows(n)
    ] == []


def test_no_file_names_a_folder_of_one_machine_or_a_package_server():
    texts = tracked(
        ".py", ".md", ".yaml", ".yml", ".toml", ".cff", ".js", ".css", ".ipynb", "Makefile", "run"
    )
    found = []
    for path in texts:
        # tests may spell such paths, to see them refused
        pattern = REGISTRY if path.name.startswith("test_") or path.name == "publish.py" else HOME
        text = readable(path)
        found += [
            (path.name, match[0]) for match in [*pattern.finditer(text), *REGISTRY.finditer(text)]
        ]
    assert found == []


def readable(path: Path) -> str:
    """A file's text, of a notebook without its pictures."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    book = nbformat.read(path, as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    data = [
        {k: v for k, v in o.get("data", {}).items() if not k.startswith("image/")} for o in outputs
    ]
    return "\n".join(
        [
            *(cell.source for cell in book.cells),
            *(o.get("text", "") for o in outputs),
            json.dumps(data),
        ]
    )


def taken_names(source: str) -> set[str]:
    """Names that a loop inside a loop binds, though the outer one reads them first, from before
    it began.
    """
    found, nodes = set(), list(ast.walk(ast.parse(source)))
    for outer in (node for node in nodes if isinstance(node, ast.For)):
        inside = list(ast.walk(outer))
        for inner in (node for node in inside if isinstance(node, ast.For) and node is not outer):
            bound = {node.id for node in ast.walk(inner.target) if isinstance(node, ast.Name)}
            found |= {
                node.id
                for node in inside
                if isinstance(node, ast.Name)
                and isinstance(node.ctx, ast.Load)
                and node.lineno < inner.lineno
                and node.id in bound
                and any(
                    isinstance(other, ast.Name)
                    and isinstance(other.ctx, ast.Store)
                    and other.id == node.id
                    and other.lineno < outer.lineno
                    for other in nodes
                )
            }
    return found


def test_the_search_for_taken_names_finds_them():
    cell = "rows = [1]\nfor a in b:\n    use(rows)\n    for who, rows in c:\n        use(rows)"
    assert taken_names(cell) == {"rows"}
    assert not taken_names(cell.replace("who, rows", "who, theirs")) and not taken_names(
        "for a in b:\n    use(a)"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
class TestNotebook:
    def test_it_opens_with_title_parameters_and_set_up(self, path):
        cells = nbformat.read(path, as_version=4).cells
        assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
        assert "parameters" in cells[1].metadata.get("tags", [])
        names = re.findall(r"^(\w+) = ", cells[1].source, flags=re.M)
        assert names == ["study", "overrides"]
        assert f'open_run("{path.name[:2]}"' in "\n".join(cell.source for cell in cells)

    def test_it_leads_to_its_neighbours_and_says_how_long_it_takes(self, path):
        cells = nbformat.read(path, as_version=4).cells
        place = NOTEBOOKS.index(path)
        neighbours = {p.name for p in NOTEBOOKS[max(place - 1, 0) : place + 2]} - {path.name}
        linked = set(re.findall(r"\]\((\w+\.ipynb)\)", cells[0].source))
        assert neighbours <= linked <= {p.name for p in NOTEBOOKS}
        assert "| run time |" in cells[0].source
        stated = re.search(r"\| reading time \| (\d+) min", cells[0].source)
        if stated or path.name[:2] != "03":
            prose = sum(len(c.source.split()) for c in cells if c.cell_type == "markdown")
            figures = sum(c.source.count("save_figure(") for c in cells if c.cell_type == "code")
            # 200 words a minute, and a minute to look at a figure
            assert 0.65 <= int(stated[1]) / (prose / 200 + figures) <= 1.5

    def test_no_inner_loop_takes_a_name_that_the_outer_loop_still_needs(self, path):
        """Such a cell works as long as the outer loop runs once, and the tests' small study has
        one of most things.
        """
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                assert not taken_names(cell.source), cell.source

    def test_its_cells_are_short(self, path):
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        lengths = [len(cell.source.splitlines()) for cell in cells]
        assert max(lengths) <= 15 and statistics.median(lengths) <= 10

    def test_it_was_run_in_order_and_without_errors_if_at_all(self, path):
        cells = [
            c
            for c in nbformat.read(path, as_version=4).cells
            if c.cell_type == "code" and c.source.strip()
        ]
        counts = [cell.execution_count for cell in cells]
        assert counts == list(range(1, len(cells) + 1)) or set(counts) == {None}
        assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]

    def test_it_carries_no_state_of_widgets_and_is_not_too_large(self, path):
        book = nbformat.read(path, as_version=4)
        assert "widgets" not in book.metadata and book.metadata.kernelspec["name"] == "python3"
        assert path.stat().st_size <= 1_500_000
        assert path.read_text().count("application/vnd.jupyter.widget-view") == 0


def test_the_linter_has_nothing_to_say():
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


def test_the_formatter_has_nothing_to_change():
    command = [sys.executable, "-m", "ruff", "format", "--check", "lib", "tests"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_the_makefile_installs_exactly_what_the_environment_lists(tmp_path):
    pinned = re.findall(
        r"^      - (\S+)", (ROOT / "environment.yml").read_text().split("- pip:")[1], flags=re.M
    )
    command = re.search(r"@(sed .*) environment\.yml", (ROOT / "Makefile").read_text())[1].replace(
        "$$", "$"
    )
    listed = subprocess.run(
        f"{command} environment.yml", shell=True, cwd=ROOT, capture_output=True, text=True
    )
    # '- -e .' is two words
    assert [line.split()[0] for line in listed.stdout.splitlines()] == pinned and len(pinned) > 20


def test_the_lock_is_made_from_the_environment_and_names_no_server():
    pinned = re.findall(
        r"^      - ([A-Za-z][\w.-]*==\S+)", text_of("environment.yml"), flags=re.MULTILINE
    )
    locked = text_of("requirements.lock").splitlines()
    lines = [line.partition(" ;")[0] for line in locked if not line.startswith("#")]
    assert len(pinned) > 20 and {pin.lower() for pin in pinned} <= {line.lower() for line in lines}
    assert all(re.fullmatch(r"[\w.-]+==[\w.!+-]+", line) for line in lines)
    # several versions of one package stand there for different machines or versions of Python
    assert len(lines) > 100 and len(lines) == len({line for line in locked if "==" in line})


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["workbook"], '-m lib.workbook run --study "data/studies/demo.yaml"'),
        (
            ["workbook", "STUDY=a.yaml", "SET=x=1 y=2", "RESUME=1", "ONLY=04"],
            '-m lib.workbook run --study "a.yaml" --set x=1 y=2 --resume --only 04',
        ),
        (["weights"], "-m lib.weights"),
        (["house"], "tests/house.py"),
        (["test"], '-m pytest -n 2 --dist worksteal -m "not slow"'),
        (["test", "ALL=1"], "-m pytest -n 2 --dist worksteal"),
        (
            ["coverage"],
            (
                "-m pytest -n 2 --dist worksteal --cov=lib --cov-report=term:skip-covered "
                "--cov-fail-under=95"
            ),
        ),
        (["lab"], '-m lib.workbook lab --study "data/studies/demo.yaml"'),
    ],
)
def test_make_says_what_the_commands_are(arguments, command):
    told = subprocess.run(
        ["make", "-n", "PY=python", *arguments],
        cwd=ROOT,
        env=outside_make(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == f"python {command}".split()


@pytest.mark.parametrize(
    "script", sorted((ROOT / "tests/benchmarks").glob("bench_*.py")), ids=lambda path: path.stem
)
def test_a_benchmark_finds_all_that_it_takes_from_the_project(script):
    assert callable(runpy.run_path(str(script), run_name="imported")["main"])


def test_notebook_libraries_come_through_one_module_which_spares_two_seconds():
    """Imported before it, one of them has the grammar built that
    ``lib.report.notebook_files`` keeps from being built.
    """
    slow = re.compile(
        r"^\s*(from|import) (nbformat|nbclient|papermill|nbconvert|jsonschema)\b", re.MULTILINE
    )
    found = {path.stem for path in MODULES if slow.search(path.read_text(encoding="utf-8"))}
    assert found == {"notebook_files"}


def test_make_names_the_remedy_where_python_is_too_old(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "environment.yml").write_text("")
    old = tmp_path / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    made = subprocess.run(
        ["make", "test", "PYTHON=./old\\ python"],
        cwd=tmp_path,
        env=outside_make(),
        capture_output=True,
        text=True,
    )
    assert (
        made.returncode != 0
        and "3.9.2; the workbook needs Python 3.11 or newer: make PYTHON=" in made.stdout
    )
