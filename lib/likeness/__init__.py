"""How alike people and networks answer, with chance, ceilings and intervals.

``level_scores`` goes by level; ``within_level``, ``image_pattern`` and ``bits`` by the same
pictures; ``comparison`` collects the scores, ``scorecard`` is their table.
"""

from lib.likeness.scorecard import human_likeness

__all__ = ["human_likeness"]
