"""Few-label transfer: a base that carries valence is told from one that does not."""

import numpy as np
import pandas as pd
import pytest
from small_training import a_run

from lib.pretraining.transfer import (
    few_label_transfer,
    gain_over,
    spread_over_bases,
    transfer_table,
)


def bases(rng: np.random.Generator, n: int = 400) -> tuple[dict, np.ndarray, np.ndarray]:
    labels = np.arange(n) % 2
    noise = [rng.normal(size=(n, 30)) for _ in range(3)]
    informative = noise[0] + 0.6 * (2 * labels - 1)[:, None]
    return {"untrained": noise[1:], "objects": [informative]}, labels, np.arange(n) >= n // 2


def test_an_informative_base_beats_noise_and_noise_is_at_chance():
    rng = np.random.default_rng(0)
    transfer = few_label_transfer(*bases(rng), n_labels=20, repeats=12, rng=rng)
    means = transfer.groupby("base")["accuracy"].mean()
    assert means["objects"] > 0.85 and abs(means["untrained"] - 0.5) < 0.06
    gain = gain_over(transfer, "untrained", n_boot=500, rng=rng).iloc[0]
    assert gain["low"] > 0 and gain["low"] < gain["difference"] < gain["high"]


def test_gain_by_hand():
    transfer = pd.DataFrame(
        {
            "base": ["a", "b"] * 2,
            "n_labels": 8,
            "repeat": [0, 0, 1, 1],
            "accuracy": [0.9, 0.7, 0.8, 0.6],
        }
    )
    row = gain_over(transfer, "b", n_boot=50, rng=np.random.default_rng(0)).iloc[0]
    assert row[["difference", "low", "high"]].tolist() == pytest.approx([0.2, 0.2, 0.2])


def test_more_labels_than_faces_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at most 200"):
        few_label_transfer(*bases(rng), n_labels=202, repeats=1, rng=rng)


def test_the_spread_over_bases_by_hand():
    """Seed 0: 0.9 - 0.6; seed 1 has no value on one base; a candidate on one base alone has no
    spread.
    """
    rows = [
        ("none", "objects", 0, 0.9),
        ("none", "untrained", 0, 0.6),
        ("none", "objects", 1, 0.8),
        ("none", "untrained", 1, np.nan),
        ("self", "objects", 0, 0.7),
    ]
    cells = pd.DataFrame(rows, columns=["candidate", "pretraining", "seed", "accuracy"])
    table = spread_over_bases(cells, "accuracy")
    assert table["architecture"].tolist() == ["none", "none"] and table["seed"].tolist() == [0, 1]
    assert (
        table["spread"][0] == pytest.approx(0.3)
        and np.isnan(table["spread"][1])
        and set(table["bases"]) == {2}
    )


@pytest.mark.usefixtures("small_heads")
def test_a_studys_own_images_are_read_out(tmp_path, images):
    run = a_run(tmp_path, "03")
    table = transfer_table(
        run, ["untrained"], images, np.random.default_rng(0), n_labels=(10, 20, 100), repeats=3
    )
    assert (
        set(table["n_labels"]) == {10, 20} and len(table) == 6
    )  # 24 training images do not suffice for 100
    assert (
        table.loc[table["n_labels"] == 20, "accuracy"].min() == 1
    )  # stripes across against stripes down
