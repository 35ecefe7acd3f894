"""A mixed logistic model of single responses: fixed effects by formula, a random intercept and level effect a person.

statsmodels' BinomialBayesMixedGLM gives intervals for the fixed effects that are several times too narrow on data
like these (tried in both its modes), so the marginal likelihood is maximised here, by Laplace's approximation
(Breslow & Clayton 1993), which is accurate with some dozens of trials a person.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize, special, stats
from statsmodels.tools.numdiff import approx_hess


def mixed_logistic(trials: pd.DataFrame, formula: str, *, observer: str = "observer",
                   confidence: float = 0.95) -> pd.DataFrame:
    """Log-odds of *happy* for every term of ``formula``, with Wald intervals that know of the differences of people.

    Parameters
    ----------
    trials : one row per trial, with ``response`` and ``level``; missed trials are left out.
    formula : fixed effects, such as ``"level_centred * C(cue)"``; ``level_centred`` = level - 0.5 is added here.

    Returns
    -------
    source, estimate, low, high, z, p, n (trials), n_observers; the rows ``SD of intercept`` and ``SD of level`` give
    the spread of people, without a test.

    Raises
    ------
    ValueError : all responses alike, or fewer than two observers.
    """
    data = trials.dropna(subset=["response"]).assign(level_centred=lambda t: t["level"] - 0.5)
    if data["response"].nunique() < 2 or data[observer].nunique() < 2:
        raise ValueError(f"{data[observer].nunique()} observers and {data['response'].nunique()} kinds of responses "
                         "given; allowed: at least two of each")
    plain = smf.glm(f"response ~ {formula}", data, family=sm.families.Binomial())
    cells = _cells(plain.exog, data["level_centred"].to_numpy(), data["response"].to_numpy(), data[observer])
    start = np.concatenate([plain.fit().params.to_numpy(), [np.log(0.5), 0.0, np.log(1.0)]])
    bounds = [(None, None)] * (len(start) - 3) + [(-5, 3), (-20, 20), (-5, 3)]  # log SDs: a leap to 0 is a dead end
    best = optimize.minimize(_loss, start, args=(cells,), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12})
    covariance = np.linalg.pinv(approx_hess(best.x, _loss, args=(cells,)))
    p = len(plain.exog_names)
    return _table(plain.exog_names, best.x, np.sqrt(np.diag(covariance)[:p]), confidence).assign(
        n=len(data), n_observers=data[observer].nunique())


def _table(names: list[str], x: np.ndarray, se: np.ndarray, confidence: float) -> pd.DataFrame:
    estimate, wide = x[:len(names)], stats.norm.ppf(0.5 + confidence / 2)
    fixed = pd.DataFrame({"source": names, "estimate": estimate, "low": estimate - wide * se,
                          "high": estimate + wide * se, "z": estimate / se, "p": 2 * stats.norm.sf(abs(estimate / se))})
    root = _root(x[len(names):])
    spread = pd.DataFrame({"source": ["SD of intercept", "SD of level"], "estimate": np.sqrt(np.diag(root @ root.T))})
    return pd.concat([fixed, spread], ignore_index=True)


def _cells(x: np.ndarray, level: np.ndarray, response: np.ndarray, observer: pd.Series) -> tuple[np.ndarray, ...]:
    """Trials with the same person and predictors counted together, padded to (persons, cells): X, Z, happy, n."""
    frame = pd.DataFrame(np.column_stack([x, level]))
    keys = [observer.to_numpy(), *[frame[c].to_numpy() for c in frame]]
    counts = pd.DataFrame({"happy": response, "n": 1.0}).groupby(keys).sum()
    person = pd.factorize(counts.index.get_level_values(0))[0]
    place = counts.groupby(level=0).cumcount().to_numpy()
    values = np.array([list(key[1:]) for key in counts.index], float)
    shape = (person.max() + 1, place.max() + 1)
    out = [np.zeros((*shape, x.shape[1])), np.zeros((*shape, 2)), np.zeros(shape), np.zeros(shape)]
    predictors = [values[:, :-1], np.column_stack([np.ones(len(values)), values[:, -1]]), counts["happy"], counts["n"]]
    for array, filling in zip(out, predictors, strict=True):
        array[person, place] = filling
    return tuple(out)


def _root(theta: np.ndarray) -> np.ndarray:
    """Lower Cholesky factor of the random effects' covariance, from log SDs and the element between."""
    return np.array([[np.exp(theta[0]), 0.0], [theta[1], np.exp(theta[2])]])


def _loss(parameters: np.ndarray, cells: tuple[np.ndarray, ...]) -> float:
    """Minus the marginal log-likelihood by Laplace's approximation; random effects are Z root u, u standard normal."""
    x, z, happy, n = cells
    fixed, z = x @ parameters[:x.shape[-1]], z @ _root(parameters[x.shape[-1]:])
    u = _modes(fixed, z, happy, n)
    likelihood = _joint(u, fixed, z, happy, n)
    return float(-(likelihood - 0.5 * np.linalg.slogdet(_inner(u, fixed, z, happy, n)[1])[1]).sum())


def _modes(fixed, z, happy, n) -> np.ndarray:
    """Where each person's joint likelihood is largest, (persons, 2): Newton's steps, halved where they go too far.

    A loss whose inner search has not come to rest is no smooth function of the parameters, and its Hessian is noise.
    """
    u = np.zeros((len(fixed), 2))
    value = _joint(u, fixed, z, happy, n)
    for _ in range(50):
        gradient, curvature = _inner(u, fixed, z, happy, n)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        for _ in range(20):
            found = _joint(u + step, fixed, z, happy, n)
            worse = found < value - 1e-12 * np.abs(value)
            if not worse.any():
                break
            step[worse] /= 2
        u, value = u + step, found
        if np.abs(step).max() < 1e-9:
            break
    return u


def _joint(u, fixed, z, happy, n) -> np.ndarray:
    """Log likelihood of responses and random effects together, (persons,), up to a constant."""
    log_odds = fixed + np.einsum("pcr,pr->pc", z, u)
    return (happy * log_odds - n * np.logaddexp(0, log_odds)).sum(1) - 0.5 * (u**2).sum(1)


def _inner(u, fixed, z, happy, n) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (persons, 2) and information (persons, 2, 2) in u."""
    p = special.expit(fixed + np.einsum("pcr,pr->pc", z, u))
    gradient = np.einsum("pcr,pc->pr", z, happy - n * p) - u
    return gradient, np.einsum("pcr,pc,pcs->prs", z, n * p * (1 - p), z) + np.eye(2)
