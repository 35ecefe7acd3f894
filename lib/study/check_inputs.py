"""The pictures and people of a study, looked at before a run."""

from __future__ import annotations

import pandas as pd

from lib.morphs.hiding import box_regions, no_room
from lib.morphs.stimuli import planned
from lib.people.reading import read_people
from lib.people.trials import TrialError
from lib.people.words import notes_in_words
from lib.pictures.labelled import survey
from lib.pictures.reading import ImageError
from lib.settings.options import Study
from lib.settings.words import POLES, SIDES
from lib.study.report import Report

FEW_TEST = 100  # with fewer, accuracy is known to ±0.1 at best
CONFOUND_SAMPLE = 400  # images looked at for cues without a face; notebook 01 takes 1,000
MANY_LEVELS = 21  # more are counted, not listed
SPLITS = ("train", "validation", "test")


def images(study: Study, report: Report) -> pd.DataFrame | None:
    """Images that will be used: a row for each split, a column for each pole."""
    found = survey(study)
    if found.problems:
        report.problems += found.problems
        return None
    report.warnings += [*found.notes, *_confounds(study, found.images)]
    there = found.counts.pivot_table(index="split", columns="label", values="n", aggfunc="sum")
    counts = there.loc[list(SPLITS)].astype(int)
    if study.images.source != "builtin":
        for split in SPLITS:
            counts.loc[split] = _limited(study, split, counts.loc[split], report)
    n = int(counts.loc["test"].sum())
    if n < FEW_TEST:
        report.warnings.append(
            f"{n} test images: a network's accuracy is known to about ±{0.98 / n**0.5:.2f} only "
            "(95 % interval near 0.5)"
        )
    where = "built-in faces"
    if study.images.source == "builtin" and study.poles not in (POLES, SIDES):
        report.warnings.append(
            f"the built-in faces go from {POLES[0]} to {POLES[1]}: poles {list(study.poles)} give "
            "them other names, not another expression"
        )
    if study.images.source != "builtin":
        where = f"{study.images.source} {study.images.root}"
    for split, row in counts.iterrows():
        each = ", ".join(f"{row[pole]:,} {pole}" for pole in reversed(study.poles))
        report.add("images", f"{split}: {each} ({where})")
    return counts


def _confounds(study: Study, chosen: pd.DataFrame) -> list[str]:
    """What tells the classes apart without a face, where something does."""
    if chosen.empty:
        return []
    from lib.pictures.confounds import confounds_in_words, image_confounds  # takes two seconds

    table = image_confounds(chosen, study.poles, n=CONFOUND_SAMPLE)
    sentences = confounds_in_words(table, study.poles) if table["warning"].any() else []
    return [sentence.replace("**", "") for sentence in sentences]


def _limited(study: Study, split: str, there: pd.Series, report: Report) -> pd.Series:
    """How many images of each class a split will have under ``images.n_<split>``."""
    limit = getattr(study.images, f"n_{split}")
    if limit is None:
        return there
    each = min(limit // 2, int(there.min()))
    if each < limit // 2:
        report.warnings.append(
            f"images.n_{split}={limit} asked for; {2 * each} can be used "
            f"({there.idxmin()} images are {each})"
        )
    return pd.Series(each, index=there.index)


def morphs(study: Study, counts: pd.DataFrame | None, report: Report) -> int | None:
    """How many test pictures there will be."""
    settings = study.morphs
    _boxes(study, report)
    if settings.source in ("folder", "landmarks"):
        return _own_morphs(study, report)
    if counts is not None and settings.source != "builtin":
        most = int(counts.loc["test"].min())
        if most < settings.count:
            report.problems.append(
                f"morphs.identities: {settings.count} given; the test split has {most} images of a "
                "class, and each morph needs one of its own. Lower morphs.identities or raise "
                "images.n_test"
            )
            return None
    n = settings.count * settings.levels * len(settings.conditions)
    report.add(
        "morphs",
        f"{settings.count} identities × {settings.levels} levels × {len(settings.conditions)} "
        f"conditions ({', '.join(settings.conditions)}) = {n:,} pictures ({settings.source})",
    )
    return n


def _boxes(study: Study, report: Report) -> None:
    """Whether beside the boxes of the parts there is room for a control patch of each."""
    if study.morphs.regions != "boxes":
        return
    regions = box_regions(study.morphs.boxes)
    problems = {part: no_room(mask, regions) for part, mask in regions.items()}
    report.problems += [f"morphs.boxes: {part}: {said}" for part, said in problems.items() if said]


def _own_morphs(study: Study, report: Report) -> int | None:
    """How many test pictures a folder gives; its files are opened as a run would."""
    try:
        rows, notes = planned(study)
    except ImageError as error:
        report.problems.append(str(error))
        return None
    report.warnings += notes
    given = int(rows["path"].notna().sum())
    report.add(
        "morphs",
        f"{rows['identity'].nunique()} identities × {rows['level'].nunique()} levels "
        f"({', '.join(rows['condition'].unique())}) = {len(rows):,} pictures "
        f"({study.morphs.source}), {given:,} of them files in {study.morphs.root}",
    )
    return len(rows)


def people(study: Study, report: Report) -> None:
    """Who answers: simulated people, or those of a file with what is left out of it."""
    if study.observers.file is None:
        n = study.observers.simulated.n
        report.add("people", f"{n} SIMULATED people: no observers.file is given")
        return
    try:
        trials, steps = read_people(study, _seen(study))
    except TrialError as error:
        report.problems.append(str(error))
        return
    first = steps.iloc[0]
    last = steps.iloc[-1]
    report.add(
        "people",
        f"{first['observers']} in {study.observers.file}: {last['observers']} kept, "
        f"{first['observers'] - last['observers']} excluded; {last['trials']:,} trials, "
        f"{last['missed']:,} of them missed",
    )
    report.warnings += [f"people: {note}" for note in notes_in_words(steps, examples=True)]
    for step in steps.iloc[1:][steps.iloc[1:]["trials_removed"] > 0].itertuples():
        if not step.observers_removed:
            limit = f" ({step.limit})" if step.limit else ""
            report.add("people", f"left out: {step.trials_removed:,} {step.rule}{limit}")
    for step in steps[steps["observers_removed"] > 0].itertuples():
        report.add("people", f"excluded by {step.rule} ({step.limit}): {step.who}")
    conditions = ", ".join(dict.fromkeys(trials["condition"]))
    report.add("people", f"{_levels(trials)}; conditions {conditions}")


def _levels(trials: pd.DataFrame) -> str:
    levels = sorted(trials["level"].unique())
    if len(levels) > MANY_LEVELS:
        return f"{len(levels)} levels from {levels[0]:g} to {levels[-1]:g}"
    return f"levels {', '.join(f'{level:g}' for level in levels)}"


def _seen(study: Study) -> pd.DataFrame | None:
    """The user's own pictures, which people may have seen; None where they cannot be read."""
    if study.morphs.source != "folder" or study.morphs.root is None:
        return None
    try:
        return planned(study)[0].dropna(subset="path")
    except ImageError:  # said with the morphs
        return None
