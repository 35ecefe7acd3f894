"""The scorecard in sentences."""

import numpy as np
import pandas as pd

from lib.claims.sentences import likeness_sentences


def row(metric, architecture, value, **columns):
    known = {"pretraining": "imagenet", "low": value - 0.1, "high": value + 0.1, "chance": 0.0}
    known |= {"ceiling_low": 0.5, "ceiling_high": 0.6, "n_observers": 40, "reason": ""}
    return known | {"metric": metric, "architecture": architecture, "value": value} | columns


def test_the_nearest_network_is_named_with_chance_and_ceilings():
    scope = "over seeds and people; not for other identities (2)"
    table = pd.DataFrame(
        [
            row("slope_ratio", "alexnet", 1.5, scope=scope),
            row("slope_ratio", "vgg11", 0.9, scope=scope),
            row("error_consistency", "alexnet", 0.2, scope=scope),
            row("error_consistency", "vgg11", 0.1, scope=scope),
        ]
    )
    slope, errors = likeness_sentences(table, "simulated")
    assert slope.startswith("slope over people's: best is VGG11 with 0.900 [0.800, 1.000]")
    assert errors == (
        "error consistency within level: best is AlexNet with 0.200 [0.100, 0.300]; knowing the "
        "level alone gets 0.000; ceilings of 40 simulated people 0.500 to 0.600 "
        "(over seeds and people; not for other identities (2))."
    )


def test_no_value_has_its_reason():
    why = "people and networks saw different pictures"
    table = pd.DataFrame([row("log_likelihood", "alexnet", np.nan, reason=why, scope="")])
    (sentence,) = likeness_sentences(table, "human")
    assert sentence == f"log likelihood above level (bits a choice): no value. {why}."
