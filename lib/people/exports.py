"""What columns are called: by common programs, whose exports they show, and by people; and
Presentation's log as trials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from lib.storage.table_cells import numbers


def bag(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


# words that columns are named by in common use; whole names go before parts of names
COLUMN_WORDS = {
    "level": (
        *("level", "morph", "morph_level", "percent", "per_cent", "pct", "intensity", "step"),
        *(
            "proportion",
            "strength",
            "blend",
            "happiness",
            "ratio",
            "stufe",
            "morphstufe",
            "prozent",
        ),
    ),
    "observer": (
        *("observer", "participant", "participant_id", "subject", "subject_id", "subj", "sub"),
        *("person", "id", "pid", "ppt", "code", "vp", "vpn", "proband", "versuchsperson", "who"),
    ),
    "response": (
        *("response", "resp", "answer", "choice", "key_resp", "keys", "key", "judgement"),
        *("judgment", "decision", "antwort"),
    ),
    "rt_s": (
        *("rt", "rt_s", "rt_ms", "reaction_time", "response_time", "resp_time", "latency"),
        *("reaction", "reaktionszeit"),
    ),
    "condition": ("condition", "masked", "occlusion", "part"),
    "identity": ("identity", "face", "model", "actor"),
    "stimulus": ("stimulus", "image", "stim", "file", "picture"),
}
# parts of names that say that a column is something else
NEVER = bag(
    "average avg mean median acc accuracy correct corr cresp onset offset duration started stopped "
    "instruction instructions instr welcome consent expected index rttime practice total"
)
NOT = {
    "observer": bag(
        "trial image stim session block face item event node model file exp task version"
    ),
    "response": bag("id time rt type device start end latency onset"),
    "level": bag("trial task window confidence nr number count"),
    "rt_s": bag("start end"),
}


@dataclass(frozen=True)
class Export:
    """A program by the columns it writes, and which of them is which.

    All are regular expressions of whole names in small letters; the first that fits goes first.
    """

    program: str
    marks: tuple[str, ...]  # all of them are there
    columns: dict[str, tuple[str, ...]]


_PERSON = r"(subject|participant|prolific|worker|sona)_?(nr|number|code|pid|id)?"
EXPORTS = (
    Export(
        "Gorilla",
        (r"participant private id",),
        {
            "observer": (r"participant private id", r"participant public id"),
            "response": (r"response",),
            "rt_s": (r"reaction time",),
        },
    ),
    Export(
        "Qualtrics",
        (r"response ?id", r"(start|recorded) ?date"),
        {"observer": (r"prolific_?(pid|id)", r"response ?id")},
    ),
    Export(
        "jsPsych",
        (r"trial_type", r"trial_index"),
        {
            "observer": (_PERSON, r"run_id"),
            "response": (r"response", r"key_press", r"button_pressed"),
            "rt_s": (r"rt",),
        },
    ),
    Export(
        "OpenSesame",
        (r"subject_nr",),
        {
            "observer": (r"subject_nr",),
            "response": (r"response", r"response_(?!time).+"),
            "rt_s": (r"response_time", r"response_time_.+"),
        },
    ),
    Export(
        "PsychoPy",
        (r"psychopyversion|expname|.+\.thisn",),
        {
            "observer": (r"participant", r"participant.*"),
            "response": (r".+\.keys", r".+\.clicked_name", r".+\.response"),
            "rt_s": (r".+\.rt", r".+\.time"),
        },
    ),
    Export(
        "E-Prime",
        (r"subject", r".+\.resp"),
        {"observer": (r"subject",), "response": (r".+\.resp",), "rt_s": (r".+\.rt",)},
    ),
    Export(
        "Presentation",
        (r"event type", r"code", r"ttime|time"),
        {
            "observer": (r"subject",),
            "level": (r"level",),
            "response": (r"response",),
            "rt_s": (r"rt",),
            "stimulus": (r"code",),
        },
    ),
)


def export_of(names: Iterable[str]) -> Export | None:
    """The program that writes such columns; None where none is known."""
    lower = [name.lower() for name in names]
    for export in EXPORTS:
        if all(any(re.fullmatch(mark, name) for name in lower) for mark in export.marks):
            return export
    return None


def words_of(name: str) -> list[str]:
    """The words in a name, at capitals and at what is no letter or digit: ``morphLevel (%)``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word for word in re.split(r"[\W_]+", apart.lower()) if word]


def candidates(export: Export | None, ours: str, free: Sequence[str]) -> list[str]:
    """Columns whose names say that they may be it: an export's own, whole names, parts of names."""
    names = {name: words_of(name) for name in free}
    allowed = {
        name: f"_{'_'.join(words)}_"
        for name, words in names.items()
        if not set(words) & (NEVER | NOT.get(ours, frozenset())) and "rttime" not in name.lower()
    }
    words = [f"_{word}_" for word in COLUMN_WORDS[ours]]
    patterns = export.columns.get(ours, ()) if export else ()
    own = [c for p in patterns for c in free if re.fullmatch(p, c.lower())]
    own = [c for c in own if not set(names[c]) & NEVER]
    whole = [name for word in words for name, text in allowed.items() if text == word]
    parts = [name for word in words for name, text in allowed.items() if word in text]
    return list(dict.fromkeys([*own, *whole, *parts]))


def as_trials(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Presentation's log, a row an event, as a row a picture with the response that follows it.

    ``Response`` is the response's code, ``RT`` the time between the two in ms (the log counts in
    tenths), ``level`` the last number in the picture's code. Other tables stay as they are.

    Returns
    -------
    The table, and notes on what was done.
    """
    if not {"Event Type", "Code", "Time"} <= set(table) or "Response" in table:
        return table, []
    events = table[table["Event Type"].isin(["Picture", "Response"])]
    after = events.shift(-1)
    follows = after["Event Type"].eq("Response")
    if "Subject" in events:
        follows &= after["Subject"].eq(events["Subject"])
    time = (numbers(after["Time"].fillna("")) - numbers(events["Time"])) / 10
    pictures = events.assign(
        Response=after["Code"].where(follows, ""),
        RT=time.where(follows).map(lambda ms: "" if pd.isna(ms) else f"{ms:g}"),
        level=events["Code"].str.extract(r"(\d+(?:[.,]\d+)?)\D*$")[0].fillna(""),
    )[events["Event Type"] == "Picture"]
    if pictures.empty:
        return table, []
    note = (
        "a log of Presentation: each picture with the response that follows it (column Response, "
        "RT in ms); level is the last number in the picture's Code"
    )
    return pictures, [note]
