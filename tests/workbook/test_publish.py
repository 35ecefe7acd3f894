"""What is committed of an executed notebook: figures and prose, and nothing of the machine that
ran it.
"""

import base64
import io
import json

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from lib.figures.style import COLOURS
from lib.report.rendering import few_colours, shrink
from lib.settings.options import ROOT
from lib.workbook.publish import (
    NotPublishable,
    _smaller,
    clean,
    publish,
    publish_reference,
    publish_tables,
)


def executed(*outputs):
    """A notebook as papermill leaves it, with the outputs given in its last cell."""
    parameters = new_code_cell(
        'study = ""',
        metadata={"tags": ["parameters"], "papermill": {"duration": 0.1}},
        execution_count=1,
    )
    injected = new_code_cell(
        'study = "x.yaml"', metadata={"tags": ["injected-parameters"]}, execution_count=2
    )
    last = new_code_cell("fit()", execution_count=3, outputs=list(outputs))
    book = new_notebook(cells=[new_markdown_cell("# 04"), parameters, injected, last])
    book.metadata = nbformat.NotebookNode(
        papermill={"input_path": "/home/me/04.ipynb"},
        widgets={"state": {}},
        kernelspec={"name": "mine", "display_name": "mine"},
    )
    return book


def noise_png() -> str:
    """A picture of many colours, base64."""
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    Image.fromarray(values).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    "shrunk",
    [
        lambda png: base64.b64decode(_smaller(base64.b64encode(png).decode())),
        lambda png: shrink(png, 1.0)[1],
    ],
)
def test_a_short_line_beside_a_photograph_keeps_its_colour(shrunk):
    """The median cut spends all its colours on the many greys."""
    grey, tint = np.meshgrid(np.linspace(0, 255, 500), np.linspace(-12, 12, 500))
    page = np.full((600, 900, 3), 255, np.uint8)
    page[50:550, 50:550] = np.clip([grey + tint, grey, grey - tint], 0, 255).transpose(1, 2, 0)
    inks = {
        100 + 10 * k: [int(ink[k : k + 2], 16) for k in (1, 3, 5)]
        for k, ink in enumerate(COLOURS.values())
    }
    for y, ink in inks.items():
        page[y, 600:640] = ink
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "PNG")
    found = np.asarray(Image.open(io.BytesIO(shrunk(buffer.getvalue()))).convert("RGB")).astype(int)
    assert all(np.abs(found[y, 600:640] - ink).max() <= 8 for y, ink in inks.items())


