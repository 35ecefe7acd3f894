"""The real notebooks, run headless on the smoke study: everything they declare is there, and
again the same.
"""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import numpy as np
import openpyxl
import pytest
from PIL import Image
from scipy.special import expit
from smoke_run import SMOKE
from test_windows import names_that_clash

from lib.people.trials import validate_trials
from lib.settings.options import ROOT
from lib.storage.alt_text import read_alt_text
from lib.storage.runs import TABLES

# what a table holds at least (design, section 9); more columns may follow
COLUMNS = {
    "images": "path label split identity",
    "stimuli": "stimulus path identity level condition",
    "trials": "observer kind architecture pretraining seed stimulus identity "
    "level condition repeat response p_happy log_odds "
    "rt_s",
    "accuracy": "architecture pretraining attention seed split n accuracy auc",
    "manipulation": "architecture pretraining seed moved spread share_of_sd",
    "weights": "architecture pretraining source sha256 loaded_keys",
    "history": "architecture pretraining seed epoch train_loss validation_loss validation_accuracy",
    "psychometrics": "observer kind architecture seed condition pse pse_low pse_high "
    "slope jnd guess lapse deviance "
    "converged reason",
    "human_likeness": "architecture metric value low high chance ceiling_low ceiling_high "
    "n_observers n_seeds",
    "saliency": "architecture seed condition level part share enrichment p",
    "claims": "id claim evidence value low high verdict simulated",
}
VERDICTS = {"supported", "partly", "refuted", "inconclusive", "not testable here"}


def test_every_file_of_a_run_can_lie_on_windows(smoke):
    written = [path.relative_to(smoke.folder) for path in smoke.folder.rglob("*")]
    assert len(written) > 20 and names_that_clash(written) == []


def test_all_five_notebooks_ran_in_order_to_their_last_cell_without_errors(smoke):
    paths = sorted((smoke.folder / "notebooks").glob("*.ipynb"))
    assert [path.name[:2] for path in paths] == list(TABLES)
    for path in paths:
        cells = [
            c
            for c in nbformat.read(path, as_version=4).cells
            if c.cell_type == "code" and c.source.strip()
        ]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), path.name
        outputs = [output for cell in cells for output in cell.outputs]
        assert not [o for o in outputs if o.output_type == "error"]
        assert any("image/png" in o.get("data", {}) for o in outputs), (
            f"{path.name} shows no figure"
        )


@pytest.mark.parametrize("name", COLUMNS)
def test_each_table_has_the_columns_of_the_design_and_only_numbers_that_are_finite(smoke, name):
    table = smoke.table(name)
    assert set(COLUMNS[name].split()) <= set(table.columns) and len(table) > 0
    assert not np.isinf(table.select_dtypes("number").to_numpy(float)).any()


@pytest.mark.parametrize(
    "name",
    [
        "people_summary",
        "put_in_found",
        "comparison",
        "human_likeness",
        "multiverse",
        "selection",
        "attention_grid",
        "attention_cells",
        "attention_arms",
    ],
)
def test_tables_that_rest_on_simulated_people_say_so(smoke, name):
    assert set(smoke.table(name)["people"]) == {"simulated"}


def test_the_tables_have_the_rows_that_the_study_asks_for(smoke):
    study = smoke.study
    images, stimuli, trials = (smoke.table(name) for name in ("images", "stimuli", "trials"))
    assert images["split"].value_counts().to_dict() == {
        "train": study.images.n_train,
        "validation": study.images.n_validation,
        "test": study.images.n_test,
    }
    n = study.morphs.identities * study.morphs.levels * len(study.morphs.conditions)
    assert len(stimuli) == stimuli["stimulus"].nunique() == n
    cnn, people = trials[trials["kind"] == "cnn"], trials[trials["kind"] == "simulated"]
    assert len(cnn) + len(people) == len(trials)
    assert (cnn.groupby("observer").size() == n).all() and cnn[
        "observer"
    ].nunique() == smoke.networks()
    assert people["observer"].nunique() == study.observers.simulated.n
    assert len(smoke.table("history")) == smoke.networks() * study.training.epochs
    assert smoke.table("accuracy").groupby("split").size().to_dict() == dict.fromkeys(
        ("test", "validation"), smoke.networks()
    )
    fits = smoke.table("psychometrics")
    per_condition = (
        fits[fits["observer"].isin(trials["observer"])].groupby("condition")["observer"].nunique()
    )
    assert (per_condition == smoke.networks() + study.observers.simulated.n).all()
    assert set(per_condition.index) == set(study.morphs.conditions)
    saliency = smoke.table("saliency")
    assert set(saliency["architecture"]) == set(study.networks.architectures)
    assert set(saliency["seed"]) == set(range(study.training.seeds))


def test_every_trial_is_a_valid_row_and_networks_saw_what_people_saw(smoke):
    trials, stimuli = smoke.table("trials"), smoke.table("stimuli")
    validate_trials(trials)
    assert set(trials["stimulus"]) <= set(stimuli["stimulus"])
    cnn = trials[trials["kind"] == "cnn"]
    assert cnn["p_happy"].between(0, 1).all() and cnn["response"].isin([0, 1]).all()
    assert expit(cnn["log_odds"]).to_numpy() == pytest.approx(cnn["p_happy"], abs=1e-12)
    assert trials.loc[trials["kind"] != "cnn", "log_odds"].isna().all()
    assert set(smoke.table("images")["label"]) == {"happy", "sad"}


