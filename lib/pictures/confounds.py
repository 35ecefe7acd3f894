"""How well two classes of pictures are told apart without seeing a face.

A network takes whatever tells its classes apart. Before anything is trained, a linear read-out is
asked to do the same from what is no face: the files' kind, traces of JPEG, brightness, grey values,
spectrum, and patches without their places. Where it succeeds, so would a network.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.proportion import proportion_confint

from lib.pictures.cues import CUES, FILES, Cue, jpeg_blocks
from lib.pictures.reading import read_grey
from lib.settings.options import resolve
from lib.storage.files import threads

COLUMNS = [
    *("compared", "cue", "kind", "accuracy", "low", "high", "chance", "margin", "n"),
    *("warning", "cause"),
]
FOLDS = 5
LARGEST = 256  # pixels a side that are looked at, of the middle
FEW = 10  # pictures of a class with which nothing can be said


def image_confounds(
    images: pd.DataFrame, poles: tuple[str, str], n: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """How well the training images' classes are told apart without a face.

    Parameters
    ----------
    images : the table ``images``.
    poles : the two labels, negative first.
    n : images that are looked at, half of each class.

    Returns
    -------
    One row a cue: compared, cue, kind (files, compression, picture), accuracy of the read-out in
    pictures (or people, where known) that it was not fitted to, its 95 % interval (Wilson), chance,
    margin, n, warning (the interval's lower end is above chance by more than the margin) and the
    likeliest cause.
    """
    train = images[images["split"] == "train"]
    rng = np.random.default_rng([17, seed])
    chosen = [_some(train[train["label"] == pole], n // 2, rng) for pole in poles]
    rows = pd.concat(chosen, ignore_index=True)
    positive = rows["label"].eq(poles[1]).to_numpy()
    groups = rows["identity"].astype(str)
    groups = groups.to_numpy() if groups.ne("").all() and groups.nunique() >= FOLDS else None
    return _table("training images", rows["path"], positive, groups, len(rows), poles)


def morph_confounds(stimuli: pd.DataFrame, poles: tuple[str, str], n: int = 1000) -> pd.DataFrame:
    """The same for whole faces of the lower and the upper third of the morphs' levels.

    Levels of one identity are one picture for the interval: n is twice the number of identities.
    """
    whole = stimuli[stimuli["condition"] == "full"]
    ends = whole[(whole["level"] <= 1 / 3) | (whole["level"] >= 2 / 3)]
    ends = ends.iloc[:: -(-len(ends) // n)]
    groups = ends["identity"].astype(str).to_numpy()
    positive = ends["level"].gt(0.5).to_numpy()
    independent = 2 * len(np.unique(groups))
    return _table("ends of the morphs", ends["path"], positive, groups, independent, poles)


def _some(rows: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    return rows.iloc[np.sort(rng.permutation(len(rows))[:n])]


def _table(
    compared: str,
    paths: pd.Series,
    positive: np.ndarray,
    groups: np.ndarray | None,
    n: int,
    poles: tuple[str, str],
) -> pd.DataFrame:
    """One row for each cue."""
    with ThreadPoolExecutor(threads()) as pool:
        looks = list(pool.map(_look, map(resolve, paths)))
    facts = pd.DataFrame([look[0] for look in looks])
    found = [(FILES, _coded(facts), _facts_apart(facts, positive, poles))]
    for k, cue in enumerate(CUES):
        values = np.stack([look[1][k] for look in looks])
        found.append((cue, values, _which_more(cue, values, positive, poles)))
    rows = []
    for cue, values, detail in found:
        accuracy = read_out(values, positive, groups)
        low, high = _interval(accuracy, n)
        warning = bool(low > 0.5 + cue.margin)
        cause = f"{detail}{cue.cause}" if warning else ""
        row = (compared, cue.name, cue.kind, accuracy, low, high, 0.5, cue.margin, n)
        rows.append((*row, warning, cause))
    return pd.DataFrame(rows, columns=COLUMNS)


def _look(path: Path) -> tuple[dict, list[np.ndarray]]:
    """A picture's file facts, and its features for each cue."""
    grey, picture = read_grey(path, LARGEST)
    width, height = picture.size
    tables = getattr(picture, "quantization", None) or {}
    facts = {
        "format": picture.format,
        "mode": picture.mode,
        "size": f"{width} x {height}",
        "JPEG quality": str(sum(tables.get(0, ()))),
        "width": np.log(width),
        "height": np.log(height),
    }
    if min(grey.shape) < 16:  # two blocks
        grey = cv2.resize(grey, (16, 16))
    return facts, [cue.features(grey) for cue in CUES]


def _coded(facts: pd.DataFrame) -> np.ndarray:
    """Words as columns of 0 and 1, the ten commonest of each; numbers as they are."""
    words = facts.select_dtypes(exclude="number")
    common = words.apply(lambda c: c.where(c.isin(c.value_counts().index[:10]), "other"))
    numbers = facts.select_dtypes("number")
    return np.hstack([pd.get_dummies(common).to_numpy(float), numbers.to_numpy(float)])


def read_out(features: np.ndarray, positive: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Accuracy of a linear read-out in pictures that it was not fitted to.

    Ridge regression on standardised features, five folds; whole groups (people, morph identities)
    are left out together.

    Parameters
    ----------
    features : (n, k). positive : bool (n,). groups : (n,) or None.

    Returns
    -------
    Share right; 0.5 where the features are the same in all, NaN with fewer than ten pictures of a
    class or one group.
    """
    smallest = min(positive.sum(), (~positive).sum())
    if smallest < FEW or (groups is not None and len(set(groups)) < 2):
        return np.nan
    if np.ptp(features, axis=0).max() < 1e-9:
        return 0.5
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    if groups is not None:
        folds = StratifiedGroupKFold(min(FOLDS, len(set(groups))))
    model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=10.0))
    guessed = cross_val_predict(model, features, positive, cv=folds, groups=groups)
    return float((guessed == positive).mean())


def _interval(accuracy: float, n: int) -> tuple[float, float]:
    if np.isnan(accuracy):
        return np.nan, np.nan
    low, high = proportion_confint(accuracy * n, n, method="wilson")
    return float(low), float(high)


def _facts_apart(facts: pd.DataFrame, positive: np.ndarray, poles: tuple[str, str]) -> str:
    """The fact of the files that differs most between the classes, in words."""
    best = ("", "", 0.0, 0.0)
    for name in ("format", "mode", "size", "JPEG quality"):
        for value in facts[name].value_counts().index[:10]:
            has = facts[name].eq(value).to_numpy()
            shares = has[~positive].mean(), has[positive].mean()
            if abs(shares[1] - shares[0]) > abs(best[3] - best[2]):
                best = (name, value, *shares)
    if not best[0]:
        return ""
    name, value, first, second = best
    return f"{name} {value}: {first:.0%} of {poles[0]}, {second:.0%} of {poles[1]}; "


def _which_more(cue: Cue, values: np.ndarray, positive: np.ndarray, poles: tuple[str, str]) -> str:
    """Which class has more of the cue, where that has a word."""
    if not cue.more:
        return ""
    first = values[:, -14:].mean(1) if cue.features is jpeg_blocks else values[:, 0]
    higher = first[positive].mean() > first[~positive].mean()
    return f"{poles[int(higher)]} pictures have {cue.more}; "


def _nothing_sure(rows: pd.DataFrame, poles: tuple[str, str]) -> str:
    """No warning: because no cue does better than its margin, or because there are too few."""
    unsure = rows[rows["accuracy"] > 0.5 + rows["margin"]]
    if len(unsure):
        cues = ", ".join(f"{r.cue} {r.accuracy:.2f}" for r in unsure.itertuples())
        return (
            f"within these pictures {poles[0]} and {poles[1]} differ without a face as well "
            f"({cues}; chance 0.50); with {rows['n'].iloc[0] // 2} identities nobody can say "
            "whether that holds beyond them."
        )
    best = rows.loc[rows["accuracy"].idxmax()]
    return (
        f"no cue without a face tells {poles[0]} from {poles[1]} by more than its margin; the "
        f"best, {best['cue']}, is right on {best['accuracy']:.2f}."
    )


def confounds_in_words(table: pd.DataFrame, poles: tuple[str, str]) -> list[str]:
    """One sentence for each comparison: what tells the classes apart, and the likeliest cause."""
    sentences = []
    for compared, rows in table.groupby("compared", sort=False):
        warned = rows[rows["warning"]]
        if rows["accuracy"].isna().all():
            text = f"{compared}: too few to say what tells them apart without a face."
        elif warned.empty:
            text = f"{compared}: {_nothing_sure(rows, poles)}"
        else:
            cues = ", ".join(f"{r.cue} {r.accuracy:.2f}" for r in warned.itertuples())
            text = (
                f"**{compared}: {poles[0]} and {poles[1]} are told apart without a face** ({cues}; "
                f"chance 0.50). Likeliest cause: {warned['cause'].iloc[0]}."
            )
        sentences.append(text)
    return sentences
