"""A folder of a user's own morphs: which identity, condition and step the file names say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.pictures.listing import SUFFIXES, composed, counted, list_files
from lib.pictures.reading import ImageError
from lib.settings.options import CONDITIONS, PARTS, Morphs, resolve

PLACEHOLDERS = ("identity", "condition", "label", "step")
STEP = r"[+\-−]?\d+(?:[.,]\d+)?"
_KINDS = {name: f"(?P<{name}>[^/]+?)" for name in PLACEHOLDERS} | {"step": f"(?P<step>{STEP})%?"}
_KNOWN = f"(?P<condition>{'|'.join(CONDITIONS)})"
# patterns to try where none is given, the most telling first
_USUAL = (
    "{identity}_{condition}_{step}",
    "{condition}_{step}",
    "{identity}_{step}",
    "{identity}/{condition}_{step}",
    "{identity}/{step}",
    "{identity}-{step}",
    "{identity}{step}",
    "{step}",
)


def own_morphs(settings: Morphs, notes: list[str]) -> pd.DataFrame:
    """A user's own morphs in the study's conditions; the smallest step is fully negative, the
    largest fully positive.

    Returns
    -------
    Columns file, identity, condition, step, level.

    Raises
    ------
    ImageError : files that do not fit the pattern, no whole faces, one step only, a step that can
        be read in two ways, or two files of one picture.
    """
    files = morph_files(settings, ("step",), "{identity}_{condition}_{step}.jpg", notes)
    files = _one_reading(files, settings.pattern)
    files["identity"] = files.get("identity", "morph01")
    files["step"] = steps_of(files, settings.pattern)
    files = _of_conditions(files, settings.conditions, notes)
    _refuse_copies(files)
    steps = files["step"]
    if (files.groupby("identity")["step"].nunique() < 2).all():
        raise ImageError(_one_step(files))
    files["level"] = ((steps - steps.min()) / (steps.max() - steps.min())).round(6)
    whole = files[files["condition"] == "full"].groupby("identity")["step"].agg(frozenset)
    if bare := sorted(set(files["identity"]) - set(whole.index)):
        raise ImageError(
            f"morphs.root: no full pictures of {', '.join(bare)}; needed: full pictures of each "
            "identity, from which its levels are known. Add them, or take the identity's other "
            "files out"
        )
    if whole.nunique() > 1:
        spans = [f"{name} has {len(s)} from {min(s):g} to {max(s):g}" for name, s in whole.items()]
        notes.append(
            f"the identities have different steps ({'; '.join(spans[:4])}); level 0 is the "
            f"smallest of all, {steps.min():g}, and level 1 the largest, {steps.max():g}"
        )
    return files[["file", "identity", "condition", "step", "level"]]


def morph_files(
    settings: Morphs, needs: Sequence[str], example: str, notes: list[str]
) -> pd.DataFrame:
    """Files of ``morphs.root`` that fit ``morphs.pattern``: file, name, and one column for each
    placeholder; what is passed over is added to ``notes``.
    """
    root = resolve(settings.root)
    pattern = settings.pattern
    if not root.is_dir():
        raise ImageError(
            f"morphs.root: no such folder: {root}; morphs.source {settings.source!r} needs one"
        )
    _check_pattern(pattern, needs, settings.source, example)
    listing = list_files(root)
    names = [p.relative_to(root).as_posix() for p in listing.pictures]
    found = parse_names(names, pattern)
    if found.empty:
        usual = guess_pattern(names)
        raise ImageError(
            f"morphs.pattern {pattern!r} fits none of the {len(names)} images in {root}"
            + (f" (the first is {names[0]!r})" if names else "")
            + (f". morphs.pattern={usual!r} fits them all" if usual else "")
            + "; allowed placeholders: {identity}, {condition}, {step}, {label}. "
            + ". ".join(listing.notes())
        )
    left = sorted(set(names) - set(found["name"]))
    notes += counted(left, f"pictures of morphs.root that do not fit {pattern!r}")
    notes += listing.notes() if settings.source == "folder" else []
    found["file"] = [(Path(settings.root) / name).as_posix() for name in found["name"]]
    return found


def as_regular(pattern: str, known: bool = False) -> str:
    """A pattern of placeholders as a regular expression.

    Parameters
    ----------
    known : only the conditions of this workbook are conditions.
    """
    kinds = _KINDS | {"condition": _KNOWN} if known else _KINDS
    pieces = re.split(r"\{(identity|condition|label|step)\}", composed(pattern))
    return "".join(kinds[piece] if k % 2 else re.escape(piece) for k, piece in enumerate(pieces))


def _check_pattern(pattern: str, needs: Sequence[str], source: str, example: str) -> None:
    """ImageError for a pattern that lacks a placeholder or has one twice."""
    count = {name: pattern.count(f"{{{name}}}") for name in PLACEHOLDERS}
    if missing := [name for name in needs if not count[name]]:
        raise ImageError(
            f"morphs.pattern: {pattern!r} has no {' and no '.join(f'{{{n}}}' for n in missing)}; "
            f"morphs.source {source!r} needs it, such as {example!r}"
        )
    if twice := [name for name, n in count.items() if n > 1]:
        raise ImageError(
            f"morphs.pattern: {pattern!r} has {{{twice[0]}}} {count[twice[0]]} times; allowed: "
            "once. Write what stays the same in all names as it is, or rename the files"
        )


def parse_names(names: Sequence[str], pattern: str) -> pd.DataFrame:
    """What the names that fit a pattern say.

    Returns
    -------
    Columns name and one for each placeholder, as text; case of the letters is ignored.
    """
    ways = [re.compile(as_regular(pattern, known), re.IGNORECASE) for known in (True, False)]
    rows = []
    for name in names:
        match = ways[0].fullmatch(composed(name)) or ways[1].fullmatch(composed(name))
        if match:
            rows.append({"name": name, **match.groupdict()})
    return pd.DataFrame(rows)


def steps_of(found: pd.DataFrame, pattern: str) -> pd.Series:
    """The steps as numbers: with sign, decimal point or decimal comma.

    Raises
    ------
    ImageError : a step that can be read in two ways, with both.
    """
    for row in found[found["step"].str.fullmatch(r"[+\-−]?[1-9]\d*,\d{3}")].itertuples():
        point = row.step.replace(",", ".")
        comma = row.step.replace(",", "")
        raise ImageError(
            f"morphs.root: {row.name}: the step {row.step} can be {point} or {comma}; allowed: "
            "a decimal point, or no comma. Rename the files"
        )
    _refuse_hyphens(found, pattern)
    plain = found["step"].str.replace(",", ".", regex=False).str.replace("−", "-", regex=False)
    return plain.astype(float)


def _refuse_hyphens(found: pd.DataFrame, pattern: str) -> None:
    """A hyphen right after a letter, with no step above 0, may part the words or be a sign."""
    before = pattern.partition("{step}")[0][-1:]
    glued = before == "}" or before.isalnum()
    negative = found["step"].str.match(r"[-−]")
    positive = ~negative & found["step"].str.contains(r"[1-9]")
    if glued and negative.any() and not positive.any():
        row = found[negative].iloc[0]
        hyphen = pattern.replace("{step}", "-{step}")
        raise ImageError(
            f"morphs.root: {row['name']}: the step can be {row['step']}, or {row['step'][1:]} "
            f"after a hyphen. Write the hyphen into the pattern (morphs.pattern={hyphen!r}), or "
            "rename the files"
        )


def _one_reading(found: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """``found`` with the digits between identity and step given to one of them.

    Where nothing stands between the two, all digits at the cut are the step's, if every identity
    then has the same steps.

    Raises
    ------
    ImageError : names that can be cut in two ways, with both.
    """
    if "{identity}{step}" not in pattern:
        return found
    cut = (found["identity"] + found["step"]).str.extract(f"^(.*?)({STEP})$")
    longest = found.assign(identity=cut[0], step=cut[1])
    sets = longest.groupby("identity")["step"].agg(frozenset)
    if (longest["identity"] != "").all() and sets.nunique() == 1 and len(sets.iloc[0]) > 1:
        return longest
    if sets.map(len).max() == 1:  # cut at the wrong place altogether, which is said later
        return longest
    for row in longest[longest["step"].str.fullmatch(r"\d{2,}")].itertuples():
        raise ImageError(
            f"morphs.root: {row.name} can be identity {row.identity!r} at step {row.step}, or "
            f"identity {row.identity + row.step[0]!r} at step {row.step[1:]}; allowed: names that "
            "can be cut in one way. Rename the files, with a _ before the step"
        )
    return longest


def _of_conditions(files: pd.DataFrame, wanted: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """The files of the study's conditions; of others, how many and one of them."""
    given = files["condition"].str.lower() if "condition" in files else "full"
    files = files.assign(condition=given)
    if "full" not in set(files["condition"]):
        raise ImageError(
            f"morphs.root: found the conditions {', '.join(sorted(set(files['condition'])))}; "
            f"allowed: full, {', '.join(PARTS)}, and full is needed. Rename the files"
        )
    kept = files["condition"].isin(wanted)
    for condition, rows in files[~kept].groupby("condition"):
        notes += counted(list(rows["name"]), f"pictures of the condition {condition!r}")
    return files[kept].reset_index(drop=True)


