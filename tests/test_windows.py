"""Nothing in the workbook works on Unix alone: the sources are read for what Windows lacks."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from lib.settings.options import ROOT

UNIX_MODULES = {
    "crypt",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "syslog",
    "termios",
    "tty",
}
UNIX_CALLS = re.compile(
    r"os\.(fork\w*|pwrite|pread|killpg|setsid|getuid|geteuid|getpgid|getloadavg|uname|mkfifo|nice|"
    r"statvfs|chown|lchown|wait\w*|EX_\w+|O_DIRECTORY|O_NOFOLLOW|sched_\w+)"
    r"|signal\.(SIGKILL|SIGHUP|SIGALRM|SIGUSR\d|SIGCHLD|alarm|setitimer|pause)"
    r"|time\.(tzset|clock_gettime)"
)
UNIX_FOLDER = re.compile(r"(^|\W)/(tmp|dev|proc|bin|usr|etc|var)(/|$)")
FILE_SUFFIX = re.compile(
    r"\.(csv|json|png|html|npy|npz|safetensors|ya?ml|xlsx|txt|ipynb|lock|bin|tmp|log|pth)$"
)
FORBIDDEN = re.compile(r'[<>:"|\\]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def sources() -> Iterator[tuple[str, str]]:
    """(name, code) of every module of ``lib`` and of every notebook's cells."""
    for path in sorted((ROOT / "lib").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        lines = "\n".join(code).splitlines()
        yield path.name, "\n".join(line for line in lines if not line.startswith(("%", "!")))


SOURCES = dict(sources())


def unix_only(code: str) -> list[str]:
    """What a source has that Windows lacks."""
    tree = ast.parse(code)
    allowed = {id(text) for node in ast.walk(tree) if (text := docstring(node) or pattern(node))}
    found = []
    for node in ast.walk(tree):
        found += [name for name in imported(node) if name.partition(".")[0] in UNIX_MODULES]
        if isinstance(node, ast.Attribute) and UNIX_CALLS.fullmatch(ast.unparse(node)):
            guarded = f'hasattr({ast.unparse(node.value)}, "{node.attr}")' in code
            found += [] if guarded else [ast.unparse(node)]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_folder = UNIX_FOLDER.search(node.value) and id(node) not in allowed
            found += [node.value] if is_folder else []
        if isinstance(node, ast.Call) and without_encoding(node):
            found.append(ast.unparse(node))
        found += wrong_names(node)
    return found


def docstring(node: ast.AST) -> ast.Constant | None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) or not node.body:
        return None
    first = node.body[0]
    return first.value if isinstance(first, ast.Expr) and ast.get_docstring(node) else None


def pattern(node: ast.AST) -> ast.expr | None:
    """What a regular expression is made from: it may look for such folders."""
    is_pattern = isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    return node.args[0] if is_pattern else None


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def without_encoding(call: ast.Call) -> bool:
    """Whether a call opens a text file in whatever encoding the machine has."""
    name = ast.unparse(call.func)
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    if name.endswith((".read_text", ".write_text")):
        return True
    if name not in ("open", "os.fdopen", "io.open") and not name.endswith("path.open"):
        return False
    modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
    return not any("b" in ast.unparse(mode) for mode in modes)


def wrong_names(node: ast.AST) -> list[str]:
    """File names with a character that Windows refuses, such as a time of day's colon."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts = [node.value]
    else:
        return []
    text = "".join(parts)
    is_name = FILE_SUFFIX.search(text) and not re.search(r"\s|://|\(\?", text)
    return [text] if is_name and FORBIDDEN.search(text) else []


@pytest.mark.parametrize("name", SOURCES)
def test_no_source_needs_unix(name):
    assert unix_only(SOURCES[name]) == []


@pytest.mark.parametrize(
    "code",
    [
        "import fcntl",
        "from pwd import getpwnam",
        "import os.path, resource",
        "os.fork()",
        "x = os.EX_OK",
        "os.pwrite(1, b'', 0)",
        "signal.signal(signal.SIGKILL, f)",
        "folder = '/tmp/mine'",
        "open(path)",
        "open(path, 'w')",
        "path.read_text()",
        "path.write_text(text)",
        "f'{name}_{hour}:{minute}.csv'",
        "'a|b.json'",
    ],
)
def test_the_search_finds_what_windows_lacks(code):
    assert unix_only(code)


@pytest.mark.parametrize(
    "code",
    [
        'len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1',
        "open(path, 'rb')",
        "open(path, encoding='utf-8')",
        "path.read_text(encoding='utf-8')",
        "write_text(path, 'x')",
        "f'{name}: not readable, allowed: a .csv'",
        "'''/tmp is where examples of docstrings live'''",
        "f'{name}_{number:02d}.png'",
        "resource = 3",
        "re.compile('/tmp/')",
    ],
)
def test_the_search_lets_the_rest_pass(code):
    assert unix_only(code) == []


def names_that_clash(paths: list[Path]) -> list[str]:
    """Paths that Windows cannot hold beside each other, or not at all."""
    lower = Counter(path.as_posix().lower() for path in paths)
    return [
        path.as_posix()
        for path in paths
        if lower[path.as_posix().lower()] > 1
        or any(FORBIDDEN.search(part) or RESERVED.fullmatch(part) for part in path.parts)
        or any(part.endswith((".", " ")) for part in path.parts)
    ]


def test_every_file_of_the_project_can_be_checked_out():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    assert names_that_clash([Path(name) for name in listed.split("\0") if name]) == []


def test_names_that_clash_are_found():
    paths = [Path("a/B.csv"), Path("a/b.csv"), Path("a/12:30.csv"), Path("nul.txt"), Path("a/c")]
    assert names_that_clash(paths) == ["a/B.csv", "a/b.csv", "a/12:30.csv", "nul.txt"]
