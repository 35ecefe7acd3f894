"""What the ledger reads: the result tables of a run, of one pretraining, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.claims import claim_others
from lib.settings.words import label
from lib.statistics.intervals import mean_interval
from lib.storage.runs import Run

PUBLISHED = ("alexnet", "vgg11", "vgg13", "vgg16")
OURS = "fe_alexnet"
# the claims are about networks whose convolutions learned objects
OBJECT_BASED = ("imagenet", "objects")


@dataclass(frozen=True)
class Inputs:
    """Result tables, cut to the pretraining that is judged (``basis``).

    psychometrics : full face, networks of the basis and people. likeness, differences : tables
    ``human_likeness`` and ``likeness_differences``. accuracy_differences, accuracy, manipulation,
    weights : of these names; empty where the run has none. beside : likeness of the networks that
    the paper does not have, whatever their pretraining.
    """

    basis: str
    kind: str
    psychometrics: pd.DataFrame
    likeness: pd.DataFrame
    differences: pd.DataFrame
    accuracy: pd.DataFrame = field(default_factory=pd.DataFrame)
    accuracy_differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    manipulation: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    beside: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def simulated(self) -> bool:
        """Whether the people are simulated."""
        return self.kind == "simulated"

    @property
    def people(self) -> pd.DataFrame:
        """People's rows of table ``psychometrics``."""
        return self.psychometrics[self.psychometrics["kind"] != "cnn"]

    def networks(self, architecture: str) -> pd.DataFrame:
        """A network's rows of table ``psychometrics``, one a seed."""
        rows = self.psychometrics
        return rows[rows["kind"].eq("cnn") & rows["architecture"].eq(architecture)]

    def scores(self, architecture: str) -> pd.DataFrame:
        """A network's rows of ``human_likeness``, by metric."""
        rows = self.likeness[self.likeness["architecture"].eq(architecture)]
        return rows.set_index("metric")

    def under(
        self, psychometrics: pd.DataFrame, likeness: pd.DataFrame, differences: pd.DataFrame
    ) -> Inputs:
        """The same run under other choices: tables as a run writes them."""
        networks = of_basis(full_face(psychometrics), self.basis)
        networks = networks[networks["kind"].eq("cnn")]
        return replace(
            self,
            psychometrics=pd.concat([networks, self.people], ignore_index=True),
            likeness=of_basis(likeness, self.basis),
            differences=of_basis(differences, self.basis),
        )


NEEDED = ("accuracy", "psychometrics", "human_likeness", "likeness_differences")
WHERE_MADE = ("accuracy_differences", "manipulation", "weights")


def tables_of(run: Run) -> dict[str, pd.DataFrame]:
    """The tables of a run that the ledger reads; those that it can do without, where it has them.

    Raises
    ------
    MissingResult : a table that is needed is not there yet.
    """
    found = {name: run.read_table(name) for name in NEEDED}
    there = [n for n in WHERE_MADE if (run.folder / "tables" / f"{n}.csv").is_file()]
    return found | {name: run.read_table(name) for name in there}


def read_inputs(tables: Mapping[str, pd.DataFrame]) -> Inputs:
    """The ledger's inputs from a run's tables by name.

    Parameters
    ----------
    tables : accuracy, psychometrics, human_likeness, likeness_differences; accuracy_differences,
        manipulation and weights where the run has them.
    """
    basis = basis_of(tables["accuracy"])
    psychometrics = full_face(tables["psychometrics"])
    people = psychometrics[psychometrics["kind"] != "cnn"]
    of = {name: of_basis(table, basis) for name, table in tables.items()}
    networks = of_basis(psychometrics[psychometrics["kind"].eq("cnn")], basis)
    return Inputs(
        basis,
        str(people["kind"].iloc[0]) if len(people) else "",
        pd.concat([networks, people], ignore_index=True),
        of["human_likeness"],
        of["likeness_differences"],
        tables["accuracy"],
        of.get("accuracy_differences", pd.DataFrame()),
        of.get("manipulation", pd.DataFrame()),
        tables.get("weights", pd.DataFrame()),
        claim_others.others(tables["human_likeness"]),
    )


def full_face(psychometrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of whole faces."""
    return psychometrics[psychometrics["condition"].eq("full")]


def of_basis(table: pd.DataFrame, basis: str) -> pd.DataFrame:
    """The rows of one pretraining; a table without that column as it is."""
    if "pretraining" not in table:
        return table
    return table[table["pretraining"].eq(basis)]


def basis_of(accuracy: pd.DataFrame) -> str:
    """The pretraining to judge: FE-AlexNet's, else the four networks'; an object-based one where
    there are several; empty where none of them is there.
    """
    for who in ((OURS,), PUBLISHED):
        found = accuracy.loc[accuracy["architecture"].isin(who), "pretraining"].dropna().unique()
        if len(found):
            return next((p for p in OBJECT_BASED if p in found), str(sorted(found)[0]))
    return ""


def not_object_based(inputs: Inputs) -> str:
    """Why claims about object-based networks cannot be tested; empty where they can."""
    if inputs.basis in OBJECT_BASED:
        return ""
    if not inputs.basis:
        return "none of the networks of the paper is here."
    return f"the claim is about object-based networks, but these are {inputs.basis}."


def manipulated(inputs: Inputs, least: float) -> str:
    """Why FE-AlexNet's block cannot be credited with anything; empty where it acts."""
    rows = inputs.manipulation
    if rows.empty:
        return "notebook 03 left no manipulation check of FE-AlexNet's block."
    share = rows.loc[rows["architecture"].eq(OURS), "share_of_sd"].mean()
    if share >= least:
        return ""
    told = "not at all" if not np.isfinite(share) else f"by {share:.2%} of their SD"
    return f"the trained block moves the log-odds {told} (needed: {least:.0%}), so it is idle."


def weight_note(inputs: Inputs) -> str:
    """Which weights the networks start from, where these are not of one set."""
    rows = inputs.weights
    if rows.empty:
        return ""
    known = rows[rows["architecture"].isin([*PUBLISHED, OURS])].drop_duplicates("architecture")
    sets = {label(row.architecture): _set_of(row) for row in known.itertuples() if row.pretraining}
    if len(set(sets.values())) < 2:
        return ""
    each = ", ".join(f"{name}: {which}" for name, which in sets.items())
    return f" The convolutions are of more than one set ({each})."


def _set_of(row) -> str:
    """Pretraining and, of ImageNet's, the set that its file names."""
    if row.pretraining != "imagenet":
        return row.pretraining
    return "ImageNet, features" if "features_imagenet1k_features" in str(row.source) else "ImageNet"


def pretraining_note(inputs: Inputs, margin: float) -> str:
    """What an untrained control says about the worth of pretraining: nothing can be said where it
    is right as often.
    """
    rows = inputs.accuracy
    if rows.empty or inputs.basis not in OBJECT_BASED:
        return ""
    test = rows[rows["split"].eq("test") & rows["architecture"].eq("alexnet")]
    wide = test.pivot_table(index="seed", columns="pretraining", values="accuracy")
    if not {"untrained", inputs.basis} <= set(wide):
        return ""
    gain, low, high = mean_interval((wide[inputs.basis] - wide["untrained"]).dropna())
    if np.isfinite(low) and low > 0 and high >= margin:
        return f" Pretraining is worth {gain:+.3f} [{low:+.3f}, {high:+.3f}] of AlexNet's accuracy."
    return (
        f" Untrained convolutions do as well as AlexNet's ({gain:+.3f} of accuracy), so a "
        "comparison of pretrainings is not testable here."
    )