def test_the_ledger_judges_all_four_claims_and_marks_simulated_people(smoke):
    claims = smoke.table("claims")
    assert set(claims["id"]) == {"C1", "C2", "C3", "C4"} and set(claims["verdict"]) <= VERDICTS
    assert claims.loc[claims["id"] == "C3", "simulated"].all()
    assert (claims["low"] <= claims["high"])[claims["low"].notna()].all()


def test_a_run_finds_the_pse_and_the_slope_that_simulated_people_were_given(smoke):
    """From the study file through all notebooks to the table: the truths of this world."""
    found = smoke.table("put_in_found").set_index("quantity")
    person = smoke.study.observers.simulated
    assert found.loc["mean PSE", "put_in"] == person.pse_mean
    assert found.loc[["mean PSE", "slope (geometric mean)"], "hit"].all()
    people = smoke.table("psychometrics").query("kind == 'simulated' and condition == 'full'")
    assert found.loc["mean PSE", "found"] == pytest.approx(people["pse"].mean())
    assert found.loc["mean PSE", "high"] - found.loc["mean PSE", "low"] < 0.3


@pytest.mark.parametrize("cue", ["eyes", "mouth"])
def test_a_run_names_the_only_cue_that_a_network_could_learn(smoke, cue):
    known = smoke.table("known_cues").query("cue == @cue and method == 'hirescam'")
    trained, randomised = (known[known["weights"].eq(w)] for w in ("trained", "randomised"))
    assert set(trained["verdict"]) == {"finds it"}
    assert trained["low"].item() > randomised["high"].item()


def test_every_notebook_left_figures_that_show_something_and_say_what(smoke):
    paths = sorted((smoke.folder / "figures").glob("*.png"))
    assert {path.name[:2] for path in paths} == set(TABLES)
    for path in paths:
        with Image.open(path) as image:
            assert np.asarray(image.convert("L"), float).std() > 1, f"{path.name} is blank"
        assert len(read_alt_text(path)) > 10, path.name


def test_the_manifest_accounts_for_the_run(smoke):
    manifest = json.loads((smoke.folder / "manifest.json").read_text())
    assert manifest["status"] == "complete" and list(manifest["notebooks"]) == [
        path.stem for path in sorted((ROOT / "notebooks").glob("[0-9][1-9]_*.ipynb"))
    ]
    assert manifest["data"]["images"] == len(smoke.table("images"))
    assert {row["sha256"] for row in manifest["weights"]} == set(smoke.table("weights")["sha256"])
    assert {name: table["rows"] for name, table in manifest["tables"].items()}["trials"] == len(
        smoke.table("trials")
    )
    assert 100 < manifest["peak_memory_mb"] < 4096


def test_the_terminal_tells_what_was_done_and_that_the_networks_are_untrained(smoke):
    assert (
        smoke.out.index("[1/5] 01_") < smoke.out.index("[5/5] 05_") < smoke.out.index("report.html")
    )
    untrained = (smoke.table("weights")["pretraining"] == "untrained").any()
    assert smoke.out.count("UNTRAINED, for want of imagenet weights") == int(untrained)
    assert "Traceback" not in smoke.out


class Report(HTMLParser):
    """Tags of the report."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_report_is_one_file_with_all_figures_described_and_all_tables_attached(smoke):
    path = smoke.folder / "report.html"
    tags = Report(path.read_text()).tags
    assert path.stat().st_size < 10_000_000
    assert not [tag for tag, _ in tags if tag in ("script", "link", "iframe", "object")]
    images = [attributes for tag, attributes in tags if tag == "img"]
    assert len(images) >= len(list((smoke.folder / "figures").glob("*.png")))
    assert all(a["src"].startswith("data:image/") and a["alt"].strip() for a in images)
    saved = {a["download"].split(".")[0] for tag, a in tags if tag == "a" and "download" in a}
    assert saved == {p.stem for p in (smoke.folder / "tables").glob("*.csv")} >= set(COLUMNS)
    ids = {attributes.get("id") for _, attributes in tags}
    assert {"verdicts", *(f"notebook-{number}" for number in TABLES)} <= ids
    book = openpyxl.load_workbook(smoke.folder / "tables.xlsx", read_only=True)
    assert set(book.sheetnames) == saved


@pytest.mark.slow
def test_resume_keeps_everything_of_a_complete_run(smoke):
    before = smoke.contents("tables/*.csv")
    command = [
        sys.executable,
        "-m",
        "lib.workbook",
        "run",
        "--study",
        SMOKE,
        "--set",
        f"output={smoke.folder.parent}",
        "--resume",
    ]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.count("done before, kept") == 5 and smoke.contents("tables/*.csv") == before


def test_every_column_of_every_table_is_in_the_data_dictionary(smoke):
    text = (ROOT / "data/README.md").read_text(encoding="utf-8")
    parts = re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    told = {name: body for head, body in parts for name in re.findall(r"`(\w+)`", head)}
    for path in sorted((smoke.folder / "tables").glob("*.csv")):
        assert path.stem in told, f"{path.stem}: no such table in data/README.md"
        named = re.findall(r"`(\w+)`", told[path.stem])
        # "as in `human_likeness`": what that table's part says counts here too
        words = "".join([told[path.stem], *(told.get(name, "") for name in named)])
        ends = "`_low`" in words  # "`pse`, each with `_low`, `_high`"
        columns = smoke.table(path.stem).columns
        short = [re.sub("_(low|high)$", "", c) if ends else c for c in columns]
        both = zip(columns, short, strict=True)
        missing = [c for c, s in both if f"`{c}`" not in words and f"`{s}`" not in words]
        assert not missing, f"{path.stem}: {', '.join(missing)} not in data/README.md"
