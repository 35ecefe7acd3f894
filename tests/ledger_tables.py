"""Result tables whose verdicts are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

PUBLISHED = ("alexnet", "vgg11", "vgg13", "vgg16")
NETWORKS = (*PUBLISHED, "fe_alexnet", "alexnet_matched")
PICTURES = ("error_consistency", "image_consistency", "log_likelihood")
CEILING = {"error_consistency": 0.4, "image_consistency": 0.9, "log_likelihood": 0.1}


def psychometrics(pse=None, sensitivity=None, *, kind="human", seeds=4, people=40, reason=""):
    """40 people with PSE 0.5 +- 0.1 and d' 3 +- 0.5; networks' values by architecture."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(people):
        row = {"observer": f"p{k}", "kind": kind, "architecture": "", "pretraining": "", "seed": ""}
        row |= spread("pse", rng.normal(0.5, 0.1), 0.02)
        rows.append(row | spread("sensitivity", rng.normal(3, 0.5), 0.2) | {"reason": ""})
    for architecture in NETWORKS:
        for seed in range(seeds):
            row = {"observer": f"{architecture}{seed}", "kind": "cnn", "seed": seed}
            row |= {"architecture": architecture, "pretraining": "imagenet", "n_identities": 8}
            wobble = 0.004 * (seed - (seeds - 1) / 2)
            value = (pse or {}).get(architecture, 0.5)
            row |= spread("pse", value + wobble if np.isfinite(value) else value, 0.01)
            row["choice_sensitivity"] = (sensitivity or {}).get(architecture, 3.0) + wobble
            rows.append(row | {"reason": reason if np.isnan(value) else ""})
    return pd.DataFrame(rows).assign(condition="full")


def spread(name, value, error):
    """A value with its 95 % interval as columns."""
    return {name: value, f"{name}_low": value - 1.96 * error, f"{name}_high": value + 1.96 * error}


def likeness(share=None, half=0.05, *, n_stimuli=100, seeds=4, reason=""):
    """Picture scores as shares of the lower ceiling, by architecture, with this half-width."""
    rows = []
    for architecture in NETWORKS:
        part = (share or {}).get(architecture, 0.5)
        for metric in PICTURES:
            top = CEILING[metric] if n_stimuli else np.nan
            value = part * top
            row = {"architecture": architecture, "pretraining": "imagenet", "metric": metric}
            row |= {"value": value, "low": value - half * top, "high": value + half * top}
            row |= {"chance": 0.0, "ceiling_low": top, "ceiling_high": 1.2 * top}
            row |= {"of_ceiling": value / top, "of_ceiling_low": value / top - half}
            row |= {"of_ceiling_high": value / top + half, "n_seeds": seeds, "n_observers": 40}
            rows.append(row | {"n_stimuli": n_stimuli, "reason": reason, "scope": "over seeds"})
    return pd.DataFrame(rows)


def differences(metric, by, error=0.002, *, seeds=4, versus=(*PUBLISHED, "alexnet_matched")):
    """FE-AlexNet less each other network: one number, or by architecture."""
    rows = []
    for other in versus:
        value = by.get(other, 0.05) if isinstance(by, dict) else by
        row = {"pretraining": "imagenet", "architecture": "fe_alexnet", "versus": other}
        row |= {"metric": metric, "difference": value, "error": error, "df": 6.0, "p": 0.01}
        row |= {"low": value - 2.45 * error, "high": value + 2.45 * error, "n_seeds": seeds}
        rows.append(row | {"scope": "over seeds and images", "reason": ""})
    return pd.DataFrame(rows)


def accuracy(pretraining="imagenet", untrained=0.6):
    """Test accuracies, with an untrained control."""
    rows = [
        [a, p, s, "test", 400, v + 0.001 * s]
        for p, v in ((pretraining, 0.9), ("untrained", untrained))
        for a in (NETWORKS if p == pretraining else ("alexnet",))
        for s in range(4)
    ]
    names = ["architecture", "pretraining", "seed", "split", "n", "accuracy"]
    return pd.DataFrame(rows, columns=names)


def manipulation(share=0.1):
    """How far FE-AlexNet's block moves the log-odds, by seed."""
    rows = [["fe_alexnet", "imagenet", seed, share] for seed in range(4)]
    return pd.DataFrame(rows, columns=["architecture", "pretraining", "seed", "share_of_sd"])


def tables(**given):
    """A run's tables in which all four networks are partly as people and FE-AlexNet is ahead."""
    ours = {"fe_alexnet": 1.1}
    known = {
        "accuracy": accuracy(),
        "psychometrics": psychometrics(sensitivity=dict.fromkeys(PUBLISHED, 9.0)),
        "human_likeness": likeness(ours),
        "likeness_differences": differences("log_likelihood", 0.05),
        "accuracy_differences": differences("accuracy", 0.03),
        "manipulation": manipulation(),
    }
    return known | given
