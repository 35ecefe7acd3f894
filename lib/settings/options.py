"""The settings of a study: frozen pydantic dataclasses in which every value states what it allows.

Here: what is done with pictures and people; ``lib.settings.inputs`` has the pictures and people
themselves, ``lib.settings.values`` the kinds of values, ``lib.settings.rules`` what does not go
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from lib.settings.inputs import Exclude, Images, Morphs, Observers, Simulated, settings
from lib.settings.values import (
    ARCHITECTURES,
    CONDITIONS,
    KINDS,
    LOCATIONS,
    PARTS,
    Control,
    EachOnce,
    Flag,
    Kind,
    Listed,
    Location,
    LogWeight,
    Name,
    NetworkNames,
    Number,
    Part,
    Poles,
    Pretraining,
    Range,
    SaliencyMethod,
    Share,
    Some,
    Text,
    Whole,
)
from lib.settings.words import POLES, pole_word

__all__ = [
    "ARCHITECTURES",
    "CONDITIONS",
    "KINDS",
    "LOCATIONS",
    "PARTS",
    "ROOT",
    "Exclude",
    "Images",
    "Morphs",
    "Observers",
    "Simulated",
    "Study",
    "resolve",
]

ROOT = Path(__file__).resolve().parents[2]


@settings
class Networks:
    """Which networks are trained, and what happens when pretrained weights are not at hand."""

    # the five, torchvision:NAME, timm:NAME, or path/to/file.py:function
    architectures: NetworkNames = ARCHITECTURES
    # table of answers of networks that ran elsewhere: observer, stimulus, p_happy
    answers: Text | None = None
    layer: Text | None = None  # torchvision:NAME and timm:NAME: the layer that the head reads
    pooling: Literal["pooled", "flattened"] = "pooled"
    pretraining: Pretraining = "imagenet"
    face_weights: Text | None = None  # pretraining face: your state-dict file
    # untrained: go on without; objects: go on with the project's own weights, pretrained on
    # generated objects, where there are some, and without where there are none
    missing_weights: Literal["error", "leave_out", "untrained", "objects"] = "error"
    controls: Annotated[tuple[Control, ...], Listed, EachOnce] = ()


@settings
class AttentionSettings:
    """FE-AlexNet's attention stage; the same words as ``lib.networks.network.Attention``."""

    kind: Kind = "self"
    location: Location = "conv3"
    reduction: Whole = Field(8, ge=1, le=32)
    heads: Whole = Field(4, ge=1, le=16)
    temperature: Number = Field(1.0, ge=0.01, le=100)
    gain: Number = Field(1.0, ge=-10, le=10)  # of the block's change; 0 takes the block out
    grid: Whole = Field(14, ge=2, le=56)  # places a side at most; finer maps are averaged to it
    region_prior: dict[Part, LogWeight] | None = None  # log-weight of each part
    # control guided, where people saw no hidden parts: each part's use, from a published result
    guide: dict[Part, Annotated[Number, Field(ge=0)]] | None = None
    guidance: Number = Field(1.0, ge=0, le=1000)  # control guided: its weight in the loss


@settings
class Grid:
    """Attention settings that notebook 03 compares, all combinations.

    Those that are not trained yet are trained there.
    """

    kinds: Annotated[tuple[Kind, ...], Listed, Some] = ("none", "self")
    locations: Annotated[tuple[Location, ...], Listed, Some] = ("conv3",)
    reductions: Annotated[tuple[Annotated[Whole, Field(ge=1, le=32)], ...], Listed, Some] = (8,)
    pretraining: Annotated[tuple[Pretraining, ...], Listed] = ()  # none given: the study's own
    people_prior: Flag = False  # also with the region prior that people's behaviour gives
    splits: Whole = Field(50, ge=1, le=10_000)  # human-guided selection: halvings of people, levels


@settings
class Training:
    """Heads (and attention) on frozen convolutions."""

    seeds: Whole = Field(3, ge=1, le=1000)
    epochs: Whole = Field(6, ge=1, le=10_000)
    lr: Number = Field(1e-4, ge=1e-8, le=1)
    attention_lr: Number = Field(1e-3, ge=1e-8, le=1)
    batch: Whole = Field(128, ge=1, le=65_536)
    dropout: Number = Field(0.5, ge=0, le=0.95)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


