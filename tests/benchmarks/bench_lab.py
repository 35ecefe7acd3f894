"""How long one move of a control in the attention lab takes: ``python tests/benchmarks/bench_lab.py [study]``.

Needs a finished run of the study (the demo by default). Counted is everything up to the new picture and table.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import matplotlib
import numpy as np

from lib.attention_controls import LabControls
from lib.attention_lab import AttentionLab
from lib.runs import MissingResult, open_run

CHANGES = {"gain": 1.0, "temperature": 0.5, "mouth": 1.5, "level": None, "asks": "eyes", "condition": "mouth"}
REPEATS = 5


def seconds(controls: LabControls, state) -> float:
    """Median time of showing a state."""
    times = []
    for _ in range(REPEATS):
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
    states = {name: replace(start, **{name: 0.5 if value is None else value}) for name, value in CHANGES.items()}
    found = {name: seconds(controls, state) for name, state in states.items()}
    print("attention lab, one move: " + ", ".join(f"{name} {1000 * t:.0f} ms" for name, t in found.items()))


if __name__ == "__main__":
    main()
