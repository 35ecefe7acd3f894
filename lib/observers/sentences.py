"""What notebook 04 says in words, from the tables alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lib.psychometrics.group import GroupFit
from lib.settings.words import POLES, Poles, label, people_label
from lib.statistics.intervals import interval_text, mean_interval
from lib.statistics.reporting import report

GROUP = ["architecture", "pretraining"]
# how far a person's PSE may move without the priors before it is theirs and not the answers'
HANGS = 0.02


def kind_of(table: pd.DataFrame) -> str:
    """``human`` or ``simulated``: whose answers a table holds."""
    return "simulated" if (table["kind"] == "simulated").any() else "human"


def who_answers(trials: pd.DataFrame) -> str:
    """How many people and networks, on how many trials, and whether the people are real."""
    people = trials[trials["kind"] != "cnn"]
    networks = trials[trials["kind"] == "cnn"]
    kind = kind_of(trials)
    missed = int(people["response"].isna().sum())
    real = (
        "The people are **simulated**: nothing below is evidence about humans."
        if kind == "simulated"
        else "The people are real."
    )
    return (
        f"**{people_label(kind, people['observer'].nunique())}** with {len(people):,} trials "
        f"({missed:,} missed) and **{networks['observer'].nunique()} trained networks**. {real}"
    )


def fits_in_words(fits: pd.DataFrame) -> list[str]:
    """How many have a PSE, why the others have none, and how well curves hold their points."""
    lines = []
    for is_network, rows in fits.groupby(fits["kind"] == "cnn"):
        who = "Networks" if is_network else people_label(kind_of(rows)).capitalize()
        lines.append(f"{who}: {int(rows['pse'].notna().sum())} of {len(rows)} curves have a PSE.")
        lost = rows.loc[rows["pse"].isna(), "reason"].value_counts()
        lines += [f"- {count} without: {reason}." for reason, count in lost.head(4).items()]
    tested = fits.dropna(subset=["fit_p"])
    if len(tested):
        bad = (tested["fit_p"] < 0.05).mean()
        lines.append(
            f"The curve's form fails the test of fit (p < .05) for {bad:.0%} of {len(tested)} "
            "people's curves; 5 % would by chance."
        )
    elif (fits["kind"] != "cnn").any():
        lines.append("People saw four levels or fewer: nothing is left to test the form with.")
    return lines


def group_in_words(summary: pd.DataFrame, kind: str) -> list[str]:
    """Mean and spread of PSE, slope and JND, with intervals; spread with error taken out."""
    names = {
        "pse": ("mean PSE", "SD over persons"),
        "slope": ("mean slope per unit level (geometric)", "SD of ln slope"),
        "jnd": ("mean JND (geometric)", "SD of ln JND"),
    }
    lines = []
    for row in summary.to_dict("records"):
        mean, spread = names[row["quantity"]]
        text = f"- {mean} {interval_text(row['mean'], row['low'], row['high'])}"
        if row["n"] > 1:
            text += f"; {spread} {interval_text(row['sd'], row['sd_low'], row['sd_high'])}"
        if np.isfinite(row["latent_sd"]):
            latent = interval_text(row["latent_sd"], row["latent_low"], row["latent_high"])
            text += f", without the error of their answers {latent}"
        lines.append(f"{text} ({people_label(kind, int(row['n']))}).")
    return lines


def pooled_in_words(pooled: GroupFit, confidence: float = 0.95) -> str:
    """The group by partial pooling, and how much of a person's place comes from it."""
    wide = stats.norm.ppf(0.5 + confidence / 2) * pooled.mean_error[0]
    middle = interval_text(pooled.mean[0], pooled.mean[0] - wide, pooled.mean[0] + wide)
    return (
        f"Fitted together (partial pooling): location {middle}, SD over people "
        f"{pooled.covariance[0, 0] ** 0.5:.3f}. A typical person's place comes to "
        f"{np.nanmedian(pooled.shrinkage):.0%} from the group, at most to "
        f"{np.nanmax(pooled.shrinkage):.0%}."
    )


