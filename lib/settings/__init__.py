"""The settings of a study: what they are, their rules, and how a study file is read.

``inputs`` (pictures, people) and ``options`` (everything else) list each setting with its default,
``values`` says what kinds of values there are, ``rules`` what does not go together, ``words`` what
poles and networks are called; ``loading`` reads a file, ``problems`` says what is wrong with it.
"""

from lib.settings.loading import Study, StudyError, load_study, resolve

__all__ = ["Study", "StudyError", "load_study", "resolve"]
