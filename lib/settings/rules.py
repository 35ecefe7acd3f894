"""Rules across settings: values that are each allowed but not together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.settings.options import PARTS, Study
from lib.settings.values import did_you_mean
from lib.settings.words import SIDES

# of torchvision's AlexNet
CHANNELS = {"conv1": 64, "conv2": 192, "conv3": 384, "conv4": 256, "conv5": 256}
# a broken rule: the keys it is about, and what was given, what is allowed
Broken = Iterator[tuple[tuple[str, ...], str]]


def contradictions(study: Study, wrong_keys: set[str]) -> list[str]:
    """Every broken rule as a sentence; a rule about a key that is itself in ``wrong_keys`` is left
    out.

    A key that was refused holds its default meanwhile, so a rule about it would blame the user for
    the default.
    """
    found = [broken for rule in RULES for broken in rule(study)]
    return [f"{keys[0]}: {text}" for keys, text in found if not wrong_keys.intersection(keys)]


def _images(study: Study) -> Broken:
    images = study.images
    if images.source != "builtin" and images.root is None:
        yield (
            ("images.root", "images.source"),
            f"nothing given; images.source {images.source!r} needs the path of your images, such "
            "as images.root=data/raw/fer2013",
        )


def _pattern(study: Study) -> Broken:
    given = study.images.pattern
    if study.images.source != "filenames":
        return
    if given is None:
        yield (
            ("images.pattern", "images.source"),
            "nothing given; images.source 'filenames' needs a regular expression with "
            "(?P<label>...), and (?P<identity>...) where known",
        )
        return
    groups = _groups(given)
    if not groups:
        yield (
            ("images.pattern",),
            f"{given!r} given, which is not a regular expression with named groups",
        )
    elif "label" not in groups:
        yield ("images.pattern",), f"{given!r} given; it has no (?P<label>...)"


def _groups(pattern: str) -> tuple[str, ...]:
    try:
        return tuple(re.compile(pattern).groupindex)
    except re.error:
        return ()


def _labels(study: Study) -> Broken:
    keys = ("images.labels", "poles")
    meanings = study.images.labels
    for label, meaning in meanings.items():
        if meaning not in study.poles:
            yield (
                keys,
                f"{label!r} means {meaning!r}; allowed: {study.negative} or {study.positive} "
                f"(or negative, positive){did_you_mean(meaning, [*study.poles, *SIDES])}",
            )
    for pole in study.poles:
        if pole not in meanings.values():
            yield keys, f"{meanings} given; no label means {pole!r}, and both classes are needed"


def _morphs(study: Study) -> Broken:
    morphs = study.morphs
    if morphs.source in ("folder", "landmarks") and morphs.root is None:
        yield (
            ("morphs.root", "morphs.source"),
            f"nothing given; morphs.source {morphs.source!r} needs a folder",
        )
    if morphs.source == "folder" and "{step}" not in morphs.pattern:
        yield ("morphs.pattern", "morphs.source"), f"{morphs.pattern!r} given; it needs {{step}}"


def _regions(study: Study) -> Broken:
    morphs = study.morphs
    if morphs.regions == "truth" and morphs.source != "builtin":
        yield (
            ("morphs.regions", "morphs.source"),
            "'truth' given; only the built-in faces know their parts, and morphs.source is "
            f"{morphs.source!r}: use boxes, or landmarks where your faces have them",
        )
    if morphs.regions == "landmarks" and morphs.source != "landmarks":
        yield (
            ("morphs.regions", "morphs.source"),
            f"'landmarks' given; morphs.source {morphs.source!r} has none: use boxes or truth",
        )
    hidden = [part for part in morphs.conditions if part != "full" and part not in morphs.boxes]
    if morphs.regions == "boxes" and hidden:
        yield (
            ("morphs.boxes", "morphs.regions", "morphs.conditions"),
            f"no box of {', '.join(hidden)}, which morphs.conditions {list(morphs.conditions)} "
            "hide; allowed: a box of each hidden part, as [first column, last column, first row, "
            "last row], or fewer conditions",
        )


def _observers(study: Study) -> Broken:
    ends = study.observers.level_range
    codes = study.observers.codes
    if len(ends) != 2 or ends[0] == ends[1]:
        yield (
            ("observers.level_range",),
            f"{list(ends)} given; allowed: two numbers that differ, the file's value at fully "
            f"{study.negative} and at fully {study.positive}",
        )
    if study.observers.file_pattern and study.observers.columns.get("observer"):
        yield (
            ("observers.file_pattern", "observers.columns"),
            "both say who it was; allowed: one of them",
        )
    if study.observers.decimal and study.observers.decimal == study.observers.thousands:
        yield (
            ("observers.thousands", "observers.decimal"),
            f"{study.observers.thousands!r} given for both; allowed: two that differ",
        )
    if set(codes.values()) != {0, 1}:
        yield (
            ("observers.codes",),
            f"{codes} given; one code must mean 1 ({study.positive}) and one 0 ({study.negative})",
        )


def _networks(study: Study) -> Broken:
    if study.networks.pretraining == "face" and study.networks.face_weights is None:
        yield (
            ("networks.face_weights", "networks.pretraining"),
            "nothing given; pretraining 'face' needs a state-dict file",
        )


def _attention(study: Study) -> Broken:
    attention = study.attention
    weights = {(attention.region_prior or {}).get(part, 0) for part in PARTS}
    if len(weights) > 1 and attention.kind != "self":
        yield (
            ("attention.region_prior", "attention.kind"),
            f"{attention.region_prior} given with attention.kind {attention.kind!r}; allowed: kind "
            "'self', the only one that weighs the parts of the face",
        )
    channels = CHANNELS[attention.location]
    inner = max(1, channels // attention.reduction)
    if attention.kind == "self" and inner % attention.heads:
        yield (
            ("attention.heads", "attention.location", "attention.reduction"),
            f"{attention.heads} given for {inner} inner channels (AlexNet's {channels} at "
            f"{attention.location} over the reduction {attention.reduction}); allowed: a divisor "
            f"of {inner}",
        )


def _bounds(study: Study) -> Broken:
    bounds = study.statistics.people
    lows, highs = zip(bounds.guess, bounds.lapse, strict=True)
    if sum(lows) >= 1 or sum(highs) > 1:
        yield (
            ("statistics.people.guess", "statistics.people.lapse"),
            f"{list(bounds.guess)} given with lapse {list(bounds.lapse)}; allowed: highs of at "
            "most 1 and lows below 1 together, or nothing is left for the curve to rise",
        )


RULES = (
    _images,
    _pattern,
    _labels,
    _morphs,
    _regions,
    _observers,
    _networks,
    _attention,
    _bounds,
)