def _refuse_copies(files: pd.DataFrame) -> None:
    """ImageError for two files of one picture, such as full_0.jpg and full_00.jpg."""
    key = ["identity", "condition", "step"]
    again = files.duplicated(key)
    if again.any():
        second = files[again].iloc[0]
        first = files[(files[key] == second[key]).all(axis=1)].iloc[0]
        raise ImageError(
            f"morphs.root: {first['file']} and {second['file']} are both step "
            f"{second['step']:g} of {second['identity']} {second['condition']} ({again.sum()} such "
            "files); allowed: one file for each identity, condition and step. Take one of the two "
            "out, or rename it"
        )


def _one_step(files: pd.DataFrame) -> str:
    first = files.iloc[0]
    return (
        f"morphs.root: every identity has one step only, such as {first['identity']!r} at "
        f"{first['step']:g} from {first['name']}; needed: two steps or more, the smallest fully "
        "negative and the largest fully positive. The pattern may cut the names at the wrong "
        "place (morphs.pattern)"
    )


def guess_pattern(names: Iterable[str]) -> str | None:
    """The first usual pattern that all names fit with two steps or more; None where none does."""
    names = list(names)
    suffixes = {name[name.rfind(".") :] for name in names}
    if len(suffixes) != 1 or next(iter(suffixes)).lower() not in SUFFIXES:
        return None
    for pattern in _USUAL:
        whole = pattern + next(iter(suffixes))
        found = parse_names(names, whole)
        if len(found) == len(names) and _tells(found, whole):
            return whole
    return None


def _tells(found: pd.DataFrame, pattern: str) -> bool:
    """Whether a pattern's reading makes sense: whole faces, and steps for each identity."""
    try:
        found = _one_reading(found, pattern)
        steps = steps_of(found, pattern)
    except ImageError:
        return False
    if "condition" in found and "full" not in set(found["condition"].str.lower()):
        return False
    identity = found.get("identity", pd.Series("", index=found.index))
    hidden = identity.str.contains(rf"(?:^|[_\W])(?:{'|'.join(CONDITIONS)})(?:$|[_\W])", case=False)
    return not hidden.any() and bool(np.all(steps.groupby(identity).nunique() > 1))
