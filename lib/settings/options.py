"""The settings of a study: a frozen dataclass tree in which every value states its allowed
range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lib.settings.words import POLES, pole_word

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("eyes", "nose", "mouth")
CONDITIONS = ("full", *PARTS)
ARCHITECTURES = ("alexnet", "vgg11", "vgg13", "vgg16", "fe_alexnet")
KINDS = ("self", "se", "cbam", "none", "matched")
LOCATIONS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def option(default, *, low=None, high=None, among=None, doc=""):
    """A dataclass field with its allowed range or choices; every value is checked against them."""
    meta = {"low": low, "high": high, "among": among, "doc": doc}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Images:
    """Where the labelled faces come from. Counts are images in all, half of each class; None
    takes all.
    """

    source: str = option(
        "builtin", among=("builtin", "folder", "fer2013_csv", "manifest", "filenames")
    )
    root: str | None = option(None, doc="folder of images, or the CSV file")
    labels: dict[str, str] = option(
        {},
        doc="the set's own label: a pole's word, or negative or positive; several labels may mean "
        "one pole, other labels are left out. Within a study the poles' own words where none is "
        "given",
    )
    pattern: str | None = option(
        None, doc="source filenames: regular expression with (?P<label>), (?P<identity>)"
    )
    n_train: int | None = option(400, low=2)
    n_validation: int | None = option(100, low=2)
    n_test: int | None = option(100, low=2)
    split_seed: int = option(0, low=0, doc="for sets without splits of their own")
    identities: int = option(
        48, low=3, doc="built-in faces: how many people, in all splits together"
    )
    diagnosticity: dict[str, float] = option(
        {"eyes": 1.0, "nose": 1.0, "mouth": 1.0},
        low=0,
        high=1,
        doc="built-in faces: how much of the expression each part carries",
    )


@dataclass(frozen=True)
class Morphs:
    """The test pictures: identities x levels x conditions."""

    source: str = option(
        "builtin", among=("builtin", "matched_pairs", "averages", "landmarks", "folder")
    )
    root: str | None = option(None, doc="folder of morphs, or of images with .tem landmarks")
    pattern: str = option(
        "{condition}_{step}.jpg", doc="source folder: {identity}, {condition}, {step}"
    )
    identities: int = option(6, low=1, doc="faces, pairs or averages to morph")
    levels: int = option(21, low=2, high=201)
    conditions: tuple[str, ...] = option(CONDITIONS, among=CONDITIONS)
    regions: str = option("truth", among=("truth", "boxes", "landmarks"))
    boxes: dict[str, tuple[int, ...]] = option(
        {"eyes": (52, 171, 70, 99), "nose": (52, 171, 120, 149), "mouth": (52, 171, 169, 199)},
        low=0,
        high=223,
        doc="first and last column, first and last row of each part, in pixels of 224",
    )


@dataclass(frozen=True)
class Exclude:
    """Rules that remove people; what each removes is counted and reported."""

    max_missed: float = option(0.2, low=0, high=1, doc="largest share of missed trials")
    min_rt_s: float | None = option(None, low=0, doc="faster answers are set to missed")
    min_end_accuracy: float = option(0.6, low=0, high=1, doc="share right at the two end levels")


@dataclass(frozen=True)
class Simulated:
    """Simulated people, used where no file is given. Group figures: PSE 0.514, SD 0.092, n = 40."""

    n: int = option(40, low=1)
    trials_per_level: int = option(10, low=1)
    pse_mean: float = option(0.514, low=0, high=1)
    pse_sd: float = option(0.092, low=0, high=1)
    scale_mean: float = option(
        0.12, low=0.01, high=1, doc="standard deviation of the cumulative Gaussian"
    )
    scale_log_sd: float = option(0.3, low=0, high=2)
    lapse_max: float = option(0.04, low=0, high=0.5)
    part_pse_shift: dict[str, float] = option(
        {"eyes": 0.02, "nose": 0.0, "mouth": 0.06}, low=-1, high=1
    )
    part_scale_factor: dict[str, float] = option(
        {"eyes": 1.3, "nose": 1.05, "mouth": 1.8}, low=0.1, high=10
    )
    seed: int = option(1, low=0)


@dataclass(frozen=True)
class Observers:
    """People's answers: a file with its own columns, codes and units, or simulated people."""

    file: str | None = None
    sheet: str | None = None
    columns: dict[str, str] = option({}, doc="trial-table column: the file's column")
    codes: dict[str, int] = option(
        {},
        low=0,
        high=1,
        doc="the file's code: 1 positive, 0 negative. Within a study the poles' own words, 1 and 0 "
        "where none is given",
    )
    missing: tuple[str, ...] = option(("", "NA", "NaN", "none", "None"))
    level_range: tuple[float, ...] = option(
        (0.0, 1.0), doc="the file's value at the negative and at the positive end"
    )
    rt_unit: str = option("s", among=("s", "ms"))
    covariates: tuple[str, ...] = option((), doc="further columns to keep, such as cue or session")
    exclude: Exclude = field(default_factory=Exclude)
    simulated: Simulated = field(default_factory=Simulated)


