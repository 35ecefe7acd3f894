"""The psychometric function of people: fitted, pooled and resampled.

``fitting`` fits, ``result`` is a fit, ``group`` pools observers, ``resampling`` gives intervals;
``likelihood``, ``search``, ``start_grid``, ``sigmoids`` and ``curves`` are the parts of a fit.
"""

from lib.psychometrics.fitting import fit_psychometric
from lib.psychometrics.group import fit_group
from lib.psychometrics.resampling import compare_fits
from lib.psychometrics.result import PsychometricFit

__all__ = ["PsychometricFit", "compare_fits", "fit_group", "fit_psychometric"]
