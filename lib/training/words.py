"""What notebooks 02 and 03 say about weights, training and answers, as sentences from tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from lib.backbones.weight_files import FEATURES_SET, is_outside
from lib.networks.design import Cell
from lib.settings.options import Study
from lib.settings.words import Poles, label
from lib.statistics.intervals import interval_text

HISTORY_OF = {
    "imagenet": "ImageNet photographs of objects",
    "face": "the faces of your file",
    "objects": "generated objects",
    "faces": "generated faces",
    "own": "what their own file says",
}
SETS = {
    "IMAGENET1K_V1": "torchvision's `IMAGENET1K_V1`, trained by torchvision on pictures less "
    "ImageNet's mean, over its SD",
    FEATURES_SET: f"torchvision's `{FEATURES_SET}`, the VGG group's own convolutions, which want "
    "pictures of another range; the network makes them so by itself",
    "VGG-Face": "VGG-Face's, which want pictures less the mean face's colour, in 0 … 255; the "
    "network makes them so by itself",
}
NAME = ["architecture", "pretraining"]
FLAT = 0.1  # a rise of mean p_happy below this hardly tells the morphs apart


def sizes_in_words(table: pd.DataFrame) -> str:
    """Whether the numbers of parameters are the published ones; see ``network_table``."""
    known = table.dropna(subset="published")
    agree = (known["with_1000_outputs"] == known["published"]).all()
    text = (
        "With 1000 outputs instead of two, the numbers of parameters are "
        f"{'exactly' if agree else 'NOT'} those that torchvision records for the published "
        "networks."
    )
    outside = [label(name) for name in table["architecture"] if is_outside(name)]
    if outside:
        text += (
            f" {_listed(outside)}: from outside, frozen up to the layer that a new head reads; "
            "maps of their layers are not looked into, so they have no saliency and no attention."
        )
    return text


def bases_in_words(study: Study, cells: Iterable[Cell]) -> list[str]:
    """What the convolutions have learned before, and what was taken for want of weights."""
    wanted = study.networks.pretraining
    own: dict[str, str] = {}
    for cell in cells:
        if cell.labels == "true" and own.get(cell.backbone) != wanted:
            own[cell.backbone] = cell.pretraining
    by_base: dict[str, list[str]] = {}
    for backbone, pretraining in own.items():
        by_base.setdefault(pretraining, []).append(label(backbone))
    return [_base_in_words(base, names, wanted) for base, names in by_base.items()]


def _base_in_words(base: str, names: Sequence[str], wanted: str) -> str:
    """One sentence about the networks of one pretraining."""
    if base == wanted == "untrained":
        return f"The convolutions of {_listed(names)} are random filters, as the study asks."
    if base in (wanted, "own"):
        return f"The convolutions of {_listed(names)} are pretrained on {HISTORY_OF[base]}."
    what = (
        "untrained.** The convolutions are random filters"
        if base == "untrained"
        else f"pretrained on {HISTORY_OF[base]}.** That is what the project itself brings along"
    )
    return (
        f"**{_listed(names)}: {what}, because no weights pretrained on "
        f"{HISTORY_OF.get(wanted, wanted)} are at hand. `make weights` gets torchvision's once "
        "(1.9 GB, of which 140 MB are kept); the next run then uses them."
    )


def sets_in_words(weights: pd.DataFrame) -> list[str]:
    """Which sets of weights are in use, and whether one study mixes several.

    Parameters
    ----------
    weights : the table of that name.
    """
    lines = [
        f"{label(row.architecture)}: {SETS[row.weights_set]}."
        for row in weights.itertuples()
        if row.weights_set in SETS
    ]
    used = weights.loc[weights["weights_set"] != "untrained", "weights_set"].unique()
    if len(used) > 1:
        lines.append(
            f"**Networks of different histories ({_listed(used)}) stand side by side here**: what "
            "tells two of them apart may be their weights and not their architecture."
        )
    return lines


def best_epochs_in_words(history: pd.DataFrame) -> str:
    """When networks were at their best, and how many were so before the last epoch."""
    best = history.loc[history.groupby([*NAME, "seed"])["validation_loss"].idxmin()]
    last = history["epoch"].max()
    early = (best["epoch"] < last).mean()
    return (
        f"Of {len(best)} networks, {early:.0%} were at their best before the last of {last} "
        f"epochs; the mean best epoch is {best['epoch'].mean():.1f}."
    )


def accuracies_in_words(summary: pd.DataFrame) -> list[str]:
    """One line a network; ``summary`` is of ``accuracy_summary``."""
    return [
        f"- {label(row.architecture, row.pretraining)}: "
        f"{interval_text(row.mean, row.low, row.high)} over {row.n_seeds} seeds, "
        f"[{row.image_low:.3f}, {row.image_high:.3f}] over {row.n} images"
        for row in summary.itertuples()
    ]


def pretraining_in_words(accuracy: pd.DataFrame, wanted: str) -> str:
    """What AlexNet's pretraining is worth over random filters; empty without such a pair."""
    test = accuracy[accuracy["split"] == "test"]
    means = test.groupby(NAME)["accuracy"].mean()
    pair = [("alexnet", wanted), ("alexnet", "untrained")]
    if wanted == "untrained" or not all(key in means.index for key in pair):
        return ""
    return (
        f"AlexNet's pretraining is worth {means[pair[0]] - means[pair[1]]:+.3f} of accuracy over "
        "random filters of the same shape."
    )


def answers_at_ends(trials: pd.DataFrame) -> pd.DataFrame:
    """Mean p_happy of every network at the lowest, the middle and the highest level, whole faces.

    Returns
    -------
    one row per network (architecture, pretraining), one column per level
    """
    full = trials[trials["condition"] == "full"]
    means = full.groupby([*NAME, "level"], sort=False)["p_happy"].mean().unstack("level")
    means = means[sorted(means.columns)]
    ends = means.iloc[:, [0, means.shape[1] // 2, -1]]
    return ends.set_axis([f"level {x:g}" for x in ends.columns], axis=1)


def ends_in_words(ends: pd.DataFrame, poles: Poles = ("sad", "happy")) -> list[str]:
    """One line a network: whether its answers rise from one pole to the other."""
    lines = []
    for (architecture, pretraining), row in ends.iterrows():
        low = row.iloc[0]
        high = row.iloc[-1]
        flat = " (**nearly flat: it hardly tells the morphs apart**)"
        lines.append(
            f"- {label(architecture, pretraining)}: mean p({poles[1]}) from {low:.2f} at fully "
            f"{poles[0]} to {high:.2f} at fully {poles[1]}{flat if high - low <= FLAT else ''}"
        )
    return lines


def elsewhere_in_words(elsewhere: pd.DataFrame) -> list[str]:
    """What this notebook cannot say of networks that ran elsewhere: rows of ``read_answers``."""
    return [
        f"- {label(name)} ({seeds} seeds) ran elsewhere: its answers to the morphs come from a "
        "table, so it has no learning curve and no accuracy on the test images here."
        for name, seeds in elsewhere.groupby("architecture")["seed"].nunique().items()
    ]


def precision_in_words(check: Mapping, cell: Cell) -> str:
    """What computing in bf16 does to answers; ``check`` is of ``precision_check``."""
    if check["precision"] == "fp32":
        return "Everything was computed in fp32 here, so there is nothing to compare."
    return (
        f"{label(cell.architecture, cell.pretraining)} on {check['n']} pictures: p_happy in "
        f"{check['precision']} differs from fp32 by {check['largest']:.4f} at most and "
        f"{check['mean']:.4f} on average; {check['flipped']} answers change sides."
    )


def _listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
