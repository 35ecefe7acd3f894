"""The widgets of the notebooks, by one name each."""

from __future__ import annotations

from lib.attention_controls import attention_lab
from lib.attention_lab import AttentionLab
from lib.observer_task import choose_stimuli, export_task, observer_task
from lib.saliency_widget import saliency_explorer

__all__ = ["AttentionLab", "attention_lab", "choose_stimuli", "export_task", "observer_task", "saliency_explorer"]
