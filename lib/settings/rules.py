"""Rules across settings: values that are each allowed but not together."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lib.settings.options import ARCHITECTURES, PARTS, Study
from lib.settings.words import POLES, SIDES, problem_of_poles

CHANNELS = {
    "conv1": 64,
    "conv2": 192,
    "conv3": 384,
    "conv4": 256,
    "conv5": 256,
}  # of torchvision's AlexNet
NAME = r"\w[\w.-]{0,99}"
# a network of a library, or a function in a file of the user's
OUTSIDE_NETWORK = r"(torchvision|timm):[\w./-]+|.+\.py:[^\W\d]\w*"
# a broken rule: the keys it is about, and what was given, what is allowed
Broken = Iterator[tuple[tuple[str, ...], str]]


def contradictions(study: Study, wrong_keys: set[str]) -> list[str]:
    """Every broken rule as a sentence; a rule about a key that is itself in ``wrong_keys`` is left
    out.

    A key that was refused holds its default meanwhile, so a rule about it would blame the user for
    the default.
    """
    found = list(_poles(study))
    if found:  # nothing that hangs on them can be said
        wrong_keys = wrong_keys | {"images.labels", "observers.codes"}
        study = replace(study, poles=POLES)
    found += [broken for rule in RULES for broken in rule(study)]
    return [f"{keys[0]}: {text}" for keys, text in found if not wrong_keys.intersection(keys)]


def _name(study: Study) -> Broken:
    if not re.fullmatch(NAME, study.name):
        yield (
            ("name",),
            (
                f"{study.name!r} given; allowed: a plain folder name of letters, "
                "digits, '-', '_' and '.', "
                "100 at most"
            ),
        )


def _images(study: Study) -> Broken:
    images = study.images
    if images.source != "builtin" and images.root is None:
        yield (
            ("images.root", "images.source"),
            (
                f"nothing given; images.source {images.source!r} needs the path "
                "of your images, such as "
                "images.root=data/raw/fer2013"
            ),
        )
    yield from _labels(study)
    if images.source != "filenames":
        return
    if images.pattern is None:
        yield (
            ("images.pattern", "images.source"),
            (
                "nothing given; images.source 'filenames' needs a regular "
                "expression with (?P<label>...), and (?P<identity>...) where known"
            ),
        )
    elif not (groups := _groups(images.pattern)):
        yield (
            ("images.pattern",),
            f"{images.pattern!r} given, which is not a regular expression with named groups",
        )
    elif "label" not in groups:
        yield ("images.pattern",), f"{images.pattern!r} given; it has no (?P<label>...)"


def _labels(study: Study) -> Broken:
    keys = ("images.labels", "poles")
    meanings = study.images.labels
    allowed = f"{study.negative} or {study.positive} (or negative, positive)"
    for label, meaning in meanings.items():
        if meaning not in study.poles:
            close = difflib.get_close_matches(meaning, [*study.poles, *SIDES], n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield keys, f"{label!r} means {meaning!r}; allowed: {allowed}{hint}"
    for pole in study.poles:
        if pole not in meanings.values():
            yield (
                keys,
                f"{meanings} given; no label means {pole!r}, and both classes are needed",
            )


def _poles(study: Study) -> Broken:
    if problem := problem_of_poles(study.poles):
        yield ("poles",), f"{list(study.poles)} given; {problem}"


def _groups(pattern: str) -> tuple[str, ...]:
    try:
        return tuple(re.compile(pattern).groupindex)
    except re.error:
        return ()


def _morphs(study: Study) -> Broken:
    morphs = study.morphs
    if morphs.source in ("folder", "landmarks") and morphs.root is None:
        yield (
            ("morphs.root", "morphs.source"),
            f"nothing given; morphs.source {morphs.source!r} needs a folder",
        )
    if morphs.source == "folder" and "{step}" not in morphs.pattern:
        yield ("morphs.pattern", "morphs.source"), f"{morphs.pattern!r} given; it needs {{step}}"
    if "full" not in morphs.conditions:
        yield (
            ("morphs.conditions",),
            f"{list(morphs.conditions)} given; allowed: 'full' and any parts",
        )
    if morphs.regions == "truth" and morphs.source != "builtin":
        yield (
            ("morphs.regions", "morphs.source"),
            (
                "'truth' given; only the built-in faces know their parts, and "
                f"morphs.source is {morphs.source!r}: "
                "use boxes, or landmarks where your faces have them"
            ),
        )
    if morphs.regions == "landmarks" and morphs.source != "landmarks":
        yield (
            ("morphs.regions", "morphs.source"),
            (f"'landmarks' given; morphs.source {morphs.source!r} has none: use boxes or truth"),
        )
    hidden = [part for part in morphs.conditions if part != "full" and part not in morphs.boxes]
    if morphs.regions == "boxes" and hidden:
        yield (
            ("morphs.boxes", "morphs.regions", "morphs.conditions"),
            (
                f"no box of {', '.join(hidden)}, which morphs.conditions "
                f"{list(morphs.conditions)} hide; allowed: a box of "
                "each hidden part, as [first column, last column, first row, "
                "last row], or fewer conditions"
            ),
        )
    for part, box in morphs.boxes.items():
        if len(box) != 4 or box[0] >= box[1] or box[2] >= box[3]:
            yield (
                ("morphs.boxes",),
                (
                    f"{part} {list(box)} given; allowed: [first column, last column, first row, "
                    "last row]"
                ),
            )


def _parts(study: Study) -> Broken:
    given = {
        "images.diagnosticity": study.images.diagnosticity,
        "morphs.boxes": study.morphs.boxes,
        "attention.region_prior": study.attention.region_prior or {},
        "observers.simulated.part_pse_shift": study.observers.simulated.part_pse_shift,
        "observers.simulated.part_scale_factor": study.observers.simulated.part_scale_factor,
    }
    for where, value in given.items():
        for part in sorted(value.keys() - set(PARTS)):
            yield (where,), f"unknown part {part!r}; allowed: {', '.join(PARTS)}"


def _observers(study: Study) -> Broken:
    ends = study.observers.level_range
    if len(ends) != 2 or ends[0] == ends[1]:
        yield (
            ("observers.level_range",),
            (
                f"{list(ends)} given; allowed: two numbers that differ, the file's value at "
                f"fully {study.negative} and at fully {study.positive}"
            ),
        )
    if set(study.observers.codes.values()) != {0, 1}:
        yield (
            ("observers.codes",),
            f"{study.observers.codes} given; one code must mean 1 ({study.positive}) and one 0 "
            f"({study.negative})",
        )


def _networks(study: Study) -> Broken:
    if study.networks.pretraining == "face" and study.networks.face_weights is None:
        yield (
            ("networks.face_weights", "networks.pretraining"),
            ("nothing given; pretraining 'face' needs a state-dict file"),
        )


def _architectures(study: Study) -> Broken:
    for name in study.networks.architectures:
        if name in ARCHITECTURES or re.fullmatch(OUTSIDE_NETWORK, name):
            continue
        close = difflib.get_close_matches(name, ARCHITECTURES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        yield (
            ("networks.architectures",),
            f"{name!r} given; allowed: {', '.join(ARCHITECTURES)}, torchvision:NAME, timm:NAME, "
            f"path/to/file.py:function{hint}",
        )


def _empty(study: Study) -> Broken:
    """``morphs.conditions`` and the pairs of numbers have rules of their own."""
    for where in (
        "networks.architectures",
        "grid.kinds",
        "grid.locations",
        "grid.reductions",
        "saliency.methods",
        "saliency.levels",
    ):
        section, name = where.split(".")
        if not getattr(getattr(study, section), name):
            yield (
                (where,),
                (
                    f"an empty list given; allowed: at least one of the {name}. "
                    "Leave it out for the default"
                ),
            )


def _attention(study: Study) -> Broken:
    attention = study.attention
    weights = {(attention.region_prior or {}).get(part, 0) for part in PARTS}
    if len(weights) > 1 and attention.kind != "self":
        yield (
            ("attention.region_prior", "attention.kind"),
            (
                f"{attention.region_prior} given with attention.kind "
                f"{attention.kind!r}; allowed: kind 'self', the only "
                "one that weighs the parts of the face"
            ),
        )
    inner = max(1, CHANNELS[attention.location] // attention.reduction)
    if attention.kind == "self" and inner % attention.heads:
        yield (
            ("attention.heads", "attention.location", "attention.reduction"),
            (
                f"{attention.heads} given for {inner} inner channels (AlexNet's "
                f"{CHANNELS[attention.location]} at "
                f"{attention.location} over the reduction {attention.reduction}); "
                f"allowed: a divisor of {inner}"
            ),
        )


def _bounds(study: Study) -> Broken:
    for name in ("people", "networks"):
        bounds = getattr(study.statistics, name)
        wrong = [key for key in ("guess", "lapse") if not _is_range(getattr(bounds, key))]
        for key in wrong:
            yield (
                (f"statistics.{name}.{key}",),
                f"{list(getattr(bounds, key))} given; allowed: [low, high]",
            )
        if not wrong and (
            bounds.guess[0] + bounds.lapse[0] >= 1 or bounds.guess[1] + bounds.lapse[1] > 1
        ):
            yield (
                (f"statistics.{name}.guess", f"statistics.{name}.lapse"),
                (
                    f"{list(bounds.guess)} given with lapse {list(bounds.lapse)}; "
                    "allowed: highs of at most 1 and lows "
                    "below 1 together, or nothing is left for the curve to rise"
                ),
            )


def _is_range(pair: tuple[float, ...]) -> bool:
    return len(pair) == 2 and pair[0] <= pair[1]


def _twice(study: Study) -> Broken:
    given = {
        "networks.architectures": study.networks.architectures,
        "networks.controls": study.networks.controls,
        "morphs.conditions": study.morphs.conditions,
        "saliency.methods": study.saliency.methods,
        "saliency.levels": study.saliency.levels,
    }
    for where, values in given.items():
        again = [value for value, n in Counter(values).items() if n > 1]
        if again:
            yield (where,), f"{again[0]!r} given twice; allowed: each once"


RULES = (
    _name,
    _images,
    _morphs,
    _parts,
    _observers,
    _networks,
    _architectures,
    _empty,
    _attention,
    _bounds,
    _twice,
)
