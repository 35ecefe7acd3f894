"""The attention lab in words: what its controls are called, and what a training did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.live.lab_state import View
from lib.settings.words import POLES, Poles
from lib.storage.progress import clock

KINDS = {
    "self": "self-attention",
    "se": "channels weighed (SE)",
    "cbam": "channels, then places (CBAM)",
    "none": "none: AlexNet",
    "matched": "as many weights, no mixing",
}
# control -> what it is called, and what it does
CONTROLS = {
    "kind": (
        "kind of block",
        "What the block computes; another kind is a new block, to be trained",
    ),
    "location": ("sits behind", "The layer whose feature map the block changes"),
    "reduction": ("channels ÷", "How much narrower the block is inside than the feature map"),
    "heads": ("heads", "How many attention maps the block has side by side"),
    "temperature": ("evenness", "Temperature: small looks at few places, large at all alike"),
    "gain": ("gain", "How strongly the block changes the map: 0 takes it out"),
    "eyes": ("eyes +", "Log-weight of the eyes: above 0 draws attention there"),
    "nose": ("nose +", "Log-weight of the nose: above 0 draws attention there"),
    "mouth": ("mouth +", "Log-weight of the mouth: above 0 draws attention there"),
    "face": ("face", "Whose face is shown at the left"),
    "level": ("level", "Position on the morph: 0 is the negative pole, 1 the positive one"),
    "condition": ("shown", "The whole face, or with one part hidden"),
    "asks": ("looks from", "The place whose attention the map shows, framed in white"),
}
BUTTONS = {
    "Train": "Train this block and a new head (seed 0) on the study's training faces",
    "Cancel": "Stop the training; nothing changes",
    "Back": "Take the last training back: the block is new again",
    "Reset": "All controls as in the study file",
}
COPY = "Puts these settings on the clipboard, as a study's YAML and as words for --set"


def condition_word(condition: str) -> str:
    """``whole face`` or ``mouth hidden``."""
    return "whole face" if condition == "full" else f"{condition} hidden"


def face_words(identities: Sequence[str]) -> list[tuple[str, str]]:
    """(``face 1``, its code) for each identity, in order."""
    return [(f"face {k}", name) for k, name in enumerate(identities, start=1)]


def progress_in_words(done: int, steps: int, seconds: float) -> str:
    """Steps done and the time left at the mean pace so far."""
    if not done:
        return f"preparing the {steps} steps"
    return f"step {done} of {steps}, {clock(seconds / done * max(steps - done, 0))} left"


def learned_in_words(judged: dict, view: View, plain: pd.DataFrame, poles: Poles = POLES) -> str:
    """What a training learned, and what it changed beside AlexNet without a block.

    Parameters
    ----------
    judged : of ``LabNetworks.train``. view : of the trained block. plain : AlexNet's answers to the
        same faces.
    """
    moved = np.abs(view.answers["p_happy"].to_numpy() - plain["p_happy"].to_numpy())
    rmse = view.scores.loc["rmse"]
    return (
        f"Learned: {judged['accuracy']:.0%} of {judged['n']} test faces right. "
        f"Changed: p({poles[1]}) of the {len(moved)} faces by {moved.mean():.2f} on average "
        f"(most: {moved.max():.2f}), beside AlexNet; the curve's distance from people's (RMSE) is "
        f"{rmse['now']:.3f}, AlexNet's {rmse['AlexNet']:.3f}. <i>Back</i> takes the training back."
    )
