"""Notebook 05's figures as it shows them: panels, titles and legends around the drawings of
``lib.figures.mechanisms``, ``checks`` and ``inside``.

No figure is wider than it is shown, so that no text is smaller than 9 points there.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.figures.checks import plot_cascade, plot_deletion, plot_ground_truth
from lib.figures.inside import plot_classification_image, plot_layers, plot_lesions
from lib.figures.mechanisms import (
    METHOD_LABELS,
    SMALL,
    colour_bar,
    over_seeds_title,
    plot_differences,
    plot_enrichment,
    plot_map_grid,
    plot_part_profiles,
)
from lib.mechanisms.results import Mechanisms
from lib.parts.profile_tables import pooled
from lib.saliency.maps import enlarge
from lib.settings.words import label, title_note

WIDE = 9.4  # inches: the width of a notebook's column
AT_MOST = 6  # classification images in a row


def _panels(n: int, height: float = 3.6, **options) -> tuple[Figure, np.ndarray]:
    """A row of n axes."""
    figure, axes = plt.subplots(
        1, n, figsize=(WIDE, height), squeeze=False, layout="constrained", **options
    )
    return figure, axes[0]


def _legend(figure: Figure, ax: Axes, columns: int = 4) -> None:
    """One legend below all panels."""
    handles, names = ax.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=columns, fontsize=SMALL)


def _confidence(found: Mechanisms) -> float:
    return found.run.study.statistics.confidence


def known_cues_page(found: Mechanisms) -> Figure:
    """Is a known cue found?"""
    figure, axes = _panels(1)
    plot_ground_truth(found.known_cues, confidence=_confidence(found), ax=axes[0])
    return figure


def maps_page(found: Mechanisms) -> Figure:
    """One face along the morph, with the maps of each architecture's first seed."""
    face = found.looks.face
    method = found.method
    rows = {
        label(cell.architecture, cell.pretraining): enlarge(found.looks.maps[cell.observer, name])
        for cell in found.cells
        for name in (method,)
        if cell.seed == 0 and (cell.observer, name) in found.looks.maps
    }
    if found.looks.chosen is not None:
        own = found.looks.chosen
        others = [n for (who, n) in found.looks.maps if who == own.observer and n != method]
        for name in others:
            text = f"{label(own.architecture, own.pretraining)},\n{METHOD_LABELS[name]}"
            rows[text] = enlarge(found.looks.maps[own.observer, name])
    titles = [f"level {level:g}" for level in face["levels"]]
    rows = {name: values for name, values in rows.items() if len(values) == len(titles)}
    poles = found.run.study.poles
    return plot_map_grid(face["images"], rows, titles, face["regions"], poles)


def cascade_page(found: Mechanisms) -> Figure:
    """Do maps go when the weights go?"""
    figure, axes = _panels(1, 3.4)
    plot_cascade(found.looks["cascade"], axes[0]).legend(fontsize=SMALL)
    own = found.looks.chosen
    axes[0].set_title(
        f"{label(own.architecture, own.pretraining)}, seed {own.seed}, mean over 2 faces"
    )
    return figure


def deletion_page(found: Mechanisms) -> Figure:
    """Log-odds as cells are taken away and given back, by the method that is gone by."""
    curves = found.looks["deletion"]
    curves = curves[curves["method"] == found.method]
    figure, axes = _panels(2, 3.6, sharey=True)
    for ax, (insert, what) in zip(axes, ((False, "removed"), (True, "shown")), strict=True):
        rows = curves[curves["insert"] == insert]
        plot_deletion(rows, what, ax, found.run.study.poles).set_title(f"cells {what}")
        ax.label_outer(remove_inner_ticks=False)
    _legend(figure, axes[0], 3)
    own = found.looks.chosen
    figure.suptitle(
        f"{label(own.architecture, own.pretraining)}, seed {own.seed}, "
        f"{METHOD_LABELS[found.method]}: mean and standard error over faces",
        fontsize="medium",
    )
    return figure


def enrichment_page(found: Mechanisms) -> Figure:
    """Where the maps lie on whole faces."""
    figure, axes = _panels(1, 4.2)
    plot_enrichment(found.enrichment, confidence=_confidence(found), ax=axes[0])
    _legend(figure, axes[0])
    return figure


def _title(found: Mechanisms, profiles: pd.DataFrame) -> str:
    rows = pooled(profiles)
    percent = f"{100 * _confidence(found):g} % intervals {rows['reason'].iloc[0]}"
    none = "too few training runs and faces for intervals of networks"
    return (percent if rows["low"].notna().any() else none) + title_note(found.kind)


