"""The kinds of values that settings take; pydantic checks them, and a refusal says what is allowed.

A study is YAML, where ``1e-4`` is text and ``3`` may be meant as a label: such values are turned
into what is wanted, and nothing else is.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import reprlib
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

import yaml
from pydantic import AfterValidator, BeforeValidator, Field

from lib.settings.words import problem_of_poles

STRONGEST = 10.0  # log-weight of a part: 22,000 to 1
LARGEST = 2**1000  # whole numbers above it are no floats

Part = Literal["eyes", "nose", "mouth"]
Condition = Literal["full", "eyes", "nose", "mouth"]
Architecture = Literal["alexnet", "vgg11", "vgg13", "vgg16", "fe_alexnet"]
Kind = Literal["self", "se", "cbam", "none", "matched"]
Location = Literal["conv1", "conv2", "conv3", "conv4", "conv5"]
Pretraining = Literal["imagenet", "face", "untrained", "objects", "faces"]
Control = Literal["untrained", "matched", "se", "guided", "shuffled"]
SaliencyMethod = Literal["gradcam", "hirescam", "occlusion", "integrated_gradients", "attention"]

PARTS = get_args(Part)
CONDITIONS = get_args(Condition)
ARCHITECTURES = get_args(Architecture)
KINDS = get_args(Kind)
LOCATIONS = get_args(Location)

NAME = r"\w[\w.-]{0,99}"
# a network of a library, or a function in a file of the user's
OUTSIDE_NETWORK = r"(torchvision|timm):[\w./-]+|.+\.py:[^\W\d]\w*"


def shown(given: object) -> str:
    """What was given, cut short where it is long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(given)


def did_you_mean(given: object, allowed: Iterable[str], section: str = "") -> str:
    """``; did you mean conv3?`` where an allowed word is near, otherwise nothing."""
    close = difflib.get_close_matches(str(given), list(allowed), n=1)
    return f"; did you mean {section}{close[0]}?" if close else ""


def _number(given: object) -> object:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            return float(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return float(given) if abs(given) < LARGEST else float("inf")
    return given


def _text(given: object) -> object:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return str(given) if is_number and given == given else given


def _key(given: object) -> object:
    if isinstance(given, bool) or given is None:
        raise ValueError(
            f"the key {given!r} given, as which YAML reads an unquoted yes, no, on, off or null; "
            "allowed: the word in quotes"
        )
    return str(given)


def _listed(given: object) -> object:
    """A list given as text, such as ``eyes,nose`` on the command line."""
    if isinstance(given, str):
        try:
            return tuple(yaml.safe_load(word) for word in given.split(","))
        except yaml.YAMLError:
            raise ValueError(f"{shown(given)} given; allowed: a list, such as [a, b]") from None
    return tuple(given) if isinstance(given, list) else given


def _several(given: object) -> object:
    """One value or a list of them; YAML's true and false are the words."""
    values = given if isinstance(given, list | tuple) else (given,)
    return tuple(str(value) if isinstance(value, bool) else value for value in values)


def _each_once(given: tuple) -> tuple:
    again = [value for value, n in Counter(given).items() if n > 1]
    if again:
        raise ValueError(f"{again[0]!r} given twice; allowed: each once")
    return given


def _name(given: str) -> str:
    if not re.fullmatch(NAME, given):
        raise ValueError(
            f"{shown(given)} given; allowed: a plain folder name of letters, digits, '-', '_' and "
            "'.', 100 at most"
        )
    return given


def _network(given: str) -> str:
    if given in ARCHITECTURES or re.fullmatch(OUTSIDE_NETWORK, given):
        return given
    raise ValueError(
        f"{shown(given)} given; allowed: {', '.join(ARCHITECTURES)}, torchvision:NAME, timm:NAME, "
        f"path/to/file.py:function{did_you_mean(given, ARCHITECTURES)}"
    )


def _poles(given: tuple[str, ...]) -> tuple[str, ...]:
    if problem := problem_of_poles(given):
        raise ValueError(f"{shown(list(given))} given; {problem}")
    return given


def _range(given: tuple[float, ...]) -> tuple[float, ...]:
    if len(given) != 2 or given[0] > given[1]:
        raise ValueError(f"{shown(list(given))} given; allowed: [low, high]")
    return given


def _box(given: tuple[int, ...]) -> tuple[int, ...]:
    if len(given) != 4 or given[0] >= given[1] or given[2] >= given[3]:
        raise ValueError(
            f"{shown(list(given))} given; allowed: [first column, last column, first row, last row]"
        )
    return given


def _full_and_parts(given: tuple[str, ...]) -> tuple[str, ...]:
    if "full" not in given:
        raise ValueError(f"{shown(list(given))} given; allowed: 'full' and any parts")
    return given


Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, BeforeValidator(_number), Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, BeforeValidator(_text), Field(strict=True)]
Key = Annotated[str, BeforeValidator(_key)]
Name = Annotated[Text, AfterValidator(_name)]
Share = Annotated[Number, Field(ge=0, le=1)]
Bound = Annotated[Number, Field(ge=0, le=0.6)]
Pixel = Annotated[Whole, Field(ge=0, le=223)]
LogWeight = Annotated[Number, Field(ge=-STRONGEST, le=STRONGEST)]

Listed = BeforeValidator(_listed)
Several = BeforeValidator(_several)
EachOnce = AfterValidator(_each_once)
Some = Field(min_length=1)
Poles = Annotated[tuple[Text, ...], Listed, AfterValidator(_poles)]
Range = Annotated[tuple[Bound, ...], Listed, AfterValidator(_range)]
Box = Annotated[tuple[Pixel, ...], Listed, AfterValidator(_box)]
Conditions = Annotated[tuple[Condition, ...], Listed, EachOnce, AfterValidator(_full_and_parts)]
NetworkNames = Annotated[
    tuple[Annotated[Text, AfterValidator(_network)], ...], Listed, Some, EachOnce
]