def levels_in_words(counts: pd.DataFrame, fits: pd.DataFrame, plain: np.ndarray) -> str:
    """What so many levels can and cannot tell.

    Parameters
    ----------
    counts : of ``people_counts``, full faces. fits : those people's rows, in the order of
        ``plain``, their PSEs without priors.
    """
    shown = counts[counts["n"] > 0].groupby("observer")["level"].nunique()
    moved = np.abs(fits["pse"].to_numpy() - plain) > HANGS
    text = f"Each person answered {_span(shown)} levels"
    if shown.median() <= 4:
        text += (
            ": the ends tell guess and lapse, the two between tell place and slope, and nothing "
            "is left to tell whether the curve has the right form. Guess and slope can stand in "
            "for each other"
        )
    if not moved.any():
        return f"{text}. The weak priors move nobody's PSE by more than {HANGS:g}."
    return (
        f"{text}. The weak priors move the PSE by more than {HANGS:g} in {int(moved.sum())} of "
        f"{len(moved)}: these people's answers alone do not place it."
    )


def _span(values: pd.Series) -> str:
    low = int(values.min())
    high = int(values.max())
    return f"{low}" if low == high else f"{low} to {high}"


def networks_in_words(fits: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """Where each network's boundary lies on people's distribution; for those without one, how well
    they tell the ends apart and which way they lean. Full faces.
    """
    full = fits[fits["condition"] == "full"]
    people = full[full["kind"] != "cnn"]
    ends = people["pse"].quantile([0.5 - confidence / 2, 0.5 + confidence / 2])
    lines = []
    for key, seeds in full[full["kind"] == "cnn"].groupby(GROUP, sort=False):
        pse = seeds["pse"].dropna()
        name = f"**{label(*key)}**"
        told = _tells_apart(seeds)
        if pse.empty:
            lines.append(f"- {name}: no PSE in {len(seeds)} seeds ({_why(seeds)}); {told}.")
            continue
        mean = interval_text(*mean_interval(pse, confidence))
        inside = int(pse.between(*ends).sum())
        lines.append(
            f"- {name}: PSE {mean} over {len(pse)} of {len(seeds)} seeds, {inside} of them within "
            f"the middle {confidence:.0%} of {people_label(kind_of(full), len(people))}; {told}."
        )
    return lines


def _tells_apart(seeds: pd.DataFrame) -> str:
    auc = seeds["auc"].mean()
    criterion = seeds["criterion"].mean()
    return f"tells the ends apart with AUC {auc:.2f}, criterion {criterion:+.2f}"


def _why(seeds: pd.DataFrame) -> str:
    return seeds["reason"].mode().iloc[0]


def noise_in_words(fits: pd.DataFrame, rule: str) -> str:
    """The decision rule, and how noisy it makes the networks."""
    sigma = fits.loc[fits["kind"] == "cnn"].drop_duplicates("observer").groupby(GROUP, sort=False)
    each = "; ".join(
        f"{label(*key)} {rows['sigma'].median():.2f}" for key, rows in sigma if len(rows)
    )
    if rule not in ("noisy", "noisy_shifted"):
        return f"Decision rule `{rule}`: nothing is fitted to people."
    return (
        f"Decision rule `{rule}`: P = Φ(z / σ), with z the log-odds. σ in log-odds (medians over "
        f"seeds), fitted on one half of the people: {each}. A large σ says that people's choices "
        "follow this network's log-odds weakly."
    )


def hiding_in_words(moved: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """Which part's hiding costs people and each network most, in d' of choices."""
    who = moved.assign(
        who=np.where(
            moved["kind"] == "cnn",
            [label(*key) for key in moved[GROUP].fillna("").itertuples(index=False)],
            people_label(kind_of(moved)),
        )
    )
    lines = []
    for name, rows in who.groupby("who", sort=False):
        lost = rows.groupby("condition")["sensitivity_loss"].agg(list)
        found = {part: mean_interval(np.array(x), confidence) for part, x in lost.items()}
        part = max(found, key=lambda p: found[p][0])
        text = interval_text(*found[part], digits=2, sign="+")
        said = "most by the" if found[part][1] > 0 else "no clear loss by any part; most by the"
        lines.append(f"- {name}: {said} {part}, {text} d′.")
    return lines


def multiverse_in_words(worlds: pd.DataFrame) -> list[str]:
    """For each network, whether the PSE difference keeps its sign over all analyses that leave the
    network's line where it is, and what is left once it is moved to people's.
    """
    rows = worlds[worlds["metric"] == "pse_difference"]
    lines = []
    for key, tried in rows.groupby(GROUP, sort=False):
        every = tried.dropna(subset=["value"])
        shifted = every["decision"] == "noisy_shifted"
        left = every.loc[shifted, "value"].median()
        some = every[~shifted]
        moved = f" With the line moved to people's, {left:+.3f} is left." if shifted.any() else ""
        if every.empty:
            lines.append(f"- {label(*key)}: no PSE in any of {len(tried)} analyses.")
            continue
        if some.empty:
            lines.append(f"- {label(*key)}: no PSE where its line is.{moved}")
            continue
        low = some["value"].min()
        high = some["value"].max()
        known = some.dropna(subset=["low", "high"])
        apart = int(((known["low"] > 0) | (known["high"] < 0)).sum())
        sign = "keeps its sign" if low * high > 0 else "changes its sign with the choices"
        lines.append(
            f"- {label(*key)}: from {low:+.3f} to {high:+.3f} over {len(some)} analyses, {sign}; "
            f"the interval excludes 0 in {apart} of {len(known)}.{moved}"
        )
    return lines


def comparison_in_words(comparison: pd.DataFrame, kind: str) -> list[str]:
    """Each network's PSE tested against people's; why not, where it was not. (The slope's tests are
    in the table.)

    comparison : of ``lib.statistics.tests.compare_curves``.
    """
    lines = []
    for row in comparison[comparison["quantity"] == "pse"].to_dict("records"):
        who = f"- {label(row['architecture'], row['pretraining'])}, PSE"
        if row["p"] >= 0:
            against = people_label(kind, int(row["n_observers"]))
            lines.append(f"{who} against {against}: {report(row)} ({row['test']}).")
        else:
            lines.append(f"{who}: not tested, {row['test'].removeprefix('none: ')}.")
    return lines or ["Too few people have a PSE to compare networks with."]


def claim_card(row: dict) -> str:
    """One claim as a card: the verdict, what the paper claims, what this run says."""
    badge = " *(demonstration: the people are simulated)*" if row["simulated"] else ""
    return (
        f"**{row['id']}: {row['verdict']}**{badge}  \n*The paper claims:* {row['claim']}.  \n"
        f"*This run:* {row['evidence']}"
    )


def found_in_words(
    summary: pd.DataFrame, fits: pd.DataFrame, claims: pd.DataFrame, poles: Poles = POLES
) -> str:
    """Three sentences: where people's boundary lies, where the networks' lie, what the claims say.

    summary : of ``people_summary``. claims : table ``claims`` (C1 to C3 here).
    """
    kind = kind_of(fits)
    row = summary.set_index("quantity").loc["pse"]
    full = fits[fits["condition"] == "full"]
    networks = full[full["kind"] == "cnn"]
    seeds = networks["pse"].dropna()
    people = full.loc[full["kind"] != "cnn", "pse"].dropna()
    mean = interval_text(row["mean"], row["low"], row["high"])
    first = (
        f"{people_label(kind, int(row['n'])).capitalize()} call a face {poles[1]} as often as "
        f"{poles[0]} at level {mean}."
    )
    second = f"Of {len(networks)} trained networks {len(seeds)} have such a boundary"
    if len(people):  # a published table has no rows of single real people
        inside = int(seeds.between(*people.quantile([0.025, 0.975])).sum())
        second += f", {inside} within the middle 95 % of people"
    verdicts = "; ".join(f"{c['id']} {c['verdict']}" for c in claims.to_dict("records"))
    note = " The people are simulated: no verdict about people." if kind == "simulated" else ""
    return f"1. {first}\n2. {second}.\n3. The paper's claims in this run: {verdicts}.{note}"
