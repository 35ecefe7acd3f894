"""``python -m lib.study``: write a study and check it before a run.

``new`` writes one from a few answers, ``check`` says what is wrong and what a run will do,
``costs`` how long it takes, ``setup`` whether everything is installed.
"""

from lib.settings.loading import Study, load_study

__all__ = ["Study", "load_study"]
