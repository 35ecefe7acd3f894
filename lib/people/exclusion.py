"""Who is left out: a study's exclusion rules, one after the other, and what each removes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lib.people.trials import TrialError
from lib.settings.options import Exclude

REPORT_COLUMNS = [
    "rule",
    "limit",
    "observers_removed",
    "trials_removed",
    "trials_set_missed",
    "observers",
    "trials",
    "missed",
    "who",
]


def _exclude(
    trials: pd.DataFrame, rules: Exclude, left_out: Sequence[tuple[str, str, int]] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply the rules one after the other and report what each removes.

    Parameters
    ----------
    left_out : rows that were taken out before: rule, limit, number.
    """
    steps = [_step("read from the file", "", trials, trials)]
    rest = sum(n for _, _, n in left_out)
    steps[0]["trials"] += rest
    for rule, limit, n in left_out:
        rest -= n
        if n:
            step = _step(rule, limit, trials, trials)
            steps.append(step | {"trials_removed": n, "trials": len(trials) + rest})
    if rules.min_rt_s is not None:
        fast = trials["response"].notna() & (trials["rt_s"] < rules.min_rt_s)
        trials = trials.assign(response=trials["response"].mask(fast))
        steps.append(
            _step(
                "answers faster than the limit, set to missed",
                f"{rules.min_rt_s:g} s",
                trials,
                trials,
                set_missed=int(fast.sum()),
            )
        )
    missed = trials["response"].isna().groupby(trials["observer"]).mean()
    trials = _drop(
        trials,
        missed > rules.max_missed,
        "more trials missed than the limit",
        f"{rules.max_missed:.0%}",
        steps,
    )
    right = end_accuracy(trials)
    trials = _drop(
        trials,
        ~(right >= rules.min_end_accuracy),
        "fewer right answers at the two end levels",
        f"{rules.min_end_accuracy:.0%}",
        steps,
    )
    if trials.empty:
        raise TrialError(
            "the exclusion rules remove everybody:\n"
            + "\n".join(
                f"  {s['rule']} ({s['limit']}): {s['observers_removed']} removed" for s in steps[1:]
            )
            + "\nCheck observers.codes and observers.level_range, or loosen observers.exclude"
        )
    return trials.reset_index(drop=True), pd.DataFrame(steps, columns=REPORT_COLUMNS)


def end_accuracy(trials: pd.DataFrame) -> pd.Series:
    """Each person's share of right answers at the lowest and the highest level of the whole faces.

    Without whole faces all conditions count; NaN for a person without an answer there.
    """
    whole = trials[trials["condition"] == "full"]
    whole = trials if whole.empty else whole
    ends = whole[
        whole["level"].isin([whole["level"].min(), whole["level"].max()])
        & whole["response"].notna()
    ]
    right = (
        (ends["response"] == (ends["level"] == whole["level"].max()))
        .groupby(ends["observer"])
        .mean()
    )
    return right.reindex(sorted(trials["observer"].unique()))


def _drop(
    trials: pd.DataFrame, out: pd.Series, rule: str, limit: str, steps: list[dict]
) -> pd.DataFrame:
    gone = sorted(out.index[out])
    kept = trials[~trials["observer"].isin(gone)]
    steps.append(_step(rule, limit, trials, kept, who=gone))
    return kept


def _step(
    rule: str, limit: str, before: pd.DataFrame, after: pd.DataFrame, *, set_missed: int = 0, who=()
) -> dict:
    return {
        "rule": rule,
        "limit": limit,
        "observers_removed": len(who),
        "trials_removed": len(before) - len(after),
        "trials_set_missed": set_missed,
        "observers": after["observer"].nunique(),
        "trials": len(after),
        "missed": int(after["response"].isna().sum()),
        "who": ", ".join(map(str, who)),
    }
