"""Psychometric functions: fit, pool and resample them, and the tables of fits."""

from lib.psychometrics.fitting import fit_psychometric
from lib.psychometrics.group import fit_group
from lib.psychometrics.resampling import compare_fits
from lib.psychometrics.result import PsychometricFit

__all__ = ["PsychometricFit", "compare_fits", "fit_group", "fit_psychometric"]