@settings
class Bounds:
    """Bounds of the psychometric function's asymptote gaps."""

    guess: Range = (0.0, 0.05)
    lapse: Range = (0.0, 0.05)


@settings
class Statistics:
    """Fits, intervals and what counts as alike."""

    sigmoid: Literal["norm", "logistic"] = "norm"
    penalty: Number = Field(1.0, ge=0, le=100)
    people: Bounds = Field(default_factory=Bounds)
    decision: Literal["argmax", "softmax", "noisy", "noisy_shifted"] = "noisy"
    # noisy: SD added to the log-odds, given instead of fitted to half of the people
    decision_noise: Annotated[Number, Field(ge=0, le=100)] | None = None
    n_boot: Whole = Field(1000, ge=20, le=1_000_000)
    confidence: Number = Field(0.95, ge=0.5, le=0.999)


@settings
class Claims:
    """The margins of the verdicts, fixed before the data are seen."""

    accuracy_margin: Number = Field(0.01, ge=0, le=0.5)  # C2: share right by which it is ahead
    likelihood_margin: Share = 0.01  # C1, C3: bits per choice above knowing the level
    ceiling_share: Share = 0.9  # C3: share of the noise ceiling that resembles people closely
    profile_margin: Number = Field(0.25, ge=0, le=2)  # C4: difference in share of d' lost
    manipulation: Share = 0.02  # C2, C3: what the trained block moves at least, in SD of log-odds


@settings
class Saliency:
    """Which maps, on how many faces, against how many permutations."""

    methods: Annotated[tuple[SaliencyMethod, ...], Listed, Some, EachOnce] = (
        "gradcam",
        "hirescam",
        "occlusion",
        "attention",
    )
    location: Location = "conv5"
    levels: Annotated[tuple[Share, ...], Listed, Some, EachOnce] = (0.0, 0.25, 0.5, 0.75, 1.0)
    faces: Whole = Field(6, ge=1)
    n_permutations: Whole = Field(500, ge=10, le=1_000_000)
    bubbles: Whole = Field(1000, ge=20, le=1_000_000)  # masked faces that networks answer


@settings
class Weights:
    """Where weights come from."""

    download: Flag = False  # true: get torchvision's weights over the network before training


@settings
class Study:
    """All settings of one run."""

    name: Name = "study"
    about: Text = ""
    # folder of <architecture>_features_imagenet1k_v1.safetensors or .pth
    weights_dir: Text | None = None
    output: Text = "runs"
    poles: Poles = POLES  # the words for the ends of the morph, the negative one first
    images: Images = Field(default_factory=Images)
    morphs: Morphs = Field(default_factory=Morphs)
    observers: Observers = Field(default_factory=Observers)
    networks: Networks = Field(default_factory=Networks)
    attention: AttentionSettings = Field(default_factory=AttentionSettings)
    grid: Grid = Field(default_factory=Grid)
    training: Training = Field(default_factory=Training)
    statistics: Statistics = Field(default_factory=Statistics)
    claims: Claims = Field(default_factory=Claims)
    saliency: Saliency = Field(default_factory=Saliency)
    weights: Weights = Field(default_factory=Weights)

    def __post_init__(self) -> None:
        """Labels and codes in the study's own words, whatever the file calls the poles."""
        labels = self.images.labels or {pole: pole for pole in self.poles}
        labels = {label: pole_word(meaning, self.poles) for label, meaning in labels.items()}
        codes = self.observers.codes or {self.positive: 1, self.negative: 0, "1": 1, "0": 0}
        object.__setattr__(self, "images", replace(self.images, labels=labels))
        object.__setattr__(self, "observers", replace(self.observers, codes=codes))

    @property
    def negative(self) -> str:
        """The word for the negative end of the morph, level 0."""
        return self.poles[0]

    @property
    def positive(self) -> str:
        """The word for the positive end of the morph, level 1."""
        return self.poles[1]

    @property
    def folder(self) -> Path:
        """The run folder, ``<output>/<name>``."""
        return resolve(self.output) / self.name

    def to_dict(self) -> dict:
        """Plain dicts and lists, ready for YAML or JSON."""
        return _plain(asdict(self))


def resolve(path: str | Path) -> Path:
    """A path of a study or a command: absolute, or relative to the project's root."""
    return ROOT / Path(path).expanduser()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
