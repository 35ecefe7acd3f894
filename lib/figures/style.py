"""One palette and one vocabulary for every figure: people in black, networks in
colour-blind-safe colours.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import seaborn as sns

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
    "alexnet_matched": "#CA8700",
    "alexnet_shuffled": "#949494",
}
PART_COLOURS = {"full": "#000000", "eyes": "#0072B2", "nose": "#009E73", "mouth": "#D55E00"}


def use_style() -> None:
    """The workbook's look; called once in each notebook's set-up cell."""
    sns.set_theme(
        context="notebook", style="ticks", rc={"axes.spines.right": False, "axes.spines.top": False}
    )
    plt.rcParams.update({"figure.dpi": 100, "legend.frameon": False, "svg.hashsalt": "fe-alexnet"})


def colour(architecture: str) -> str:
    """The colour of an architecture; ``"people"`` is black."""
    return COLOURS[architecture]
