"""All that notebook 05 finds, from a run's tables and networks to its own tables."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lib.mechanisms.claim import mechanism_claim
from lib.mechanisms.lesions import lesion_costs
from lib.mechanisms.looks import Looks, look_inside, looked_at, profile_trials
from lib.mechanisms.survey import COLUMNS, main_method
from lib.mechanisms.tables import (
    NETWORK,
    bubble_table,
    enrichment_table,
    known_cue_table,
    lesion_table,
)
from lib.mechanisms.truths import cue_by_part, truths
from lib.networks.design import Cell
from lib.parts.profile_tables import part_profiles, profile_differences
from lib.saliency.enrichment import over_seeds
from lib.saliency.known_cues import known_cues
from lib.storage.runs import Run
from lib.training.checkpoints import usable_cells


@dataclass
class Mechanisms:
    """What was found, by the names of the run's tables.

    ``kind`` says what the people are; ``method`` is the saliency method that is gone by; ``basis``
    the pretraining whose networks are judged.
    """

    run: Run
    cells: list[Cell]
    kind: str
    method: str
    basis: str
    looks: Looks
    stimuli: pd.DataFrame
    accuracy: pd.DataFrame
    truth: pd.DataFrame
    known_cues: pd.DataFrame
    enrichment: pd.DataFrame
    part_profiles: pd.DataFrame
    profile_differences: pd.DataFrame
    bubbles: pd.DataFrame
    leads: pd.DataFrame
    lesions: pd.DataFrame
    lesion_costs: pd.DataFrame
    truths: pd.DataFrame
    claim: pd.DataFrame

    @property
    def simulated(self) -> bool:
        """Whether the people are simulated."""
        return self.kind == "simulated"


def find_mechanisms(run: Run) -> Mechanisms:
    """Look into the run's networks, write notebook 05's tables, and give all that was found.

    Raises
    ------
    MissingResult : an earlier notebook has not been run.
    """
    study = run.study
    confidence = run.study.statistics.confidence
    images, stimuli, trials = (run.read_table(name) for name in ("images", "stimuli", "trials"))
    all_cells = usable_cells(run)
    labelled = images[images["split"] == "test"]
    kind = trials.loc[trials["kind"] != "cnn", "kind"].iloc[0]
    truth = known_cues()
    looks = look_inside(run, all_cells, stimuli, labelled, trials)
    method = main_method(study.saliency.methods)
    own = looked_at(all_cells)
    basis = own.pretraining if own is not None else ""
    shown = profile_trials(stimuli, trials, looks["controls"])
    profiles = part_profiles(shown, confidence)
    differences = profile_differences(shown, confidence)
    known = known_cue_table(truth, confidence)
    saliency = looks["saliency"]
    enriched = pd.DataFrame()
    if len(saliency):
        enriched = enrichment_table(saliency, looks["patches"], method, confidence)
    bubbles = bubble_table(looks["bubbles"], confidence)
    simulated = kind == "simulated"
    margin = study.claims.profile_margin
    cues = cue_by_part(study, stimuli)
    found = Mechanisms(
        run=run,
        cells=all_cells,
        kind=kind,
        method=method,
        basis=basis,
        looks=looks,
        stimuli=stimuli,
        accuracy=run.read_table("accuracy"),
        truth=truth,
        known_cues=known,
        enrichment=enriched,
        part_profiles=profiles,
        profile_differences=differences,
        bubbles=bubbles,
        leads=_over(looks["leads"], "lead", confidence),
        lesions=_lesions(looks["lesions"], confidence),
        lesion_costs=_costs(looks["lesions"], confidence),
        truths=truths(study, cues, profiles, enriched, bubbles, known, simulated),
        claim=mechanism_claim(profiles, differences, bubbles, basis, margin, simulated),
    )
    write_tables(found)
    return found


def _over(rows: pd.DataFrame, value: str, confidence: float) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=[*NETWORK, "mean", "low", "high"])
    return over_seeds(rows, NETWORK, value, confidence=confidence)


def _lesions(effects: pd.DataFrame, confidence: float) -> pd.DataFrame:
    return lesion_table(effects, confidence) if len(effects) else effects


def _costs(effects: pd.DataFrame, confidence: float) -> pd.DataFrame:
    return lesion_costs(effects, confidence=confidence) if len(effects) else effects


def write_tables(found: Mechanisms) -> None:
    """Write what others read, under the tables' names."""
    run = found.run
    looks = found.looks
    people = "simulated" if found.simulated else "real"
    seen = looks["saliency"]
    run.write_table("saliency", seen if len(seen) else pd.DataFrame(columns=COLUMNS))
    run.write_table("claims", found.claim)
    run.write_table("truths", found.truths)
    for name in ("known_cues", "enrichment", "bubbles", "leads", "lesions", "readout"):
        table = looks[name] if name == "readout" else getattr(found, name)
        if len(table.columns):  # no network of AlexNet's kind: no bubbles, lesions or leads
            run.write_table(name, table)
    for name in ("part_profiles", "profile_differences"):
        run.write_table(name, getattr(found, name).assign(people=people))
