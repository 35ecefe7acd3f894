"""Where a saliency map lies: share and enrichment of face parts, with a null and
intervals.

A part's *enrichment* is its share of the saliency over its share of the area, so a flat map scores
exactly 1 whatever the size of the part. Maps are not negative here:
``lib.saliency.maps.normalise`` says what becomes of signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy import fft

from lib.statistics.intervals import mean_interval
from lib.storage.files import processors


def _checked(maps: np.ndarray, region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps as float (n, H, W) and the region as bool (n, H, W), or ValueError."""
    maps = np.asarray(maps, float)
    maps = maps[None] if maps.ndim == 2 else maps
    region = np.asarray(region)
    if region.dtype != bool:
        raise ValueError(
            f"a region of type {region.dtype} given; allowed: bool, true inside the part"
        )
    if maps.ndim != 3 or region.shape not in (maps.shape, maps.shape[1:]):
        raise ValueError(
            f"maps {maps.shape} and region {region.shape} given; allowed: "
            "maps (n, H, W) and a region "
            "(H, W) or (n, H, W) of the same size"
        )
    if not np.isfinite(maps).all() or maps.min(initial=0) < 0:
        raise ValueError(
            f"a map with values from {maps.min():.3g} given; allowed: finite values of 0 and more. "
            "Take lib.saliency.maps.normalise first: 'absolute', 'positive' or 'negative'"
        )
    region = np.broadcast_to(region, maps.shape)
    if not region.any(axis=(1, 2)).all():
        raise ValueError("an empty region given; allowed: at least one pixel in every face")
    return maps, region


def _mean(values: np.ndarray, axis=None) -> np.ndarray:
    """A mean that is exactly c for values that are all c: sums differences from the first value."""
    first = values[..., :1, :1]
    return first[..., 0, 0] + (values - first).mean(axis=axis)


