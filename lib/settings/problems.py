"""What is wrong with a study, in words: the key, what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass

from pydantic import TypeAdapter, ValidationError

from lib.settings.options import Study
from lib.settings.values import did_you_mean, shown

UNKNOWN = ("unexpected_keyword_argument", "invalid_key")
WRONG_SHAPE = {
    "dataclass_type": "keys and values",
    "dict_type": "keys and values",
    "tuple_type": "a list",
}
OF_THE_RIGHT_TYPE = ("literal_error", "greater_than_equal", "less_than_equal")
NOUNS = {"integer": "a whole number", "number": "a number", "string": "text"}


class StudyError(ValueError):
    """A study that cannot be run; ``problems`` lists everything wrong with it at once."""

    def __init__(self, problems: Sequence[str], where: str = "the study"):
        self.problems = list(problems)
        super().__init__(f"{where} cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))


def refused(error: ValidationError, section: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Each refused setting as its sections and name, with a sentence; unknown keys come first.

    Where several values of a setting are wrong, the first is named. ``section`` is the one that was
    checked, where it was not a whole study.
    """
    found: dict[tuple[str, ...], str] = {}
    details = error.errors(include_url=False)
    for detail in sorted(details, key=lambda one: one["type"] not in UNKNOWN):
        sections, rest = _setting((*section, *detail["loc"]))
        found.setdefault(sections, f"{'.'.join(sections)}: {_sentence(detail, sections, rest)}")
    return found


def _setting(where: Sequence[str | int]) -> tuple[tuple[str, ...], Sequence[str | int]]:
    """The setting that a place in the tree belongs to, and the place within its value."""
    section: object = Study()
    for depth, name in enumerate(where, start=1):
        section = getattr(section, str(name), None)
        if not is_dataclass(section):
            return tuple(map(str, where[:depth])), where[depth:]
    return tuple(map(str, where)), ()


def _sentence(detail: dict, setting: Sequence[str], rest: Sequence[str | int]) -> str:
    kind = detail["type"]
    given = detail["input"]
    *sections, name = setting
    known = _schema(sections)["properties"]
    if kind in UNKNOWN:
        near = did_you_mean(name, known, "".join(f"{section}." for section in sections))
        return f"unknown key{near} (allowed: {', '.join(known)})"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "too_short":
        return (
            f"an empty list given; allowed: at least one of the {name}. "
            "Leave it out for the default"
        )
    if kind in WRONG_SHAPE:
        return f"{shown(given)} given; allowed: {WRONG_SHAPE[kind]}"
    words, allowed = _allowed(known[name], rest)
    typed = f" ({type(given).__name__})" if kind not in OF_THE_RIGHT_TYPE else ""
    return f"{shown(given)} given{typed}; allowed: {allowed}{did_you_mean(given, words)}"


def _schema(sections: Sequence[str]) -> dict:
    """The JSON schema of a section, in which limits and choices stand."""
    section: object = Study()
    for name in sections:
        section = getattr(section, name)
    return TypeAdapter(type(section)).json_schema()


def _allowed(schema: dict, rest: Sequence[str | int]) -> tuple[list[str], str]:
    """The allowed words, where there are some, and what is allowed as a sentence says it."""
    for place in rest:
        schema = _without_null(schema)
        if isinstance(place, int):
            schema = schema["items"]
        else:
            schema = schema["propertyNames" if rest[-1] == "[key]" else "additionalProperties"]
            break
    schema = _without_null(schema)
    if "items" in schema:
        schema = _without_null(schema["items"])
    if "enum" in schema:
        return schema["enum"], ", ".join(schema["enum"])
    if schema["type"] == "boolean":
        return [], "true or false"
    words = [NOUNS[schema["type"]]]
    words += [
        f"{word} {schema[limit]}"
        for word, limit in (("from", "minimum"), ("to", "maximum"))
        if limit in schema
    ]
    return [], " ".join(words)


def _without_null(schema: dict) -> dict:
    """The schema of a value that may also be null, as if it might not."""
    return next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
