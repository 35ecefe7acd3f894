"""Tables and figures that notebooks exchange, and how a figure describes itself."""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.settings.loading import StudyError, load_study
from lib.settings.options import ROOT
from lib.storage.alt_text import LONGEST, describe, read_alt_text
from lib.storage.runs import MissingResult, Run, open_run, put_together, read_csv, relative, say


@pytest.fixture
def study(tmp_path):
    return load_study("data/studies/smoke.yaml", {"output": str(tmp_path)})


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_shared_table_is_put_together_in_the_order_of_the_notebooks(study):
    Run(study, "03").write_table(
        "trials", pd.DataFrame({"observer": ["fe"], "p_happy": [0.1 + 0.2]})
    )
    Run(study, "01").write_table(
        "trials", pd.DataFrame({"observer": ["p1"], "p_happy": [np.nan], "cue": ["NA"]})
    )
    Run(study, "03").write_table(
        "trials", pd.DataFrame({"observer": ["fe2"], "p_happy": [0.1 + 0.2]})
    )
    table = Run(study, "04").read_table("trials")
    assert list(table["observer"]) == ["p1", "fe2"] and table["p_happy"].iloc[1] == 0.1 + 0.2
    assert table["cue"].iloc[0] == "NA" and pd.isna(table["cue"].iloc[1])
    assert list(Run(study, "04").read_table("trials", before="03")["observer"]) == ["p1"]


def test_a_table_without_parts_is_gone(study):
    Run(study, "01").write_table("images", pd.DataFrame({"path": ["x"]}))
    (study.folder / "tables" / "parts" / "images.01.csv").unlink()
    put_together(study.folder / "tables", "images")
    with pytest.raises(MissingResult, match="has no table 'images' yet; it is made by notebook 01"):
        Run(study, "02").read_table("images")


def test_a_table_that_no_notebook_declares_is_missing_too(study):
    with pytest.raises(MissingResult, match=r"has no table 'notes' yet\. Run the notebooks"):
        Run(study, "02").read_table("notes")


def test_a_purpose_has_its_own_random_numbers_the_same_in_every_run(study):
    first, again, other, elsewhere = (
        run.rng(*key).random()
        for run, key in (
            (Run(study, "04"), ("boot", 1)),
            (Run(study, "04"), ("boot", 1)),
            (Run(study, "04"), ("boot", 2)),
            (Run(study, "05"), ("boot", 1)),
        )
    )
    assert first == again and len({first, other, elsewhere}) == 3


def test_a_figure_is_saved_with_its_description_and_the_same_bytes_each_time(
    study, axes, monkeypatch
):
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    axes.plot([0, 1], [0, 1], label="AlexNet")
    axes.set(xlabel="level", ylabel="share of happy answers", title="Curves – full faces")
    axes.legend()
    path = Run(study, "04").save_figure(axes.figure, "curves")
    first = path.read_bytes()
    shown, metadata = displayed.pop()._repr_png_()
    assert base64.b64decode(shown) == first and metadata["alt"] == read_alt_text(path)
    assert metadata["width"] == Image.open(path).width // 1.5 and not plt.fignum_exists(
        axes.figure.number
    )
    assert path.relative_to(study.folder).as_posix() == "figures/04_curves.png"
    assert (
        read_alt_text(path)
        == "Curves – full faces: share of happy answers against level: with AlexNet"
    )
    assert Run(study, "04").save_figure(axes.figure, "curves").read_bytes() == first
    assert (
        read_alt_text(Run(study, "04").save_figure(axes.figure, "curves", alt="My words"))
        == "My words"
    )


def test_panels_that_say_the_same_are_counted_and_bare_pictures_left_out():
    figure, panels = plt.subplots(2, 2)
    for panel in panels.flat[:3]:
        panel.set(xlabel="level", ylabel="$p$")
    panels[1, 1].axis("off")
    figure.suptitle("Four")
    assert describe(figure) == "Four. 3 panels: p against level"
    panels[0, 0].set_title("word " * 400)
    assert len(describe(figure)) <= LONGEST and describe(figure).endswith("…")
    plt.close(figure)
    assert describe(plt.figure()) == "A figure without titles"
    plt.close()


def test_a_notebook_opens_the_study_it_is_given_or_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("WORKBOOK_STUDY", "data/studies/smoke.yaml")
    monkeypatch.setenv("WORKBOOK_SET", "training.epochs=9")
    assert open_run("01").study.training.epochs == 9 and open_run("01").study.name == "smoke"
    given = open_run("01", "data/studies/demo.yaml", "training.epochs=4").study
    assert (given.name, given.training.epochs) == ("demo", 4)
    assert open_run("01", "data/studies/demo.yaml").study.training.epochs != 9
    monkeypatch.delenv("WORKBOOK_STUDY")
    assert open_run("01").study.name == "demo"
    with pytest.raises(StudyError, match="no such file"):
        open_run("01", "data/studies/none.yaml")


def test_sentences_are_shown_as_prose_and_paths_relative_to_the_root(monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    say("PSE **0.51**")
    assert shown[0]._repr_markdown_() == "PSE **0.51**"
    assert relative(ROOT / "data" / "x") == "data/x" and relative(tmp_path) == str(tmp_path)


def test_names_of_digits_stay_names(tmp_path):
    pd.DataFrame(
        {"observer": ["01", "1", ""], "seed": [0, 1, 2], "identity": ["007", "7", "8"]}
    ).to_csv(tmp_path / "a.csv", index=False)
    table = read_csv(tmp_path / "a.csv")
    assert table["observer"].tolist()[:2] == ["01", "1"] and pd.isna(table["observer"].iloc[2])
    assert table["identity"].tolist() == ["007", "7", "8"] and table["seed"].tolist() == [0, 1, 2]
