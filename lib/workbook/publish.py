"""Put what a run found where it is committed: ``python -m lib.workbook.publish runs/demo``.

A run on built-in faces gives its executed notebooks and figures. A run on anybody's own pictures or
people gives its tables without single people, and the figures that show neither the pictures the
networks were trained on nor single people.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from functools import partial
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib.report.notebook_files import nbformat
from lib.report.opening import opening, with_opening
from lib.report.page import people_of, shareable
from lib.report.rendering import PROGRESS, few_colours
from lib.report.start import ANSWER
from lib.settings.options import ROOT, resolve
from lib.storage.files import write_text, write_with
from lib.storage.runs import read_tables

HOME = re.compile(r"(/home/|/root/|/Users/|/tmp/|[A-Z]:\\Users\\)")
OPENS_README = "angry_happy"  # the study whose answer README opens with
WIDEST = 1000  # pixels of a picture
LARGEST = 200_000  # bytes of a table that is committed
UNSHARED = ("images", "stimuli")  # tables that name the files of somebody's set
# figures of training photographs, whose terms forbid it, and of single people
PRIVATE = ("01_contact_sheet", "04_distribution", "04_reader")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotPublishable(RuntimeError):
    """A run that must not be committed as it is."""


def publish(folder: Path, notebooks: Path, figures: Path) -> None:
    """Copy the executed notebooks and the figures of a complete run.

    Raises
    ------
    NotPublishable : the run is not complete, an output holds an error, or one holds a path of this
        machine.
    """
    _complete(folder)
    cleaned = {
        path.name: clean(nbformat.read(path, as_version=4), path.name)
        for path in sorted((folder / "notebooks").glob("*.ipynb"))
    }
    for name, notebook in cleaned.items():
        write_text(notebooks / name, nbformat.writes(notebook) + "\n")
    for old in figures.glob("[0-9][0-9]_*.png"):
        old.unlink()
    for figure in sorted((folder / "figures").glob("*.png")):
        write_with(figures / figure.name, partial(_as_palette, figure))


def publish_reference(folder: Path, tables: Path, figures: Path) -> None:
    """The tables of a complete run without single people, and its figures without photographs.

    Raises
    ------
    NotPublishable : the run is not complete; what is published stays then.
    """
    _complete(folder)
    for old in (*tables.glob("*.csv"), *figures.glob("*.png")):
        old.unlink()
    publish_tables(folder, tables)
    for figure in sorted((folder / "figures").glob("*.png")):
        if figure.stem not in PRIVATE:
            write_with(figures / figure.name, partial(_as_palette, figure))


def publish_tables(folder: Path, tables: Path, names: tuple[str, ...] = ()) -> None:
    """The tables of a complete run (or those of ``names`` alone) without single people, and
    ``run.json``, which says what they come from.
    """
    manifest = _complete(folder)
    everything = read_tables(folder / "tables")
    people = people_of(everything)
    for name, table in everything.items():
        text = shareable(table, people).to_csv(index=False)
        if name not in UNSHARED and len(text) <= LARGEST and name in (names or everything):
            write_text(tables / f"{name}.csv", text)
    kept = ("revision", "versions", "machine", "seeds", "notebooks")
    about = {key: manifest[key] for key in kept}
    about["poles"] = manifest["study"]["settings"]["poles"]
    write_text(tables / "run.json", json.dumps(about, indent=1) + "\n")


def _complete(folder: Path) -> dict:
    """The manifest of a run that has come to its end."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest["status"] != "complete":
        raise NotPublishable(
            f"{folder.name} is {manifest['status']!r}; only a complete run is published: "
            "run it again first"
        )
    return manifest


def _as_palette(source: Path, target: Path) -> None:
    """A figure in 256 colours, with its description: a tenth of a clone's weight."""
    with Image.open(source) as picture:
        words = PngInfo()
        words.add_text("Description", picture.info.get("Description", ""))
        few = few_colours(picture.convert("RGB"))
    few.save(target, "PNG", optimize=True, pnginfo=words)


def clean(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """A notebook as it is committed: no injected cell, no widget state, no times, no progress
    lines.
    """
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    notebook.metadata = nbformat.NotebookNode(
        kernelspec=KERNEL, language_info=nbformat.NotebookNode(name="python")
    )
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode(
            {k: v for k, v in cell.metadata.items() if k in ("tags", "jupyter") and v}
        )
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [output for output in map(_clean_output, cell.outputs) if output]
            _refuse(cell, name, count)
    nbformat.validate(notebook)
    return notebook


def _clean_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """An output without what only a live notebook can show; None where nothing is left."""
    if output.output_type == "stream":
        output.text = PROGRESS.sub("", output.text)
        return output if output.text.strip() and output.name == "stdout" else None
    if any(kind.startswith("application/vnd.jupyter.widget") for kind in output.get("data", {})):
        return None
    if "execution_count" in output:
        output.execution_count = None
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = _smaller(output.data["image/png"])
        shown = output.metadata.get("image/png", {})
        if "width" in shown:
            shown["width"] = min(shown["width"], WIDEST)
    return output


def _smaller(png: str) -> str:
    """A base64 PNG in 256 colours, where that is smaller: notebooks are committed, figures/
    keeps the full ones.
    """
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.thumbnail((WIDEST, 3 * WIDEST))
    few_colours(picture).save(buffer, "PNG", optimize=True)
    found = base64.b64encode(buffer.getvalue()).decode()
    return found if len(found) < len(png) else png


def _refuse(cell: nbformat.NotebookNode, name: str, count: int) -> None:
    for output in cell.outputs:
        text = json.dumps(
            {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
        )
        text += output.get("text", "")
        if output.output_type == "error":
            raise NotPublishable(f"{name}, cell [{count}] holds an error: {output.evalue}")
        if HOME.search(text) or str(ROOT) in text:
            raise NotPublishable(
                f"{name}, cell [{count}] shows a path of this machine; use "
                "lib.storage.runs.relative"
            )


def main(folder: Path) -> None:
    """Publish a run by what it was made of."""
    settings = _complete(folder)["study"]["settings"]
    own = (settings["images"]["source"], settings["morphs"]["source"]) != ("builtin", "builtin")
    tables = ROOT / "data" / "reference" / settings["name"]
    if own or settings["observers"]["file"]:
        publish_reference(folder, tables, ROOT / "figures" / settings["name"])
        if settings["name"] == OPENS_README:
            written = opening(read_tables(tables), tuple(settings["poles"]))
            readme = (ROOT / "README.md").read_text(encoding="utf-8")
            write_text(ROOT / "README.md", with_opening(readme, written))
    else:
        publish(folder, ROOT / "notebooks", ROOT / "figures")
        publish_tables(folder, tables, ANSWER)


if __name__ == "__main__":
    main(resolve(sys.argv[1]))
