"""How long one move of a control in the attention lab takes: ``python tests/benchmarks/bench_lab.py
[study]``.

Needs a finished run of the study (the demo by default). Counted is everything up to the new picture
and table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import replace

import matplotlib
import numpy as np

from lib.live.lab import AttentionLab, LabState
from lib.live.lab_controls import LabControls
from lib.storage.runs import MissingResult, open_run

# new values each, so that nothing is remembered that a reader's move would have to compute
CHANGES = {
    "gain": (1.0, -0.5, 2.0, 0.25, -1.0),
    "temperature": (0.5, 2.0, 0.25, 1.5, 0.75),
    "mouth": (1.5, -1.0, 0.5, 2.5, -2.0),
    "kind": ("none", "self", "se", "self", "none"),
    "level": (0.5, 0.0, 0.25, 0.75, 1.0),
    "asks": ("eyes", "nose", "mouth", "eyes", "nose"),
    "condition": ("mouth", "eyes", "nose", "mouth", "eyes"),
}


def seconds(controls: LabControls, states: Iterable[LabState]) -> float:
    """Median time of showing a state."""
    times = []
    for state in states:
        start = time.perf_counter()
        controls.show(state)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    matplotlib.use("agg")
    run = open_run("03", sys.argv[1] if len(sys.argv) > 1 else "data/studies/demo.yaml")
    try:
        people = run.read_table("trials", before="02")
        lab = AttentionLab(run, run.read_table("images"), run.read_table("stimuli"), people)
    except MissingResult as missing:
        print(f"attention lab: not measured; {missing}")
        return
    controls, start = LabControls(lab), lab.default()
    found = {
        name: seconds(controls, [replace(start, **{name: value}) for value in values])
        for name, values in CHANGES.items()
    }
    print(
        "attention lab, one move: "
        + ", ".join(f"{name} {1000 * t:.0f} ms" for name, t in found.items())
    )


if __name__ == "__main__":
    main()
