"""What figures, tables and sentences call the poles, networks, people and parts of the face."""

from __future__ import annotations

from collections.abc import Sequence

POLES = ("sad", "happy")  # negative first, as everywhere
SIDES = ("negative", "positive")  # what every study may call its poles
Poles = tuple[str, str]

LABELS = {
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg13": "VGG13",
    "vgg16": "VGG16",
    "fe_alexnet": "FE-AlexNet",
    "fe_alexnet_guided": "FE-AlexNet, guided",
    "alexnet_matched": "AlexNet + matched block",
    "alexnet_se": "AlexNet + SE block",
    "alexnet_shuffled": "AlexNet, shuffled labels",
}


def pole_word(meaning: str, poles: Sequence[str] = POLES) -> str:
    """A pole's own word for ``negative`` or ``positive``; any other word as it is.

    Example
    -------
    >>> pole_word("negative", ("angry", "happy"))
    'angry'
    """
    return dict(zip(SIDES, poles, strict=True)).get(meaning, meaning)


def problem_of_poles(poles: Sequence[str]) -> str:
    """What is wrong with a study's poles, with what is allowed; empty where nothing is."""
    allowed = "allowed: two words that differ, the negative one first, such as [sad, happy]"
    if len(poles) != 2 or poles[0] == poles[1]:
        return allowed
    if not all(pole.strip() == pole and pole for pole in poles):
        return f"{allowed}, without spaces around them"
    if poles[0] == SIDES[1] or poles[1] == SIDES[0]:
        return f"{allowed}; negative comes before positive"
    return ""


def label(architecture: str, pretraining: str = "") -> str:
    """What a figure calls a network: ``AlexNet``, or ``AlexNet (untrained)`` where that needs
    saying.

    A network of a library goes by its name alone (``resnet18``), one from a file by its
    function's.
    """
    suffix = f" ({pretraining})" if pretraining and pretraining != "imagenet" else ""
    return LABELS.get(architecture, architecture.rpartition(":")[2]) + suffix


def people_label(kind: str, n: int | None = None) -> str:
    """``63 people`` or ``40 simulated people``: simulated ones are called so wherever they show."""
    noun = {"human": "people", "simulated": "simulated people"}[kind]
    return noun if n is None else f"{n} {noun}"


def title_note(kind: str) -> str:
    """What a figure's title adds when its people are simulated."""
    return " (people are SIMULATED)" if kind == "simulated" else ""
