"""Part profiles: what hiding the eyes, the nose or the mouth does to an observer, in units that
networks and people share.

The *loss* of a part is the fall of d' when it is hidden, less the fall when a patch of the same
area off the parts is hidden: hiding takes pixels away as well as the part. d' is (mean log-odds of
the upper third of levels - mean of the lower third) / pooled SD; for people it comes from choices
with the log-linear correction (Hautus 1995). Networks' d' and people's can differ in size, so
profiles are compared as the *share* of the whole face's d' that is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from lib.observers.decisions import log_odds_of
from lib.parts.controls import CONTROL
from lib.settings.options import PARTS
from lib.statistics.crossed import MIN_MEMBERS, jackknife_interval

MEASURES = (
    "loss",
    "raw_loss",
    "control_loss",
    "share",
    "deviation",
    "criterion_shift",
    "end_shift",
)
NETWORK = ["architecture", "pretraining"]
TOO_LITTLE = 0.5  # a d' below it leaves too little to speak of shares of it


@dataclass(frozen=True)
class Cube:
    """Answers of observers of one kind, to the same pictures.

    Parameters
    ----------
    values : networks: (seeds, identities, levels, conditions) log-odds, NaN where there is none;
        people: (people, identities, levels, conditions, 2) counts of positive answers and of all.
    levels : (levels,), 0 to 1. conditions : ``full``, parts, and ``control_`` with a part's name.
    """

    values: np.ndarray
    levels: np.ndarray
    conditions: tuple[str, ...]
    identities: tuple[str, ...]

    @property
    def parts(self) -> list[str]:
        """The hidden parts among its conditions."""
        return [part for part in PARTS if part in self.conditions]

    def select(self, conditions: Sequence[str]) -> Cube:
        """The same with some of the conditions."""
        keep = [name for name in self.conditions if name in conditions]
        index = [self.conditions.index(name) for name in keep]
        return Cube(self.values[:, :, :, index], self.levels, tuple(keep), self.identities)


def network_cube(trials: pd.DataFrame) -> Cube:
    """The log-odds of one architecture's networks.

    Parameters
    ----------
    trials : rows of one architecture and pretraining; with the control pictures' rows where these
        were shown. Only levels that every condition has are kept.
    """
    trials = trials.assign(log_odds=log_odds_of(trials))
    wide = trials.pivot_table(
        index="level", columns="condition", values="log_odds", aggfunc="count", sort=False
    )
    levels = np.sort(wide.dropna().index.to_numpy(float))
    conditions = _ordered(wide.columns)
    values = _filled(trials, levels, conditions, "log_odds", "seed")
    return Cube(values, levels, conditions, _names(trials))


def people_cube(trials: pd.DataFrame) -> Cube:
    """People's choices, counted; missed trials do not count, an unknown identity is one face."""
    rows = trials.dropna(subset=["response"]).assign(one=1.0)
    rows["identity"] = rows["identity"].fillna("")
    levels = np.sort(rows["level"].unique()).astype(float)
    conditions = _ordered(rows["condition"].unique())
    columns = ("response", "one")
    counts = [_filled(rows, levels, conditions, name, "observer", "sum") for name in columns]
    return Cube(np.nan_to_num(np.stack(counts, axis=-1)), levels, conditions, _names(rows))


def _ordered(conditions: Sequence[str]) -> tuple[str, ...]:
    known = ("full", *PARTS, *(CONTROL + part for part in PARTS))
    return tuple(name for name in known if name in set(conditions))


def _names(trials: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(set(trials["identity"])))


def _filled(
    trials: pd.DataFrame,
    levels: np.ndarray,
    conditions: Sequence[str],
    value: str,
    observer: str,
    how: str = "mean",
) -> np.ndarray:
    """(observers, identities, levels, conditions), NaN where nothing was shown."""
    keys = [observer, "identity", "level", "condition"]
    series = trials.groupby(keys)[value].agg(how)
    axes = [sorted(set(trials[observer])), _names(trials), levels, list(conditions)]
    full = series.reindex(pd.MultiIndex.from_product(axes))
    return full.to_numpy(float).reshape([len(axis) for axis in axes])


