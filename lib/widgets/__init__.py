"""The widgets of the notebooks, by one name each. Those that need networks are loaded when they are
asked for, so that the start page does without torch.
"""

from __future__ import annotations

from importlib import import_module

from lib.widgets.observer_task import choose_stimuli, export_task, observer_task

LATER = {
    "AttentionLab": "lib.live.lab",
    "attention_lab": "lib.live.lab_controls",
    "saliency_explorer": "lib.live.explorer",
}
__all__ = ["choose_stimuli", "export_task", "observer_task", *LATER]


def __getattr__(name: str) -> object:
    """A widget that needs networks."""
    if name not in LATER:
        raise AttributeError(f"lib.widgets has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(LATER[name]), name)
