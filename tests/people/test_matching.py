"""People's answers find the pictures they were given to, by name; what does not fit is refused."""

import pandas as pd
import pytest

from lib.people.matching import on_pictures
from lib.people.reading import read_people
from lib.people.trials import TrialError
from lib.settings.loading import load_study

STIMULI = pd.DataFrame(
    [
        (f"{who}_full_{step / 200:.4f}", f"faces/{who}_{step:03d}.png", who, step / 200, "full")
        for who in ("F", "Mü")
        for step in (0, 1, 124, 200)
    ],
    columns=["stimulus", "path", "identity", "level", "condition"],
)


def study(**settings):
    given = {
        "poles": ["angry", "happy"],
        "morphs.source": "folder",
        "morphs.root": "faces",
        "morphs.regions": "boxes",
        "observers.columns": {"stimulus": "stimulus", "level": "morph"},
        "observers.level_range": [0, 200],
    }
    return load_study("data/studies/smoke.yaml", given | settings)


def trials(*names, level=0.62):
    table = pd.DataFrame({"stimulus": names, "level": level, "identity": "", "condition": "full"})
    return table.set_axis(
        [f"people.csv, row {7 + k}" for k in range(len(names))]
    )  # rows 7 and on of the file


@pytest.mark.parametrize(
    "name",
    [
        "F_124.png",
        "F_124",
        "F_124.tif",
        "f_124.PNG",
        "faces/F_124.png",
        "C:\\study\\faces\\F_124.TIFF",
        "stimuli/F_124.png",
        "F_full_0.6200",
        " F_124.png ",
    ],
)
def test_a_name_in_any_form_is_the_pictures_id(name):
    found = on_pictures(trials(name), STIMULI, study()).iloc[0]
    assert found["stimulus"] == "F_full_0.6200" and found["identity"] == "F"


def test_decomposed_umlauts_are_the_same_name():
    found = on_pictures(trials("Mu\u0308_124.png"), STIMULI, study())
    assert found["stimulus"].item() == "Mü_full_0.6200"


def test_a_level_rounded_to_a_whole_per_cent_becomes_the_pictures():
    found = on_pictures(trials("F_001.png", level=0.01), STIMULI, study())
    assert found["level"].item() == 0.005


def test_a_level_that_is_not_its_pictures_is_refused_with_the_row():
    table = trials("F_124.png", "F_200.png", "Mü_200.png")
    with pytest.raises(TrialError, match=r"row 8, stimulus 'F_200.png': level 0.62 .* and 1 by"):
        on_pictures(table, STIMULI, study())


def test_a_name_without_a_picture_is_refused_with_the_row():
    with pytest.raises(
        TrialError, match=r"row 8, stimulus 'G_124.png': no such picture .*\(1 such"
    ):
        on_pictures(trials("F_124.png", "G_124.png"), STIMULI, study())
    with pytest.raises(TrialError, match=r"row 7, stimulus 'x.png': no such picture among the 8"):
        on_pictures(trials("x.png"), STIMULI, study())


def test_a_name_of_two_pictures_is_refused_unless_its_path_tells_them_apart():
    twice = pd.concat([STIMULI, STIMULI.assign(stimulus="b_" + STIMULI["stimulus"])])
    twice["path"] = [f"{'ab'[k >= 8]}/{path}" for k, path in enumerate(twice["path"])]
    with pytest.raises(TrialError, match=r"it can be F_full_0.6200 or b_F_full_0.6200"):
        on_pictures(trials("F_124.png"), twice, study())
    found = on_pictures(trials("b/faces/F_124.png"), twice, study())
    assert found["stimulus"].item() == "b_F_full_0.6200"


def test_other_pictures_stay_as_they_are_where_the_workbook_makes_the_morphs():
    """The study has no folder of morphs, so the people's pictures are their own."""
    table = trials("x.png")
    other = study(**{"morphs.source": "matched_pairs"})
    assert on_pictures(table, STIMULI, other).equals(table)
    assert on_pictures(table, None, study()).equals(table)


def test_read_people_matches_before_it_excludes(tmp_path):
    rows = ["participant,stimulus,morph,answer"]
    for who in ("p1", "p2"):
        rows += [f"{who},F_000,0,angry", f"{who},F_124,124,happy", f"{who},F_200.png,200,happy"]
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    columns = {
        "observer": "participant",
        "stimulus": "stimulus",
        "level": "morph",
        "response": "answer",
    }
    settings = {"observers.file": str(tmp_path / "people.csv"), "observers.columns": columns}
    people, _ = read_people(study(**settings), STIMULI)
    assert people["stimulus"].tolist() == ["F_full_0.0000", "F_full_0.6200", "F_full_1.0000"] * 2
    assert set(people["identity"]) == {"F"}