@dataclass(frozen=True)
class Networks:
    """Which networks are trained, and what happens when pretrained weights are not at hand."""

    architectures: tuple[str, ...] = option(
        ARCHITECTURES,
        doc="the five, torchvision:NAME, timm:NAME, or path/to/file.py:function",
    )
    answers: str | None = option(
        None, doc="table of answers of networks that ran elsewhere: observer, stimulus, p_happy"
    )
    layer: str | None = option(
        None, doc="torchvision:NAME and timm:NAME: the layer that the head reads"
    )
    pooling: str = option("pooled", among=("pooled", "flattened"))
    pretraining: str = option(
        "imagenet", among=("imagenet", "face", "untrained", "objects", "faces")
    )
    face_weights: str | None = option(None, doc="pretraining face: your state-dict file")
    missing_weights: str = option(
        "error",
        among=("error", "leave_out", "untrained", "objects"),
        doc="untrained: go on without; objects: AlexNets go on with the project's own "
        "weights, pretrained on generated objects, the others without",
    )
    controls: tuple[str, ...] = option(
        (), among=("untrained", "matched", "se", "guided", "shuffled")
    )


@dataclass(frozen=True)
class AttentionSettings:
    """FE-AlexNet's attention stage; the same words as ``lib.networks.network.Attention``."""

    kind: str = option("self", among=KINDS)
    location: str = option("conv3", among=LOCATIONS)
    reduction: int = option(8, low=1, high=32)
    heads: int = option(4, low=1, high=16)
    temperature: float = option(1.0, low=0.01, high=100)
    gain: float = option(0.0, low=-10, high=10, doc="residual gain before training")
    grid: int = option(
        14, low=2, high=56, doc="places a side that attend, at most; finer maps are averaged to it"
    )
    region_prior: dict[str, float] | None = option(
        None, low=-10, high=10, doc="log-weight of each part"
    )


@dataclass(frozen=True)
class Grid:
    """Attention settings that notebook 03 compares, all combinations; those not trained yet are
    trained there.
    """

    kinds: tuple[str, ...] = option(("none", "self"), among=KINDS)
    locations: tuple[str, ...] = option(("conv3",), among=LOCATIONS)
    reductions: tuple[int, ...] = option((8,), low=1, high=32)
    pretraining: tuple[str, ...] = option(
        (),
        among=("imagenet", "face", "untrained", "objects", "faces"),
        doc="none given: the study's own",
    )
    people_prior: bool = option(
        False, doc="also self-attention with the region prior that people's behaviour gives"
    )
    splits: int = option(
        50, low=1, high=10000, doc="human-guided selection: halvings of people and levels"
    )


@dataclass(frozen=True)
class Training:
    """Heads (and attention) on frozen convolutions."""

    seeds: int = option(3, low=1, high=1000)
    epochs: int = option(6, low=1, high=10000)
    lr: float = option(1e-4, low=1e-8, high=1)
    attention_lr: float = option(1e-3, low=1e-8, high=1)
    batch: int = option(128, low=1, high=65536)
    dropout: float = option(0.5, low=0, high=0.95)
    precision: str = option("auto", among=("auto", "bf16", "fp32"))
    device: str = option("auto", among=("auto", "cpu", "cuda", "mps"))


@dataclass(frozen=True)
class Bounds:
    """Bounds of the psychometric function's asymptote gaps."""

    guess: tuple[float, ...] = option((0.0, 0.05), low=0, high=0.6)
    lapse: tuple[float, ...] = option((0.0, 0.05), low=0, high=0.6)


