"""A mixed logistic model of single responses: fixed effects by formula, a random intercept and
effects a person.

statsmodels' BinomialBayesMixedGLM gives intervals for the fixed effects that are several times too
narrow on data like these (tried in both its modes), so the marginal likelihood is maximised here,
by Laplace's approximation (Breslow & Clayton 1993), which is accurate with some dozens of trials a
person.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import patsy
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize, special, stats
from statsmodels.tools.numdiff import approx_hess


def mixed_logistic(
    trials: pd.DataFrame,
    formula: str,
    *,
    random: str = "level_centred",
    observer: str = "observer",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Log-odds of *happy* for every term of ``formula``, with Wald intervals that know of the
    differences of people.

    Parameters
    ----------
    trials : one row per trial, with ``response`` and ``level``; missed trials are left out.
    formula : fixed effects, such as ``"level_centred * C(cue)"``; ``level_centred`` = level - 0.5
        is added here.
    random : effects in which people may differ, besides the intercept, with free correlations. Each
        fixed effect that varies within people belongs here, or its interval is too narrow (Barr et
        al. 2013).

    Returns
    -------
    source, estimate, low, high, z, p, n (trials), n_observers, converged; rows such as ``SD of
    Intercept`` give the spread of people, without a test.

    Raises
    ------
    ValueError : all responses alike, or fewer than two observers.
    """
    data = trials.dropna(subset=["response"]).assign(level_centred=lambda t: t["level"] - 0.5)
    if data["response"].nunique() < 2 or data[observer].nunique() < 2:
        raise ValueError(
            f"{data[observer].nunique()} observers and {data['response'].nunique()} "
            "kinds of responses "
            "given; allowed: at least two of each"
        )
    plain = smf.glm(f"response ~ {formula}", data, family=sm.families.Binomial())
    varying = patsy.dmatrix(random, data)
    cells = _cells(plain.exog, np.asarray(varying), data["response"].to_numpy(), data[observer])
    size = varying.shape[1]
    p = len(plain.exog_names)
    start = np.concatenate(
        [
            plain.fit().params.to_numpy(),
            np.full(size, np.log(0.5)),
            np.zeros(size * (size - 1) // 2),
        ]
    )
    bounds = [(None, None)] * p + [(-5, 3)] * size  # log SDs: a leap to 0 is a dead end
    bounds += [(-20, 20)] * (len(start) - len(bounds))
    modes = np.zeros((len(cells[0]), size))  # each search of them begins where the last one ended
    best = optimize.minimize(
        _loss,
        start,
        args=(cells, modes),
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-12, "maxiter": 1000, "maxfun": 100_000},
    )
    covariance = np.linalg.pinv(approx_hess(best.x, _loss, args=(cells, modes)))
    table = _table(
        plain.exog_names,
        varying.design_info.column_names,
        best.x,
        np.sqrt(np.diag(covariance)[:p]),
        confidence,
    )
    return table.assign(
        n=len(data), n_observers=data[observer].nunique(), converged=_at_rest(best, cells)
    )


def _at_rest(best: optimize.OptimizeResult, cells: tuple[np.ndarray, ...]) -> bool:
    """Whether the search ended where no parameter has a slope to speak of; a line search may
    end early right there.
    """
    return bool(best.success or np.abs(best.jac).max() < 1e-2 * np.sqrt(cells[3].sum()))


def _table(
    names: list[str], varying: list[str], x: np.ndarray, se: np.ndarray, confidence: float
) -> pd.DataFrame:
    estimate = x[: len(names)]
    wide = stats.norm.ppf(0.5 + confidence / 2)
    fixed = pd.DataFrame(
        {
            "source": names,
            "estimate": estimate,
            "low": estimate - wide * se,
            "high": estimate + wide * se,
            "z": estimate / se,
            "p": 2 * stats.norm.sf(abs(estimate / se)),
        }
    )
    root = _root(x[len(names) :], len(varying))
    spread = pd.DataFrame(
        {
            "source": [f"SD of {name}" for name in varying],
            "estimate": np.sqrt(np.diag(root @ root.T)),
        }
    )
    return pd.concat([fixed, spread], ignore_index=True)


def _cells(
    x: np.ndarray, z: np.ndarray, response: np.ndarray, observer: pd.Series
) -> tuple[np.ndarray, ...]:
    """Trials with the same person and predictors counted together, padded to (persons, cells):
    X, Z, happy, n.
    """
    frame = pd.DataFrame(np.column_stack([x, z]))
    keys = [observer.to_numpy(), *[frame[c].to_numpy() for c in frame]]
    counts = pd.DataFrame({"happy": response, "n": 1.0}).groupby(keys).sum()
    person = pd.factorize(counts.index.get_level_values(0))[0]
    place = counts.groupby(level=0).cumcount().to_numpy()
    values = np.array([list(key[1:]) for key in counts.index], float)
    shape = (person.max() + 1, place.max() + 1)
    out = [
        np.zeros((*shape, x.shape[1])),
        np.zeros((*shape, z.shape[1])),
        np.zeros(shape),
        np.zeros(shape),
    ]
    predictors = [values[:, : x.shape[1]], values[:, x.shape[1] :], counts["happy"], counts["n"]]
    for array, filling in zip(out, predictors, strict=True):
        array[person, place] = filling
    return tuple(out)


def _root(theta: np.ndarray, size: int) -> np.ndarray:
    """Lower Cholesky factor of the random effects' covariance: logarithms of its diagonal, then
    what lies below.
    """
    root = np.diag(np.exp(theta[:size]))
    root[np.tril_indices(size, -1)] = theta[size:]
    return root


def _loss(parameters: np.ndarray, cells: tuple[np.ndarray, ...], modes: np.ndarray) -> float:
    """Minus the marginal log-likelihood by Laplace's approximation; random effects are Z root u, u
    standard normal.

    ``modes`` (persons, effects) is where the search for each person's u begins; it is left at the u
    found.
    """
    x, z, happy, n = cells
    fixed = x @ parameters[: x.shape[-1]]
    z = z @ _root(parameters[x.shape[-1] :], z.shape[-1])
    u = modes[:] = _modes(modes, fixed, z, happy, n)
    likelihood = _joint(u, fixed, z, happy, n)
    return float(-(likelihood - 0.5 * np.linalg.slogdet(_inner(u, fixed, z, happy, n)[1])[1]).sum())


def _modes(u, fixed, z, happy, n) -> np.ndarray:
    """Where each person's joint likelihood is largest, (persons, effects), by Newton's steps,
    halved where too long.

    A loss whose inner search has not come to rest is no smooth function of the parameters, and its
    Hessian is noise.
    """
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
        u = u + step
        value = found
        if np.abs(step).max() < 1e-9:
            break
    return u


def _joint(u, fixed, z, happy, n) -> np.ndarray:
    """Log likelihood of responses and random effects together, (persons,), up to a constant."""
    log_odds = fixed + (z @ u[..., None])[..., 0]
    return (happy * log_odds - n * np.logaddexp(0, log_odds)).sum(1) - 0.5 * (u**2).sum(1)


def _inner(u, fixed, z, happy, n) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (persons, effects) and information (persons, effects, effects) in u."""
    p = special.expit(fixed + (z @ u[..., None])[..., 0])
    gradient = ((happy - n * p)[:, None] @ z)[:, 0] - u
    return gradient, z.swapaxes(1, 2) @ ((n * p * (1 - p))[..., None] * z) + np.eye(z.shape[-1])