def test_a_large_area_keeps_its_colour_beside_a_thousand_others():
    """A grey band must not turn pink: the coverage method alone shifts it."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 200, 3))
    page = np.full((300, 200, 3), 255, np.uint8)
    page[:60], page[100:200] = noise, 224
    few = np.asarray(few_colours(Image.fromarray(page)).convert("RGB")).astype(int)
    assert set(few[100:200].ravel()) == {224} and set(few[200:].ravel()) == {255}


def test_only_results_stay():
    bar = new_output(
        "display_data",
        {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "HBox()"},
    )
    lines = new_output(
        "stream",
        name="stdout",
        text="training: 3 of 9, 4 s left, loss 0.5\nkept\ntraining: 9 of 9 in 8 s\n",
    )
    warning = new_output("stream", name="stderr", text="a warning")
    figure = new_output(
        "display_data",
        {"image/png": noise_png(), "text/plain": "<Figure>"},
        metadata={"image/png": {"width": 1400}},
    )
    result = new_output("execute_result", {"text/plain": "0.82"}, execution_count=3)
    book = clean(executed(bar, lines, warning, figure, result), "04.ipynb")
    assert [cell.source for cell in book.cells] == ["# 04", 'study = ""', "fit()"]
    assert [cell.execution_count for cell in book.cells[1:]] == [1, 2]
    assert [o.output_type for o in book.cells[-1].outputs] == [
        "stream",
        "display_data",
        "execute_result",
    ]
    assert book.cells[-1].outputs[0].text == "kept\n"
    assert len(book.cells[-1].outputs[1].data["image/png"]) < 0.5 * len(noise_png())
    assert book.cells[-1].outputs[1].metadata["image/png"]["width"] == 1000
    assert set(book.metadata) == {"kernelspec", "language_info"} and "home" not in nbformat.writes(
        book
    )
    assert book.cells[1].metadata == {"tags": ["parameters"]}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            new_output("error", ename="ValueError", evalue="level 3", traceback=[]),
            r"04, cell \[2\] holds an error: level 3",
        ),
        (new_output("stream", text="saved /home/me/x.csv"), "shows a path of this machine"),
        (
            new_output("display_data", {"text/markdown": f"in {ROOT}/runs"}),
            "shows a path of this machine",
        ),
    ],
)
def test_an_error_or_a_path_of_this_machine_is_refused(output, reason):
    with pytest.raises(NotPublishable, match=reason):
        clean(executed(output), "04")


def test_a_complete_run_replaces_the_committed_notebooks_and_figures(tmp_path):
    run = tmp_path / "run"
    for name in ("notebooks", "figures"):
        (run / name).mkdir(parents=True)
        (tmp_path / name).mkdir()
    nbformat.write(executed(new_output("stream", text="new")), run / "notebooks" / "04_x.ipynb")
    Image.new("RGB", (9, 9)).save(run / "figures" / "04_new.png")
    (tmp_path / "figures" / "04_old.png").write_bytes(b"old")
    (run / "manifest.json").write_text(json.dumps({"status": "stopped"}))
    with pytest.raises(NotPublishable, match="run is 'stopped'; only a complete run"):
        publish(run, tmp_path / "notebooks", tmp_path / "figures")
    (run / "manifest.json").write_text(json.dumps({"status": "complete"}))
    publish(run, tmp_path / "notebooks", tmp_path / "figures")
    assert [p.name for p in (tmp_path / "figures").iterdir()] == ["04_new.png"]
    assert (
        nbformat.read(tmp_path / "notebooks" / "04_x.ipynb", 4).cells[-1].outputs[0].text == "new"
    )


def test_a_study_of_real_people_gives_no_single_person_and_no_photograph(tmp_path):
    run = tmp_path / "run"
    for part in ("tables", "figures"):
        (run / part).mkdir(parents=True)
    manifest = dict.fromkeys(("revision", "versions", "machine", "seeds", "notebooks"), "told")
    manifest |= {"status": "complete", "study": {"settings": {"poles": ["angry", "happy"]}}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    rows = {"observer": ["p01", "alexnet-s0", None], "kind": ["human", "cnn", "human"]}
    pd.DataFrame(rows | {"pse": [0.5, 0.6, 0.55]}).to_csv(
        run / "tables" / "psychometrics.csv", index=False
    )
    pairs = {"observer_1": ["p01", "alexnet-s0"], "kappa": [0.1, 0.2]}
    pd.DataFrame(pairs).to_csv(run / "tables" / "pairs.csv", index=False)
    excluded = {"rule": ["trials missed"], "observers_removed": [1], "who": ["p77"]}
    pd.DataFrame(excluded).to_csv(run / "tables" / "exclusions.csv", index=False)
    pd.DataFrame({"path": ["train/happy/1.png"]}).to_csv(run / "tables" / "images.csv")
    for name in ("01_contact_sheet", "04_curves"):
        Image.new("RGB", (4, 4)).save(run / "figures" / f"{name}.png")

    publish_reference(run, tmp_path / "reference", tmp_path / "figures")

    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"04_curves.png"}
    written = {path.name: path.read_text() for path in (tmp_path / "reference").iterdir()}
    assert set(written) == {"psychometrics.csv", "pairs.csv", "exclusions.csv", "run.json"}
    assert not any("p01" in text or "p77" in text for text in written.values())
    assert "alexnet-s0,0.2" in written["pairs.csv"]
    assert "0.55" in written["psychometrics.csv"]  # all people together
    assert json.loads(written["run.json"])["poles"] == ["angry", "happy"]
    publish_tables(run, tmp_path / "few", ("pairs", "claims"))
    assert {path.name for path in (tmp_path / "few").iterdir()} == {"pairs.csv", "run.json"}


def test_folded_inputs_stay_folded():
    book = executed()
    book.cells[-1].metadata = {"jupyter": {"source_hidden": True}, "papermill": {"duration": 1}}
    assert clean(book, "04").cells[-1].metadata == {"jupyter": {"source_hidden": True}}