@dataclass(frozen=True)
class Statistics:
    """Fits, intervals and what counts as alike."""

    sigmoid: str = option("norm", among=("norm", "logistic"))
    penalty: float = option(1.0, low=0, high=100)
    people: Bounds = field(default_factory=Bounds)
    overdispersion: bool = option(
        False, doc="true: beta-binomial fits of people in table psychometrics"
    )
    networks: Bounds = field(default_factory=lambda: Bounds((0.0, 0.5), (0.0, 0.5)))
    decision: str = option("softmax", among=("argmax", "softmax", "noisy", "noisy_shifted"))
    decision_noise: float | None = option(
        None,
        low=0,
        high=100,
        doc="decision noisy: SD in log-odds, given instead of fitted to half of the people",
    )
    noise: float = option(
        1.0, low=0, high=100, doc="decision noisy: SD added to the positive - negative log-odds"
    )
    n_boot: int = option(1000, low=20, high=1_000_000)
    confidence: float = option(0.95, low=0.5, high=0.999)
    equivalence_pse: float = option(
        0.05, low=0.001, high=1, doc="smallest PSE difference that matters"
    )


@dataclass(frozen=True)
class Claims:
    """The margins of the verdicts, fixed before the data are seen."""

    accuracy_margin: float = option(
        0.01, low=0, high=0.5, doc="C2: share right by which a network must be ahead"
    )
    likelihood_margin: float = option(
        0.01, low=0, high=1, doc="C1, C3: bits per choice above knowing the level"
    )
    ceiling_share: float = option(
        0.9, low=0, high=1, doc="C3: share of the noise ceiling that resembles people closely"
    )
    profile_margin: float = option(
        0.25, low=0, high=2, doc="C4: difference of correlations of part profiles"
    )
    manipulation: float = option(
        0.02,
        low=0,
        high=1,
        doc="C2, C3: how far the trained block moves the log-odds at least, in their SD",
    )


@dataclass(frozen=True)
class Saliency:
    """Which maps, on how many faces, against how many permutations."""

    methods: tuple[str, ...] = option(
        ("gradcam", "hirescam", "occlusion", "attention"),
        among=("gradcam", "hirescam", "occlusion", "integrated_gradients", "attention"),
    )
    location: str = option("conv5", among=LOCATIONS)
    levels: tuple[float, ...] = option((0.0, 0.25, 0.5, 0.75, 1.0), low=0, high=1)
    faces: int = option(6, low=1)
    n_permutations: int = option(500, low=10, high=1_000_000)
    bubbles: int = option(
        400, low=20, high=1_000_000, doc="masked faces that networks answer for the bubbles"
    )


@dataclass(frozen=True)
class Weights:
    download: bool = option(
        False, doc="true: get torchvision's weights over the network before training"
    )


@dataclass(frozen=True)
class Study:
    """All settings of one run."""

    name: str = "study"
    about: str = ""
    weights_dir: str | None = option(
        None, doc="folder of <architecture>_features_imagenet1k_v1.safetensors or .pth"
    )
    output: str = "runs"
    poles: tuple[str, ...] = option(
        POLES, doc="the words for the ends of the morph, the negative one first"
    )
    images: Images = field(default_factory=Images)
    morphs: Morphs = field(default_factory=Morphs)
    observers: Observers = field(default_factory=Observers)
    networks: Networks = field(default_factory=Networks)
    attention: AttentionSettings = field(default_factory=AttentionSettings)
    grid: Grid = field(default_factory=Grid)
    training: Training = field(default_factory=Training)
    statistics: Statistics = field(default_factory=Statistics)
    claims: Claims = field(default_factory=Claims)
    saliency: Saliency = field(default_factory=Saliency)
    weights: Weights = field(default_factory=Weights)

    def __post_init__(self) -> None:
        """Labels and codes in the study's own words, whatever the file calls the poles."""
        if len(self.poles) != 2:  # refused by a rule
            return
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
    """A path of a study or a command: absolute as given, otherwise relative to the project's
    root.
    """
    return Path(path).expanduser() if Path(path).expanduser().is_absolute() else ROOT / path


def _plain(value):
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
