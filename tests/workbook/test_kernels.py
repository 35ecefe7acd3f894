"""Kernels ahead of their notebooks: imports done, names not taken over, none left behind."""

import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tiny_notebooks import write_notebook

from lib.workbook.execution import NotebookFailed, execute
from lib.workbook.kernels import Kernels, imports


def test_imports_by_hand(tmp_path):
    cells = [
        "import numpy as np\nx = 1\nfrom lib.storage.runs import (open_run,\n    say)",
        "%matplotlib inline\nimport os",
        "def f():\n    import json\n    return json",
        "if x:\n    import csv\nimport a.b",
    ]
    book = new_notebook(cells=[new_markdown_cell("import antigravity"), *map(new_code_cell, cells)])
    nbformat.write(book, tmp_path / "a.ipynb")
    assert (
        imports(tmp_path / "a.ipynb")
        == "import numpy as np\nfrom lib.storage.runs import open_run, say\nimport a.b"
    )


def printed(path):
    return "".join(
        output.get("text", "")
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
    )


def test_a_prepared_kernel_has_imported_what_its_notebook_imports_and_no_name(tmp_path):
    look = "import sys\nprint('wave' in sys.modules, 'wave' in globals())"
    first = write_notebook(tmp_path, "01_first", look)
    second = write_notebook(
        tmp_path, "02_second", look, "import wave\nprint(sys.modules['wave'] is wave)"
    )
    with Kernels() as kernels:
        for source, following in ((first, second), (second, None)):
            execute(source, tmp_path / "done" / source.name, {}, kernels, following)
    assert printed(tmp_path / "done" / "01_first.ipynb") == "False False\n"
    assert printed(tmp_path / "done" / "02_second.ipynb") == "True False\nTrue\n"


def test_an_import_that_fails_is_the_notebooks_own_error(tmp_path):
    first = write_notebook(tmp_path, "01_first", "x = 1")
    second = write_notebook(tmp_path, "02_second", "x = 2", "import no_such_module")
    with Kernels() as kernels:
        execute(first, tmp_path / "done" / first.name, {}, kernels, second)
        with pytest.raises(
            NotebookFailed, match=r"(?s)02_second stopped in cell \[3\].*no_such_module"
        ):
            execute(second, tmp_path / "done" / second.name, {}, kernels)


def test_no_kernel_is_left_where_its_notebook_never_had_its_turn(tmp_path):
    before = set(psutil.Process().children())
    with pytest.raises(RuntimeError, match="stop"), Kernels() as kernels:
        kernels.prepare(write_notebook(tmp_path, "01_first", "import wave"))
        assert len(set(psutil.Process().children()) - before) == 1
        raise RuntimeError("stop")
    time.sleep(0.1)
    assert not [
        child for child in psutil.Process().children() if child not in before and child.is_running()
    ]
