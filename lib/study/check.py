"""What a study would do and what stands in its way, found in seconds without training anything.

Nothing here loads torch, unless the study asks for a GPU or names weights in a file that only torch
reads.
"""

from __future__ import annotations

from pathlib import Path

from lib.settings.loading import examine
from lib.settings.overrides import Overrides
from lib.study import check_inputs, check_networks
from lib.study.report import Report

NETWORK_SECTIONS = {"networks", "attention", "training", "weights_dir"}


def check_study(path: str | Path, overrides: Overrides = ()) -> Report:
    """Look at the settings, the images, the morphs, the people's file, the weights and the disk.

    A part whose settings are wrong is not looked at further.

    Raises
    ------
    StudyError : the file is missing or holds no settings at all.
    """
    study, problems = examine(path, overrides)
    report = Report(study.name, problems)
    wrong = {problem.partition(":")[0].partition(".")[0] for problem in problems}
    counts = None
    pictures = None
    networks = None
    if "images" not in wrong:
        counts = check_inputs.images(study, report)
    if not wrong & {"images", "morphs"}:
        pictures = check_inputs.morphs(study, counts, report)
    if "observers" not in wrong:
        check_inputs.people(study, report)
    if not wrong & NETWORK_SECTIONS:
        networks = check_networks.networks(study, report)
    if networks is None or counts is None or pictures is None:
        return report
    if check_networks.device_is_there(study, report):
        grid = check_networks.grid(study, networks, report)
        n_images = int(counts.to_numpy().sum())
        check_networks.cost(study, networks, grid, n_images, pictures, report)
    return report
