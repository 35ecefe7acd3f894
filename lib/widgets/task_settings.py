"""How the observer task runs: its words, times and sides."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field

from lib.settings.words import POLES, Poles, problem_of_poles

INSTRUCTIONS = """You will see faces, each for a short moment after a cross. Look at the cross.
Decide for each face: {positive} or {negative}? \
Go by your first impression; there is no right or wrong in the middle.
{Negative}: key {left}. {Positive}: key {right}. Or press the buttons. Escape makes a pause."""
KEYS = ("F or ←", "J or →")
ANSWER_S = 0.8  # how long an answer takes, typically


CONSENT = (
    "I take part of my own free will and may stop at any time by "
    "closing the page. My answers are kept "
    "under this code, without my name."
)


@dataclass(frozen=True)
class Timing:
    """What is on the screen for how long, in seconds; each is shown for the nearest whole
    number of frames.
    """

    fixation_s: float = 0.5
    present_s: float = 0.2
    mask_s: float = 0.2  # 0: a blank instead of the mask
    timeout_s: float | None = (
        None  # None: no limit; else a trial without an answer by then is missed
    )
    pause_s: float = 0.4

    def __post_init__(self):
        for name, value in asdict(self).items():
            if not (value is None and name == "timeout_s") and not 0 <= value <= 60:
                raise ValueError(f"{name}: {value!r} given; allowed: 0 to 60 seconds")


@dataclass(frozen=True)
class TaskSettings:
    """How the task runs. ``seed`` and the observer's code together fix the order of the trials.

    Without a title or instructions of their own, these are made from the poles' words.
    """

    name: str = "faces"
    poles: Poles = POLES  # the study's words, the negative one first
    title: str = ""
    instructions: str = ""
    consent: str = CONSENT
    repeats: int = 2  # how often each picture is shown
    practice: int = 4  # clear faces first, which are not recorded
    break_every: int = 40  # 0: no breaks
    happy_side: str = "right"
    size: int = 300  # pixels on the screen
    seed: int = 0
    timing: Timing = field(default_factory=Timing)

    def __post_init__(self):
        if self.happy_side not in ("left", "right"):
            raise ValueError(f"happy_side: {self.happy_side!r} given; allowed: left, right")
        if not re.fullmatch(r"[\w.-]{1,60}", self.name):
            raise ValueError(
                f"name: {self.name!r} given; allowed: letters, digits, '-', '_' and '.'"
            )
        limits = {
            "repeats": (1, 1000),
            "practice": (0, 100),
            "break_every": (0, 10_000),
            "size": (50, 2000),
        }
        for key, (low, high) in limits.items():
            if not low <= getattr(self, key) <= high:
                raise ValueError(f"{key}: {getattr(self, key)!r} given; allowed: {low} to {high}")
        if problem := problem_of_poles(self.poles):
            raise ValueError(f"poles: {self.poles!r} given; {problem}")

    def words(self) -> dict[str, str]:
        """Title and instructions, made from the poles' words where none are given."""
        negative, positive = self.poles
        left, right = KEYS if self.happy_side == "right" else KEYS[::-1]
        told = INSTRUCTIONS.format(
            negative=negative,
            positive=positive,
            Negative=negative.capitalize(),
            Positive=positive.capitalize(),
            left=left,
            right=right,
        )
        title = self.title or f"{positive.capitalize()} or {negative}?"
        return {"title": title, "instructions": self.instructions or told}

    def minutes(self, pictures: int) -> float:
        """How long so many pictures take with all repeats and practice, without breaks."""
        times = self.timing
        each = times.fixation_s + max(times.present_s, ANSWER_S) + times.pause_s
        return (pictures * self.repeats + self.practice) * each / 60

    def length(self, pictures: int) -> str:
        """``72 faces after 4 for practice: about 2 minutes``."""
        before = f" after {self.practice} for practice" if self.practice else ""
        minutes = max(1, round(self.minutes(pictures)))
        unit = "minute" if minutes == 1 else "minutes"
        return f"{pictures * self.repeats} faces{before}: about {minutes} {unit}"
