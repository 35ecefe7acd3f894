"""One palette and one vocabulary for every figure: people in black, networks in
colour-blind-safe colours.
"""

from __future__ import annotations

import zlib

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes

# Okabe & Ito (2008), changed as little as it takes for each pair to be told apart under every
# common form of colour blindness and for each colour to reach a contrast of 3 on white (WCAG 2.1,
# 1.4.11); tested by simulation
COLOURS = {
    "people": "#000000",
    "alexnet": "#005591",
    "vgg11": "#009AF9",
    "vgg13": "#008A50",
    "vgg16": "#BC7ABB",
    "fe_alexnet": "#B14200",
    "fe_alexnet_guided": "#8800FF",
    "alexnet_matched": "#CA8700",
    "alexnet_se": "#FF0055",
    "alexnet_shuffled": "#949494",
}
SPARE = ("#CC33CC", "#775577", "#00897B", "#6D4C41", "#5C6BC0", "#7C7C00")  # for users' networks
PART_COLOURS = {"full": "#000000", "eyes": "#0072B2", "nose": "#009E73", "mouth": "#D55E00"}


def use_style() -> None:
    """The workbook's look; called once in each notebook's set-up cell."""
    sns.set_theme(
        context="notebook", style="ticks", rc={"axes.spines.right": False, "axes.spines.top": False}
    )
    plt.rcParams.update({"figure.dpi": 100, "legend.frameon": False, "svg.hashsalt": "fe-alexnet"})


def colour(architecture: str) -> str:
    """The colour of an architecture; ``"people"`` is black. A network of the user's has one of
    ``SPARE``, the same in every figure and run.
    """
    spare = SPARE[zlib.crc32(architecture.encode()) % len(SPARE)]
    return COLOURS.get(architecture, spare)


WIDTH = 9.0  # inches: a figure is shown at 100 dots an inch, some 900 pixels wide
TEXT = 9.0  # points; nothing in a figure is smaller than 8
SMALL = 8.0


def line_style(pretraining: str) -> str:
    """Dashed where the convolutions learned nothing."""
    return "--" if pretraining == "untrained" else "-"


def dot(architecture: str, pretraining: str) -> dict:
    """Colours of a network's marker, hollow where the convolutions learned nothing."""
    ink = colour(architecture)
    return {"color": ink, "mfc": "white" if pretraining == "untrained" else ink, "mec": ink}


def small_text(ax: Axes) -> None:
    """Ticks, labels and title of a panel among many, at ``SMALL`` and ``TEXT`` points."""
    ax.tick_params(labelsize=SMALL)
    ax.xaxis.label.set_size(TEXT)
    ax.yaxis.label.set_size(TEXT)
    ax.title.set_size(TEXT)
