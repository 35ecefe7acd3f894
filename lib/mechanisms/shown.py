"""What the networks are shown: which faces, at which levels, read when first wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lib.morphs.stimuli import regions_of
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.panel import Panel
from lib.parts.bubbles import bubble_masks, through
from lib.parts.controls import control_stimuli, profile_stimuli
from lib.pictures.labelled import read_image
from lib.settings.options import Study, resolve
from lib.storage.runs import Run

FEW_FACES = 3  # of a VGG, whose convolutions cost twenty times AlexNet's
FEW_READ = 48
READ = 200  # labelled faces for the read-out
OCCLUDED = 2  # faces for occlusion: every one is shown fifty times
ENDS = (0.0, 1.0)
LINE = (0.0, 0.25, 0.75, 1.0)


def pictures(paths: Iterable[str]) -> np.ndarray:
    """uint8 (n, 224, 224, 3) of the paths in a table."""
    return np.stack([read_image(resolve(path)) for path in paths])


def is_small(cell: Cell) -> bool:
    """Whether a network's convolutions are AlexNet's, cheap enough for everything."""
    return cell.backbone == "alexnet"


def chosen_stimuli(
    study: Study,
    stimuli: pd.DataFrame,
    *,
    faces: int | None = None,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """The stimuli that saliency looks at: the first faces, and the levels nearest to the study's.

    Parameters
    ----------
    faces, levels : None takes ``saliency.faces`` and ``saliency.levels``.

    Returns
    -------
    rows of ``stimuli``, index from 0, sorted by condition, level, identity as they come.
    """
    there = np.sort(stimuli["level"].unique())
    wanted = sorted(
        {there[np.abs(there - level).argmin()] for level in levels or study.saliency.levels}
    )
    who = list(dict.fromkeys(stimuli["identity"]))[: faces or study.saliency.faces]
    rows = stimuli[stimuli["identity"].isin(who) & stimuli["level"].isin(wanted)]
    return rows.sort_values(["condition", "level", "identity"], kind="stable", ignore_index=True)


@dataclass
class Display:
    """Stimuli with their pictures and part regions, ready to be looked at by any number of
    networks.
    """

    stimuli: pd.DataFrame
    panel: Panel
    regions: dict[str, np.ndarray]  # part -> (n, H, W) or one (H, W) for all

    @classmethod
    def of(cls, study: Study, stimuli: pd.DataFrame, device: Device | None = None) -> Display:
        """Read the pictures of some rows of table ``stimuli``."""
        stimuli = stimuli.reset_index(drop=True)
        panel = Panel(pictures(stimuli["path"]), device=device)
        return cls(stimuli, panel, regions_of(study, stimuli))

    def part_masks(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The regions of some of the stimuli."""
        return {part: mask if mask.ndim == 2 else mask[rows] for part, mask in self.regions.items()}

    def rows(self, condition: str = "full") -> np.ndarray:
        """Places of the stimuli of one condition."""
        return np.flatnonzero(self.stimuli["condition"] == condition)