def thirds(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which levels are the lower, middle and upper third of the morph: bool (levels,) each."""
    lower = levels < 1 / 3 - 1e-9
    upper = levels > 2 / 3 + 1e-9
    return lower, ~(lower | upper), upper


def measures(cube: Cube) -> dict[str, np.ndarray]:
    """d' (``sensitivity``), mean evidence at the middle third (``middle``; of the other two where
    no level lies there) and at the lowest level (``end``), and the ``unit`` of d', each
    (observers, conditions).

    Evidence is in log-odds for networks and in probits of the share of positive answers for
    people; ``unit`` is the pooled SD in these, 1 for people.
    """
    lower, middle, upper = thirds(cube.levels)
    if cube.values.ndim == 5:
        rate = partial(_probit, cube.values)
        sensitivity = rate(upper) - rate(lower)
        mean = (rate(upper) + rate(lower)) / 2
        between = rate(middle) if middle.any() else mean
        end = rate(cube.levels == cube.levels.min())
        unit = np.ones_like(sensitivity)
        return {"sensitivity": sensitivity, "middle": between, "end": end, "unit": unit}
    sensitivity, spread = _separation(*(_flat(cube.values[:, :, rows]) for rows in (upper, lower)))
    between = _flat(cube.values[:, :, middle if middle.any() else upper | lower])
    mean = np.nanmean(between, 1)
    end = np.nanmean(cube.values[:, :, cube.levels.argmin()], axis=1)
    return {"sensitivity": sensitivity, "middle": mean, "end": end, "unit": spread}


def d_prime(log_odds: np.ndarray, level: np.ndarray) -> np.ndarray:
    """d' between the upper and the lower third of levels, (...,); NaN without spread.

    Parameters
    ----------
    log_odds : (..., n). level : (n,), 0 to 1.
    """
    lower, _, upper = thirds(np.asarray(level, float))
    ends = (np.moveaxis(log_odds[..., rows], -1, 0)[None] for rows in (upper, lower))
    return _separation(*ends)[0][0]


def _separation(high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """d' and its unit, the SD pooled over both sides, from (observers, pictures, ...)."""
    spread = np.sqrt((np.nanvar(high, 1, ddof=1) + np.nanvar(low, 1, ddof=1)) / 2)
    apart = np.nanmean(high, 1) - np.nanmean(low, 1)
    return np.divide(apart, spread, out=np.full_like(apart, np.nan), where=spread > 0), spread


def _flat(values: np.ndarray) -> np.ndarray:
    """(observers, identities x levels, conditions)."""
    return values.reshape(len(values), -1, values.shape[-1])


