"""Pictures and people of the reference study, from clones of the authors' two repositories.

    python data/recipes/angry_happy.py FADtask CWT_fmri data/raw/angry_happy

See angry_happy.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lib.people.mat_files import mat_structs
from lib.storage.files import write_csv, write_with

TECHNICAL_ERROR = 888


def trials_of(path: Path) -> pd.DataFrame:
    """One person's trials, as people.csv has them but for participant and session."""
    held = mat_structs(path)
    results, sequence = held["Results"], held["vars"]["faceSequence"]
    answer = np.asarray(results["EmoResp"], float)
    answered = np.isin(answer, [0, 1])
    confidence = np.asarray(results["ConfResp"], float)
    female = np.asarray(sequence) == 1
    words = {0.0: "angry", 1.0: "happy", float(TECHNICAL_ERROR): str(TECHNICAL_ERROR)}
    # CueProbDesired is the probability of a happy face after cue 0; cue 1 announces the opposite
    after_0 = np.asarray(results["CueProbDesired"], float)
    cue = np.where(np.asarray(results["Cue"]) == 0, after_0, 1 - after_0)
    morph = np.asarray(results["MorphLevel"], int)
    letters = np.where(female, "F", "M")
    return pd.DataFrame(
        {
            "trial": np.arange(1, len(answer) + 1),
            "stimulus": [f"{who}_{step:03d}.png" for who, step in zip(letters, morph, strict=True)],
            "face_sex": np.where(female, "female", "male"),
            "morph": morph,
            "response": [words.get(one, "") for one in answer],
            "rt_s": np.where(answered, np.round(results["EmoRT"], 4), np.nan),
            "confidence": np.where(confidence == TECHNICAL_ERROR, np.nan, confidence).round(1),
            "cue_p_happy": cue.round(2),
        }
    )


def people_of(folder: Path) -> pd.DataFrame:
    """All files of a folder; who has several has a session for each, by their dates."""
    tables = []
    for path in sorted(folder.glob("CWT_v1-3_*.mat"), key=_person_and_date):
        person = _person_and_date(path)[0]
        session = 1 + sum(table["participant"].iloc[0] == f"s{person}" for table in tables)
        trials = trials_of(path)
        trials.insert(0, "participant", f"s{person}")
        trials.insert(1, "session", session)
        tables.append(trials)
    return pd.concat(tables, ignore_index=True)


def _person_and_date(path: Path) -> tuple[str, datetime]:
    """``CWT_v1-3_0019_27-Jul-2020_10-50.mat``: the person's number, and when the session began."""
    person, date, clock = path.stem.removeprefix("CWT_v1-3_").split("_")
    day, month, year = date.split("-")
    number = 1 + "JanFebMarAprMayJunJulAugSepOctNovDec".index(month) // 3  # in every language
    hour, minute = map(int, clock.split("-"))
    return person, datetime(int(year), number, int(day), hour, minute)


def pictures_of(folder: Path, place: Path) -> int:
    """The 402 morphs as PNG, pixel by pixel; returns how many were written."""
    tifs = [path for sex in "FM" for path in sorted(folder.glob(f"{sex}_???.tif"))]
    for path in tifs:
        with Image.open(path) as picture:
            grey = picture.convert("L")
        write_with(place / f"{path.stem}.png", lambda p, grey=grey: grey.save(p, format="PNG"))
    return len(tifs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the recipe; the exit code is 0 when pictures and people were found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("fadtask", type=Path, help="clone of embodied-computation-group/FADtask")
    parser.add_argument("cwt", type=Path, help="clone of embodied-computation-group/CWT_fmri")
    parser.add_argument("to", type=Path, nargs="?", default=Path("data/raw/angry_happy"))
    given = parser.parse_args(arguments)
    raw = given.cwt / "data/raw/vmp_1_raw"
    if not any(raw.glob("CWT_v1-3_*.mat")) or not any(given.fadtask.glob("stimuli/F_???.tif")):
        print(
            f"found no {raw}/CWT_v1-3_*.mat or no {given.fadtask}/stimuli/F_*.tif; needed: whole "
            "clones of both repositories",
            file=sys.stderr,
        )
        return 1
    people = people_of(raw)
    write_csv(given.to / "people.csv", people)
    n = pictures_of(given.fadtask / "stimuli", given.to / "faces")
    print(
        f"{n} pictures in {given.to / 'faces'}; {len(people):,} trials of "
        f"{people['participant'].nunique()} people in {given.to / 'people.csv'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
