"""An observer of known psychometric function who answers the task by keys, and pictures for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from scipy.stats import norm

from lib.widgets.task_settings import TaskSettings, Timing

PSE, SCALE = 0.42, 0.12
FAST = TaskSettings(
    repeats=2,
    practice=0,
    break_every=0,
    timing=Timing(fixation_s=0.02, present_s=0.05, mask_s=0, timeout_s=None, pause_s=0),
)


def grey_squares(folder: Path) -> pd.DataFrame:
    """Stimuli of nine levels and two identities: the script does not look at them."""
    rows = []
    for identity in ("id00", "id01"):
        for level in np.linspace(0, 1, 9):
            name = f"{identity}_full_{level:.3f}"
            cv2.imwrite(
                str(folder / f"{name}.png"), np.full((64, 64, 3), int(40 + 180 * level), np.uint8)
            )
            rows.append([name, str(folder / f"{name}.png"), identity, level, "full"])
    return pd.DataFrame(rows, columns=["stimulus", "path", "identity", "level", "condition"])


class ScriptedObserver:
    """Answers by keys with a known psychometric function."""

    def __init__(self, page, stimuli, seed=1):
        self.page, self.rng = page, np.random.default_rng(seed)
        self.levels = dict(zip(stimuli["stimulus"], stimuli["level"], strict=True))
        self.answered = []

    def begin(self, url, code):
        self.page.goto(url)
        self.page.fill("input[name=code]", code)
        self.consent()

    def consent(self):
        self.page.check("input[name=consent]")
        self.page.click("button[name=start]")

    def answer(self, keys=("f", "j")):
        """One trial: wait for the face, press a key. Returns the trial's place in the order."""
        last = self.answered[-1] if self.answered else None
        handle = self.page.wait_for_function(
            "last => { const s = document.querySelector('.stage')?.dataset; "
            "return s?.trial && s.trial !== last ? [s.trial, s.stimulus] : null }",
            arg=last,
            polling=4,
        )
        place, stimulus = handle.json_value()
        happy = self.rng.random() < norm.cdf((self.levels[stimulus] - PSE) / SCALE)
        self.page.keyboard.press(keys[int(happy)])
        self.answered.append(place)
        return place

    def save(self, path):
        with self.page.expect_download() as download:
            self.page.click("button[name=save]")
        download.value.save_as(path)
        return path
