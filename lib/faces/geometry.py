"""What the drawn expressions measure: is anybody in doubt at the two ends?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lib.faces.features import brow_points, lids
from lib.faces.identity import Identity, make_identity
from lib.faces.mouth import mouth_lines

MEASURES = {
    "mouth_corners": "mouth corners above the middle of the mouth, per cent of the face's height",
    "brow_slope": "rise of the brow's inner end over its outer one, degrees",
    "lid_aperture": "opening of the eye, share of its width",
}


def expression_geometry(people: Iterable[int], levels: Sequence[float]) -> pd.DataFrame:
    """The drawn geometry of the expression, before pose and light.

    Parameters
    ----------
    people : numbers of built-in people.
    levels : 0 fully negative to 1 fully positive.

    Returns
    -------
    identity, level, and the ``MEASURES``: mouth_corners (> 0: lifted), brow_slope (> 0: the inner
    end is raised), lid_aperture.

    Raises
    ------
    ValueError : a level outside [0, 1], or a negative number of a person.
    """
    if wrong := [level for level in levels if not 0 <= level <= 1]:
        raise ValueError(f"levels {wrong} given; allowed: 0 to 1")
    rows = []
    for number in people:
        person = make_identity(number)
        rows += [{"identity": number, "level": x, **_measured(person, 2 * x - 1)} for x in levels]
    return pd.DataFrame(rows)


def geometry_table(
    people: Iterable[int] = range(100), levels: Sequence[float] = (0, 0.5, 1)
) -> pd.DataFrame:
    """Mean and range of each measure at each level, and whether the two ends overlap.

    Returns
    -------
    measure, level, mean, low, high, n (people), separated: no person's value at the lowest level
    reaches into the range at the highest one.
    """
    drawn = expression_geometry(people, levels)
    ends = min(levels), max(levels)
    rows = []
    for measure in MEASURES:
        by_level = drawn.groupby("level")[measure]
        low, high = (by_level.get_group(end) for end in ends)
        apart = bool(low.max() < high.min() or high.max() < low.min())
        table = by_level.agg(mean="mean", low="min", high="max", n="size").reset_index()
        rows.append(table.assign(measure=measure, separated=apart))
    return pd.concat(rows, ignore_index=True)[
        ["measure", "level", "mean", "low", "high", "n", "separated"]
    ]


def _measured(person: Identity, e: float) -> dict[str, float]:
    lines = mouth_lines(person, e)
    middle = (lines["inner_top"][4, 1] + lines["inner_bottom"][4, 1]) / 2
    corners = (lines["inner_top"][0, 1] + lines["inner_top"][-1, 1]) / 2
    brow = brow_points(person, e)
    inner, outer = brow[0], brow[-1]
    upper, lower = lids(person, e)
    return {
        # y grows downwards
        "mouth_corners": 100 * (middle - corners) / (person.chin_y - person.forehead_y),
        "brow_slope": float(np.rad2deg(np.arctan2(outer[1] - inner[1], outer[0] - inner[0]))),
        "lid_aperture": (lower[2, 1] - upper[2, 1]) / (2 * person.eye_width),
    }
