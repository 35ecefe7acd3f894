"""``python -m lib.study``: write a study and check it before a run."""

from lib.settings.loading import Study, load_study

__all__ = ["Study", "load_study"]
