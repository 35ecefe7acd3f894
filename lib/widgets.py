"""The widgets of the notebooks, by one name each."""

from __future__ import annotations

from lib.observer_task import choose_stimuli, export_task, observer_task

__all__ = ["choose_stimuli", "export_task", "observer_task"]
