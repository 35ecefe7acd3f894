"""The widgets of the notebooks, by one name each."""

from __future__ import annotations

from lib.widgets.attention_controls import attention_lab
from lib.widgets.attention_lab import AttentionLab
from lib.widgets.explorer import saliency_explorer
from lib.widgets.observer_task import choose_stimuli, export_task, observer_task

__all__ = [
    "AttentionLab",
    "attention_lab",
    "choose_stimuli",
    "export_task",
    "observer_task",
    "saliency_explorer",
]