def profiles_page(found: Mechanisms) -> Figure:
    """Part profiles: loss of d' and its share, people in black."""
    profiles = found.part_profiles
    networks = pooled(profiles)
    people = pooled(profiles, "people")
    figure, axes = _panels(2, 4.2)
    loss = ("loss", "low", "high")
    share = ("share", "share_low", "share_high")
    plot_part_profiles(networks, people, loss, "d′ lost", axes[0])
    plot_part_profiles(networks, people, share, "share of d′ lost", axes[1])
    _legend(figure, axes[0])
    figure.suptitle(_title(found, profiles), fontsize="medium")
    return figure


def differences_page(found: Mechanisms) -> Figure:
    """What sets the profiles apart: a panel for each whom networks are compared with."""
    rows = found.profile_differences
    groups = list(rows.groupby("against", sort=False))
    figure, axes = _panels(len(groups), 4)
    for ax, (name, mine) in zip(axes, groups, strict=True):
        against = "people" if name == "people" else label(name)
        plot_differences(mine, found.run.study.claims.profile_margin, against, ax)
        ax.set_title(mine["compared"].iloc[0], fontsize="medium")
    _legend(figure, axes[0])
    note = title_note(found.kind) if "people" in dict(groups) else ""
    figure.suptitle(f"{100 * _confidence(found):g} % intervals{note}", fontsize="medium")
    return figure


def shifts_page(found: Mechanisms) -> Figure:
    """Where hiding a part moves the answers to: at the middle, and at the fully negative end."""
    profiles = found.part_profiles
    negative = found.run.study.negative
    networks = pooled(profiles)
    people = pooled(profiles, "people")
    figure, axes = _panels(2, 4.2)
    middle = ("criterion_shift", "criterion_low", "criterion_high")
    end = ("end_shift", "end_low", "end_high")
    plot_part_profiles(
        networks, people, middle, "shift at the middle levels\n(in units of d′)", axes[0]
    )
    text = f"shift on fully {negative} faces\n(log-odds; people: probits)"
    plot_part_profiles(networks, people, end, text, axes[1])
    _legend(figure, axes[0])
    figure.suptitle(_title(found, profiles), fontsize="medium")
    return figure


def bubbles_page(found: Mechanisms) -> Figure:
    """Classification images of the first seeds."""
    looks = found.looks
    face = found.looks.face
    there = [cell for cell in found.cells if cell.observer in looks.images]
    there = sorted(there, key=lambda cell: cell.seed)[:AT_MOST]
    figure, axes = _panels(len(there), 3.2)
    for ax, cell in zip(axes, there, strict=True):
        image = looks.images[cell.observer]
        plot_classification_image(image, face["images"][-1], face["regions"][-1], ax=ax)
        name = label(cell.architecture, cell.pretraining).replace(" (", "\n(")
        ax.set_title(f"{name}\nseed {cell.seed}", fontsize=SMALL)
    colour_bar(figure, list(axes), "z: being seen helps the right answer", limit=8)
    return figure


def readout_page(found: Mechanisms) -> Figure:
    """How well each layer tells the classes."""
    figure, axes = _panels(1, 4.4)
    text = "share right, unseen people"
    plot_layers(found.looks["readout"], "accuracy", text, chance="chance_high", ax=axes[0])
    axes[0].axhline(0.5, color="0.8", lw=1, zorder=0)
    axes[0].set_title("mean over seeds (thick) and seeds (thin)", fontsize="medium")
    _legend(figure, axes[0])
    return figure


def similarity_page(found: Mechanisms) -> Figure:
    """What each layer takes to be alike: faces of near levels; of one person where there are
    enough of them.
    """
    rows = found.looks["similarity"]
    few = found.stimuli["identity"].nunique() < 3
    models = ["level"] if few else ["level", "identity"]
    figure, axes = _panels(len(models), 4.2, sharey=True)
    for ax, model in zip(axes, models, strict=True):
        mine = rows[rows["model"] == model]
        plot_layers(mine, "rho", f"rank correlation with {model}", chance="chance_high", ax=ax)
    _legend(figure, axes[0])
    figure.suptitle("mean over seeds (thick) and seeds (thin)", fontsize="medium")
    return figure


def lesions_page(found: Mechanisms) -> Figure:
    """What setting channels to zero costs."""
    names = {"accuracy": "right answers lost (share)", "sensitivity": "d′ lost"}
    figure, axes = _panels(len(names), 4)
    for ax, (value, text) in zip(axes, names.items(), strict=True):
        plot_lesions(found.lesions[found.lesions["value"] == value], text, ax)
    _legend(figure, axes[0])
    figure.suptitle(over_seeds_title(_confidence(found)).capitalize(), fontsize="medium")
    return figure
