"""What figures, tables and sentences call networks and people."""

from __future__ import annotations

LABELS = {
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg13": "VGG13",
    "vgg16": "VGG16",
    "fe_alexnet": "FE-AlexNet",
    "alexnet_matched": "AlexNet + matched block",
    "alexnet_shuffled": "AlexNet, shuffled labels",
}


def label(architecture: str, pretraining: str = "") -> str:
    """What a figure calls a network: ``AlexNet``, or ``AlexNet (untrained)`` where that needs
    saying.
    """
    suffix = f" ({pretraining})" if pretraining and pretraining != "imagenet" else ""
    return LABELS.get(architecture, architecture) + suffix


def people_label(kind: str, n: int | None = None) -> str:
    """``63 people`` or ``40 simulated people``: simulated ones are called so wherever they show."""
    noun = {"human": "people", "simulated": "simulated people"}[kind]
    return noun if n is None else f"{n} {noun}"


def title_note(kind: str) -> str:
    """What a figure's title adds when its people are simulated."""
    return " (people are SIMULATED)" if kind == "simulated" else ""
