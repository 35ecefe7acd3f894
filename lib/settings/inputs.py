"""The settings of what goes into a study: pictures and people."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from lib.settings.values import (
    CONDITIONS,
    Box,
    Conditions,
    Flag,
    Key,
    Listed,
    Number,
    Part,
    Several,
    Share,
    Text,
    Whole,
    shown,
)


def _naming(given: str) -> str:
    """A pattern of files' names with ``{observer}`` in it, each name once."""
    names = re.findall(r"\{(\w*)\}", given)
    words = [name for name in names if name.isidentifier()]
    touching = re.search(r"\}[{*]|\*[{*]", given)
    if "observer" not in names or len(set(words)) < len(names) or touching:
        raise ValueError(
            f"{shown(given)} given; allowed: files' names with {{observer}} for who it was, other "
            "{names} for what is kept, each once, and * for any text, with something between them, "
            "such as {observer}_*.csv"
        )
    return given


settings = dataclass(frozen=True, config=ConfigDict(extra="forbid"))


@settings
class Images:
    """Where the labelled faces come from.

    Counts are images in all, half of each class; None takes all.
    """

    source: Literal["builtin", "folder", "fer2013_csv", "manifest", "filenames"] = "builtin"
    root: Text | None = None  # folder of images, or the CSV file
    # the set's own label: a pole's word, or negative or positive. Several labels may mean one pole;
    # other labels are left out. None given: within a study the poles' own words
    labels: dict[Key, Text] = Field(default_factory=dict)
    # source filenames: regular expression with (?P<label>...), (?P<identity>...)
    pattern: Text | None = None
    n_train: Annotated[Whole, Field(ge=2)] | None = 400
    n_validation: Annotated[Whole, Field(ge=2)] | None = 100
    n_test: Annotated[Whole, Field(ge=2)] | None = 100
    split_seed: Whole = Field(0, ge=0)  # for sets without splits of their own
    identities: Whole = Field(48, ge=3)  # built-in faces: people, in all splits together
    # built-in faces: how much of the expression each part carries
    diagnosticity: dict[Part, Share] = Field(
        default_factory=lambda: {"eyes": 1.0, "nose": 1.0, "mouth": 1.0}
    )


@settings
class Morphs:
    """The test pictures: identities x levels x conditions."""

    source: Literal["builtin", "matched_pairs", "averages", "landmarks", "folder"] = "builtin"
    root: Text | None = None  # folder of morphs, or of images with .tem landmarks
    pattern: Text = "{condition}_{step}.jpg"  # source folder: {identity}, {condition}, {step}
    # how many faces; none given: 6, and all there are in a folder
    identities: Annotated[Whole, Field(ge=1)] | None = None
    # equal steps; of a folder's, all whole faces are used, and parts are hidden at the nearest
    levels: Whole = Field(21, ge=2, le=201)
    conditions: Conditions = CONDITIONS
    regions: Literal["truth", "boxes", "landmarks"] = "truth"
    # first and last column, first and last row of each part, in pixels of 224
    boxes: dict[Part, Box] = Field(
        default_factory=lambda: {
            "eyes": (52, 171, 70, 99),
            "nose": (52, 171, 120, 149),
            "mouth": (52, 171, 169, 199),
        }
    )

    @property
    def count(self) -> int:
        """How many faces the workbook makes where the study does not say."""
        return 6 if self.identities is None else self.identities


@settings
class Exclude:
    """Rules that remove people; what each removes is counted and reported."""

    max_missed: Share = 0.2  # largest share of missed trials
    min_rt_s: Annotated[Number, Field(ge=0)] | None = None  # faster answers are set to missed
    min_end_accuracy: Share = 0.6  # share right at the two end levels


@settings
class Simulated:
    """Simulated people, used where no file is given. Group figures: PSE 0.514, SD 0.092, n = 40."""

    n: Whole = Field(40, ge=1)
    trials_per_level: Whole = Field(10, ge=1)
    pse_mean: Share = 0.514
    pse_sd: Share = 0.092
    scale_mean: Number = Field(0.12, ge=0.01, le=1)  # SD of the cumulative Gaussian
    scale_log_sd: Number = Field(0.3, ge=0, le=2)
    lapse_max: Number = Field(0.04, ge=0, le=0.5)
    part_pse_shift: dict[Part, Annotated[Number, Field(ge=-1, le=1)]] = Field(
        default_factory=lambda: {"eyes": 0.02, "nose": 0.0, "mouth": 0.06}
    )
    part_scale_factor: dict[Part, Annotated[Number, Field(ge=0.1, le=10)]] = Field(
        default_factory=lambda: {"eyes": 1.3, "nose": 1.05, "mouth": 1.8}
    )
    seed: Whole = Field(1, ge=0)


@settings
class Observers:
    """People's answers: a file with its own columns, codes and units, or simulated people."""

    file: Text | None = None
    # who it was, where the files' names say it, such as {observer}_*.csv
    file_pattern: Annotated[Text, AfterValidator(_naming)] | None = None
    sheet: Text | None = None
    # trial-table column: the file's column; null switches off one that the file happens to have
    columns: dict[Key, Text | None] = Field(default_factory=dict)
    # a column and its value or values: the rows that are trials; none given: those with a level
    rows: dict[Key, Annotated[tuple[Text, ...], Several]] = Field(default_factory=dict)
    # the file's code: 1 positive, 0 negative. None given: within a study the poles' own words, 1, 0
    codes: dict[Key, Annotated[Whole, Field(ge=0, le=1)]] = Field(default_factory=dict)
    # words for no answer; NA, nan, null, none, n/a, . and an empty cell are such anyway
    missing: Annotated[tuple[Text, ...], Listed] = ()
    # what stands before decimals, and between groups of digits, where the file leaves it open
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ","] | None = None
    # the file's value at the negative and at the positive end
    level_range: Annotated[tuple[Number, ...], Listed] = (0.0, 1.0)
    rt_unit: Literal["s", "ms"] = "s"
    covariates: Annotated[tuple[Text, ...], Listed] = ()  # further columns, such as cue or session
    share_people: Flag = False  # whether the report and its tables hold single people's rows
    exclude: Exclude = Field(default_factory=Exclude)
    simulated: Simulated = Field(default_factory=Simulated)
