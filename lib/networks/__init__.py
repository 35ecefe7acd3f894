"""Networks: devices, weights, backbones, attention, and one way to an answer.

The names are loaded when they are first used: torch takes seconds, and a study is checked without.
"""

from importlib import import_module

_HOMES = {
    "Answer": "lib.networks.answers",
    "Attention": "lib.networks.attention_options",
    "answer": "lib.networks.answers",
    "build_network": "lib.networks.network",
}
__all__ = ["Answer", "Attention", "answer", "build_network"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