def one_face(regions: dict[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    """The part masks (H, W) of face k."""
    return {part: mask if mask.ndim == 2 else mask[k] for part, mask in regions.items()}


def few_stimuli(stimuli: pd.DataFrame, faces: int) -> pd.DataFrame:
    """Fewer faces, and with a part hidden only the lowest and highest level."""
    who = list(dict.fromkeys(stimuli["identity"]))[:faces]
    shown = (stimuli["condition"] == "full") | stimuli["level"].isin(
        stimuli["level"].agg(["min", "max"])
    )
    return stimuli[stimuli["identity"].isin(who) & shown].reset_index(drop=True)


@dataclass(frozen=True)
class Reading:
    """Labelled faces that no network was trained on, for the read-out of valence."""

    panel: Panel
    labels: np.ndarray  # (n,) 0 negative, 1 positive
    groups: np.ndarray  # (n,) who it is; every face is somebody else where that is not known


def reading_panel(
    labelled: pd.DataFrame, n: int, positive: str, device: Device | None = None
) -> Reading:
    """The first ``n`` faces, half of each class; ``positive`` is the label of class 1."""
    labelled = labelled.groupby("label", sort=False).head(n // 2)
    known = labelled["identity"].notna() & (labelled["identity"].astype(str) != "")
    groups = labelled["identity"].astype(str).where(known, labelled["path"])
    return Reading(
        Panel(pictures(labelled["path"]), device=device),
        (labelled["label"] == positive).to_numpy().astype(int),
        groups.to_numpy(),
    )


class Shown:
    """What is shown to all networks, read when it is first wanted.

    Parameters
    ----------
    run, stimuli : the run and its table ``stimuli``. labelled : rows of table ``images`` that no
        network was trained on.
    """

    def __init__(self, run: Run, stimuli: pd.DataFrame, labelled: pd.DataFrame):
        self.run = run
        self.stimuli = stimuli
        self.labelled = labelled
        self.device = choose_device(run.study.training)
        self.common = chosen_stimuli(run.study, stimuli)
        self.profile = profile_stimuli(stimuli)

    @cached_property
    def controls(self) -> pd.DataFrame:
        """Control pictures of the profile's faces, as rows like ``stimuli``."""
        return control_stimuli(self.run.study, self.profile)

    @cached_property
    def control_panel(self) -> Panel:
        """Control pictures, read."""
        return Panel(pictures(self.controls["path"]), device=self.device)

    @cached_property
    def everything(self) -> Display:
        """What maps of AlexNet's kind are made of."""
        return Display.of(self.run.study, self.common)

    @cached_property
    def few(self) -> Display:
        """What maps of the others are made of."""
        return Display.of(self.run.study, few_stimuli(self.common, FEW_FACES), self.device)

    @cached_property
    def reading(self) -> Reading:
        """Labelled faces for the read-out."""
        return reading_panel(self.labelled, READ, self.run.study.positive)

    @cached_property
    def some_reading(self) -> Reading:
        """Fewer of them."""
        return reading_panel(self.labelled, FEW_READ, self.run.study.positive, self.device)

    @cached_property
    def occluded(self) -> Display:
        """Faces that a patch slides over."""
        return self.whole(ENDS, OCCLUDED)

    @cached_property
    def ends(self) -> Display:
        """A few whole faces at both ends."""
        return self.whole(ENDS, min(FEW_FACES, self.run.study.saliency.faces))

    @cached_property
    def line(self) -> Display:
        """Whole faces on either side, for lesions."""
        return self.whole(LINE, self.stimuli["identity"].nunique())

    @cached_property
    def behind_bubbles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, Panel, dict]:
        """Masks, which face each trial shows, its sign (1 positive, -1 negative), the pictures, and
        the parts of these faces."""
        display = self.whole(ENDS, self.run.study.saliency.faces)
        n = self.run.study.saliency.bubbles
        rng = self.run.rng("bubbles")
        masks = bubble_masks(n, rng)
        which = np.arange(n) % len(display.stimuli)
        signs = np.where(display.stimuli["level"].to_numpy() > 0.5, 1, -1)[which]
        panel = Panel(through(display.panel.images[which], masks), batch=64)
        return masks, which, signs, panel, display.regions

    def whole(self, levels: Sequence[float], faces: int) -> Display:
        """Whole faces of the first identities at some levels."""
        rows = chosen_stimuli(self.run.study, self.stimuli, faces=faces, levels=levels)
        return Display.of(self.run.study, rows[rows["condition"] == "full"])

    def display(self, cell: Cell) -> Display:
        """What a network's maps are made of."""
        return self.everything if is_small(cell) else self.few


def along(display: Display) -> np.ndarray:
    """Places of the first whole face at all its levels, in their order."""
    whole = display.stimuli.iloc[display.rows("full")]
    first = whole[whole["identity"] == whole["identity"].iloc[0]]
    return first.sort_values("level").index.to_numpy()