def _probit(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Probit of the share of positive answers at some levels, log-linear: (observers, conditions);
    NaN without a trial."""
    positive, n = np.moveaxis(counts[:, :, rows].sum(axis=(1, 2)), -1, 0)
    return np.where(n > 0, stats.norm.ppf((positive + 0.5) / (n + 1)), np.nan)


def profile(cube: Cube) -> np.ndarray:
    """``MEASURES`` of every part, mean over the observers: (parts, measures).

    - loss : d' with the control patch hidden - d' with the part hidden (from the whole face's d'
      where no control was shown); raw_loss : from the whole face's d'; control_loss : of the patch.
    - share : loss over the whole face's d'; NaN where that is below ``TOO_LITTLE``.
    - deviation : the loss less the mean loss of all parts, 0 in a flat profile.
    - criterion_shift : change of the middle levels' mean evidence, in units of d'; negative where
      the part, when seen, speaks for the positive pole.
    - end_shift : the same at the fully negative end, in log-odds (people: probits).
    """
    found = measures(cube)
    column = {name: k for k, name in enumerate(cube.conditions)}
    whole = np.nanmean(found["sensitivity"][:, column["full"]])
    unit = found["unit"][:, column["full"]]
    rows = []
    for part in cube.parts:
        hidden = column[part]
        base = column.get(CONTROL + part, column["full"])
        d = found["sensitivity"]
        losses = [d[:, base] - d[:, hidden], d[:, column["full"]] - d[:, hidden]]
        losses.append(d[:, column["full"]] - d[:, base])
        loss, raw, control = (float(np.nanmean(values)) for values in losses)
        bias = (found["middle"][:, hidden] - found["middle"][:, base]) / unit
        end = found["end"][:, hidden] - found["end"][:, base]
        share = loss / whole if whole >= TOO_LITTLE else np.nan
        controlled = CONTROL + part in column
        control = control if controlled else np.nan
        rows.append([loss, raw, control, share, np.nan, np.nanmean(bias), np.nanmean(end)])
    table = np.array(rows)
    table[:, MEASURES.index("deviation")] = table[:, 0] - table[:, 0].mean()
    return table


def crossed(
    statistic: Callable[..., np.ndarray],
    cubes: Sequence[Cube],
    factors: Mapping[str, Sequence[int | None]],
    confidence: float,
) -> np.ndarray:
    """A statistic of several cubes with intervals over factors that are crossed
    (``lib.statistics.crossed``).

    Parameters
    ----------
    statistic : of the cubes, in their order; an array.
    factors : name -> its axis in each cube (0 observers, 1 identities), None where it is not there.
        A member is left out of all cubes that have it at once.

    Returns
    -------
    A ``CrossedInterval`` for every place of the statistic's array.
    """
    value = statistic(*cubes)
    without = {}
    for name, axes in factors.items():
        n = _size(cubes, axes)
        if n < MIN_MEMBERS:  # not spoken for, and perhaps not defined
            without[name] = np.full((n, *value.shape), np.nan)
            continue
        without[name] = np.stack([statistic(*_without(cubes, axes, k)) for k in range(n)])
    found = np.empty(value.shape, object)
    for place in np.ndindex(value.shape):
        own = {name: values[(slice(None), *place)] for name, values in without.items()}
        found[place] = jackknife_interval(value[place], own, confidence=confidence)
    return found


def _size(cubes: Sequence[Cube], axes: Sequence[int | None]) -> int:
    return min(c.values.shape[a] for c, a in zip(cubes, axes, strict=True) if a is not None)


def _without(cubes: Sequence[Cube], axes: Sequence[int | None], k: int) -> list[Cube]:
    """The cubes with member ``k`` of a factor left out."""
    kept = []
    for cube, axis in zip(cubes, axes, strict=True):
        if axis is None:
            kept.append(cube)
            continue
        names = cube.identities
        names = tuple(np.delete(names, k)) if axis == 1 else names
        values = np.delete(cube.values, k, axis=axis)
        kept.append(Cube(values, cube.levels, cube.conditions, names))
    return kept


def difference(this: Cube, that: Cube, confidence: float, paired: bool) -> np.ndarray:
    """``MEASURES`` of this less that, (parts, measures) of ``CrossedInterval``.

    What is compared is the same for both: where one saw no control patches, raw losses are. Faces
    that both saw are one factor; ``paired`` observers (seeds that start alike) are one as well.
    """
    both = set(this.conditions) & set(that.conditions)
    this = this.select(both)
    that = that.select(both)
    factors: dict[str, tuple] = {"seeds": (0, 0)} if paired else {"seeds": (0, None)}
    if not paired:
        factors["people"] = (None, 0)
    if this.identities == that.identities:
        factors["faces"] = (1, 1)
    else:
        factors |= {"faces": (1, None), "people's faces": (None, 1)}
    return crossed(lambda a, b: profile(a) - profile(b), [this, that], factors, confidence)