def share(maps: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Part of each map's total inside the region.

    Parameters
    ----------
    maps : (n, H, W) or (H, W), not negative.
    region : bool (H, W) or (n, H, W).

    Returns
    -------
    float (n,), 0 to 1; NaN where the map is zero everywhere.

    Raises
    ------
    ValueError : negative or non-finite maps, an empty region, sizes that differ.
    """
    maps, region = _checked(maps, region)
    return enrichment(maps, region) * region.mean(axis=(1, 2))


def enrichment(maps: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Share of saliency over share of area: mean inside the region over mean of the map.

    Returns
    -------
    float (n,): exactly 1 for a flat map, 1 / area share for a map inside the region alone, NaN for
    a zero map.
    """
    maps, region = _checked(maps, region)
    first = maps[:, :1, :1]
    inside = first[:, 0, 0] + ((maps - first) * region).sum((1, 2)) / region.sum((1, 2))
    overall = _mean(maps, axis=(1, 2))
    return np.divide(inside, overall, out=np.full(len(maps), np.nan), where=overall > 0)


def face_box(regions: Mapping[str, np.ndarray], margin: float = 0.15) -> tuple[slice, slice]:
    """Rows and columns of the box around all parts of all faces, wider by ``margin`` of its size
    on each side.

    Parameters
    ----------
    regions : part -> bool (H, W) or (n, H, W).
    """
    shape = next(iter(regions.values())).shape[-2:]
    anywhere = np.logical_or.reduce([m.reshape(-1, *shape).any(axis=0) for m in regions.values()])
    sides = []
    for size, inside in zip(shape, (anywhere.any(axis=1), anywhere.any(axis=0)), strict=True):
        first, last = np.flatnonzero(inside)[[0, -1]]
        more = round(margin * (last + 1 - first))
        sides.append(slice(max(first - more, 0), min(last + 1 + more, size)))
    return sides[0], sides[1]


def shift_nulls(
    maps: np.ndarray,
    regions: Mapping[str, np.ndarray],
    n_permutations: int,
    rng: np.random.Generator,
) -> dict[str, tuple[float, np.ndarray]]:
    """Each part's mean enrichment *within the face*, and the same after random cyclic shifts of
    the maps within it.

    Parameters
    ----------
    maps : (n, H, W), the maps of one network for n faces.
    regions : part -> bool (H, W) or (n, H, W).
    n_permutations : number of random shifts, drawn from all that the face's box has.

    Returns
    -------
    part -> observed mean enrichment within ``face_box``, null (n_permutations,)

    Notes
    -----
    What lies off the face is cut away first: a map that marks the whole face evenly would beat
    shifts about the picture, and says nothing about a part. A cyclic shift keeps a map's values and
    its autocorrelation, so that a smooth map is compared with equally smooth ones; shuffled pixels
    would call every blob significant. All faces of one network shift together: their maps resemble
    each other, and shifts of their own would count one blob n times. All shifts come at once from
    the circular cross-correlation of map and region.
    """
    box = face_box(regions)
    checked = {
        part: _checked(np.asarray(maps)[..., *box], region[..., *box])
        for part, region in regions.items()
    }
    maps = next(iter(checked.values()))[0]
    totals = maps.sum(axis=(1, 2))
    seen = totals > 0
    if not seen.any():
        return {part: (np.nan, np.full(n_permutations, np.nan)) for part in regions}
    spectra = np.conj(fft.rfft2(maps[seen] / totals[seen][:, None, None], workers=processors()))
    rows, columns = (rng.integers(size, size=n_permutations) for size in maps.shape[1:])
    found = {}
    for part, (_, region) in checked.items():
        density = region[seen] / region[seen].mean(axis=(1, 2), keepdims=True)
        spectrum = (spectra * fft.rfft2(density, workers=processors())).mean(axis=0)
        every = fft.irfft2(spectrum, s=maps.shape[1:])
        found[part] = float(every[0, 0]), every[rows, columns]
    return found


def p_value(observed: float, null: np.ndarray) -> float:
    """Share of the null at least as large as what was observed, the observation counted in; NaN
    stays NaN.
    """
    if np.isnan(observed):
        return np.nan
    # ties, such as a flat map's, must not hang on rounding
    tolerance = 1e-9 * max(1.0, abs(observed))
    return float((1 + np.sum(null >= observed - tolerance)) / (1 + len(null)))


def part_rows(
    maps: np.ndarray,
    regions: Mapping[str, np.ndarray],
    *,
    n_permutations: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Share, enrichment and p of every part, for the maps of one network under one condition.

    Parameters
    ----------
    maps : (n, H, W), not negative.
    regions : part -> bool (H, W) or (n, H, W).

    Returns
    -------
    one row a part: part, share, enrichment (means over the faces), n_faces (maps that are not
    zero), p (one-sided: within the face, the part is not enriched).
    """
    nulls = shift_nulls(maps, regions, n_permutations, rng)
    rows = []
    for part, region in regions.items():
        values = enrichment(maps, region)
        seen = ~np.isnan(values)
        shares = values * region.mean(axis=(-2, -1))
        rows.append(
            {
                "part": part,
                "share": shares[seen].mean() if seen.any() else np.nan,
                "enrichment": values[seen].mean() if seen.any() else np.nan,
                "n_faces": int(seen.sum()),
                "p": p_value(*nulls[part]),
            }
        )
    return pd.DataFrame(rows)


def control_rows(
    maps: np.ndarray,
    regions: Mapping[str, np.ndarray],
    control_patch: Callable,
    rng: np.random.Generator,
    *,
    n: int = 8,
) -> pd.DataFrame:
    """Enrichment of ``n`` area-matched patches a part, outside every part.

    Parameters
    ----------
    control_patch : ``lib.morphs.stimuli.control_patch``: (mask, regions, rng) -> mask of equal
        area.

    Returns
    -------
    one row a part: part, control (mean enrichment over patches and faces), control_low,
    control_high (extremes over the patches).
    """
    rows = []
    for part in regions:
        values = [
            np.nanmean(enrichment(maps, _patches(regions, part, control_patch, rng)))
            for _ in range(n)
        ]
        rows.append(
            {
                "part": part,
                "control": np.mean(values),
                "control_low": min(values),
                "control_high": max(values),
            }
        )
    return pd.DataFrame(rows)


def _patches(
    regions: Mapping[str, np.ndarray], part: str, control_patch: Callable, rng: np.random.Generator
) -> np.ndarray:
    """One patch for all faces, (H, W), where they have the same regions; otherwise one a face,
    (n, H, W).
    """
    if all(mask.ndim == 2 for mask in regions.values()):
        return control_patch(regions[part], regions, rng)
    n = max(len(mask) for mask in regions.values() if mask.ndim == 3)
    faces = [
        {name: mask if mask.ndim == 2 else mask[k] for name, mask in regions.items()}
        for k in range(n)
    ]
    # a person's regions stay along the morph, and so does the patch
    known: dict[bytes, np.ndarray] = {}
    for face in faces:
        key = np.packbits(np.stack(list(face.values()))).tobytes()
        if key not in known:
            known[key] = control_patch(face[part], face, rng)
        face["patch"] = known[key]
    return np.stack([face["patch"] for face in faces])


def over_seeds(
    frame: pd.DataFrame,
    by: list[str],
    value: str = "enrichment",
    *,
    unit: str = "seed",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Mean over seeds with a t interval: first the mean of each seed's rows, then the spread of the
    seeds.

    Parameters
    ----------
    frame : rows with ``unit``, ``value`` and the columns named in ``by``.
    unit : what is a replicate: ``seed`` for networks, ``observer`` for people.

    Returns
    -------
    one row a group: ``by``, mean, median (over all rows), low, high, n_units, reason. One unit has
    no interval: low and high are NaN and ``reason`` says so.
    """
    rows = []
    for keys, group in frame.groupby(by, sort=False):
        means = group.groupby(unit)[value].mean().dropna()
        mean, low, high = mean_interval(means.to_numpy(), confidence)
        reason = "" if len(means) > 1 else f"{len(means)} {unit}: no interval; it takes two"
        rows.append(
            {
                **dict(zip(by, keys, strict=True)),
                "mean": mean,
                "median": group[value].median(),
                "low": low,
                "high": high,
                "n_units": len(means),
                "reason": reason,
            }
        )
    return pd.DataFrame(rows, columns=[*by, "mean", "median", "low", "high", "n_units", "reason"])
