"""CONTRIBUTING.md names files, packages and functions that are there."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from test_rooms import ORDER

from lib.settings.options import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
PATHS = [name for name in NAMED if re.fullmatch(r"(lib|tests|data)/[\w/.]*", name)]
COMMANDS = re.findall(r"tests/[\w/.]+", TEXT)
DOTTED = [re.match(r"(?:lib\.)?([a-z_]+\.[a-z_]+)\.([A-Za-z]\w*)(\(|$)", name) for name in NAMED]
FUNCTIONS = sorted({found.groups()[:2] for found in DOTTED if found and found[1][:4] != "lib."})


@pytest.mark.parametrize("path", sorted({*PATHS, *COMMANDS}))
def test_every_path_is_there(path):
    assert (ROOT / path.rstrip(".")).exists()


def test_the_rooms_stand_in_their_order():
    table = TEXT.partition("| package | holds |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == ORDER


@pytest.mark.parametrize(("module", "name"), FUNCTIONS)
def test_every_function_is_there(module, name):
    assert hasattr(import_module(f"lib.{module}"), name)


def test_the_search_finds_paths_and_functions():
    assert len(PATHS) > 20 and ("networks.answers", "answer") in FUNCTIONS
