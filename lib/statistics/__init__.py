"""Statistics that the notebooks report: intervals, tests, ANOVA, mixed models."""

from lib.statistics.anova import rm_anova

__all__ = ["rm_anova"]
