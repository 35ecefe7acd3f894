"""Put in / found: the cue is where the pictures change, ticks and crosses follow the tables."""

import numpy as np
import pandas as pd
import pytest
from mechanism_run import small_run
from PIL import Image
from scipy import stats

from lib.faces.render import make_identity, render_face
from lib.mechanisms.truths import COLUMNS, cue_by_part, people_truth, truths
from lib.morphs.stimuli import regions_of

KNOWN = pd.DataFrame(
    {
        "cue": ["mouth", "mouth"],
        "method": ["hirescam", "gradcam"],
        "weights": "trained",
        "mean": [4.0, 0.5],
        "low": [3.0, 0.4],
        "high": [5.0, 0.6],
        "verdict": ["finds it", "misses it"],
    }
)


def faces(folder, weights):
    rows = []
    for person in (1, 2, 3, 4):
        for level in (0.0, 0.5, 1.0):
            path = folder / f"{person}_{level}.png"
            picture = render_face(make_identity(person), level, diagnosticity=weights)
            Image.fromarray(picture).save(path)
            rows.append({"identity": f"id{person:03d}", "level": level, "path": str(path)})
    return pd.DataFrame(rows).assign(condition="full", stimulus=lambda t: t["path"])


@pytest.mark.parametrize("part", ["eyes", "mouth"])
def test_the_part_that_carries_the_expression_is_named(part, tmp_path):
    weights = {name: float(name == part) for name in ("eyes", "nose", "mouth")}
    found = cue_by_part(small_run(tmp_path).study, faces(tmp_path, weights)).set_index("part")[
        "cue"
    ]
    assert found.idxmax() == part and found[part] > 0.9 and found.sum() == pytest.approx(1)


def test_a_part_that_changes_as_much_as_it_differs_between_faces_tells_little(tmp_path):
    """By hand: 100 grey values in the eyes against an SD of 100, 20 in the mouth against 5."""
    study = small_run(tmp_path).study
    everywhere = faces(tmp_path, {"eyes": 1.0, "nose": 1.0, "mouth": 1.0})
    regions = regions_of(study, everywhere.query("level != 0.5").reset_index(drop=True))
    size = {part: mask.mean(axis=0).sum() for part, mask in regions.items()}
    away = {"eyes": (50, 100), "mouth": (10, 5)}  # half of the change, SD between faces
    places = {name: regions[name].any(axis=0) for name in away}
    assert not (places["eyes"] & places["mouth"]).any()
    for k, row in enumerate(everywhere.itertuples()):
        picture = np.full((224, 224, 3), 128.0)
        for part, (half, sd) in away.items():
            person = (-1.5, -0.5, 0.5, 1.5)[k // 3] / 1.25**0.5 * 0.75**0.5
            picture[places[part]] += half * (2 * row.level - 1) + 0.5 * sd * person
        Image.fromarray(picture.round().astype(np.uint8)).save(row.path)
    found = cue_by_part(study, everywhere).set_index("part")
    told = {"eyes": 100**2 / 50**2 * size["eyes"], "mouth": 20**2 / 2.5**2 * size["mouth"]}
    assert found.loc["mouth", "cue"] == pytest.approx(told["mouth"] / sum(told.values()), abs=0.03)
    assert found["cue"].idxmax() == "mouth" and found["change"].idxmax() == "eyes"


def table(losses, value="mean", half=0.1):
    return pd.DataFrame(
        [
            {
                "architecture": "alexnet",
                "pretraining": "objects",
                "kind": "cnn",
                "seed": np.nan,
                "part": part,
                value: loss,
                "low": loss - half,
                "high": loss + half,
            }
            for part, loss in losses.items()
        ]
    )


def test_a_tick_where_the_first_part_is_the_one_put_in_and_a_cross_with_its_reason(tmp_path):
    cues = pd.DataFrame({"part": ["eyes", "mouth"], "cue": [0.3, 0.7]})
    found = truths(
        small_run(tmp_path).study,
        cues,
        table({"eyes": 0.1, "mouth": 0.9}, "loss"),
        table({"eyes": 2.0, "mouth": 1.0}),
        table({"eyes": 1.0, "mouth": 0.95}),
        KNOWN,
        simulated=False,
    )
    assert list(found.columns) == COLUMNS
    names = [name.rpartition(": ")[2] for name in found["what"]]
    ok = dict(zip(names, found["ok"], strict=True))
    assert ok == {
        "only cue of the faces, by HiResCAM": True,
        "only cue of the faces, by Grad-CAM": False,
        "part costs most when hidden": True,
        "part marked most by bubbles": False,
        "part marked most by saliency": False,
    }
    notes = found.set_index("what")["note"]
    assert (
        notes["AlexNet (objects): part marked most by saliency"] == "another part is clearly ahead"
    )
    assert notes["AlexNet (objects): part marked most by bubbles"] == "the two are not told apart"
    assert found["put_in"].iloc[-1] == "mouth (70% of d'^2)"


@pytest.mark.parametrize(("half", "ok"), [(0.1, True), (0.5, False)])
def test_a_part_that_comes_first_within_the_error_is_not_found(tmp_path, half, ok):
    cues = pd.DataFrame({"part": ["eyes", "mouth"], "cue": [0.3, 0.7]})
    losses = table({"eyes": 0.1, "mouth": 0.9}, "loss", half)
    study = small_run(tmp_path).study
    nothing = losses.iloc[:0]
    (row,) = truths(study, cues, losses, nothing, nothing, KNOWN.iloc[:0], False).to_dict("records")
    assert row["ok"] is ok and row["found"].startswith("mouth")
    assert bool(row["note"]) is not ok


def test_the_simulated_people_lose_what_their_curves_say(tmp_path):
    """Oracle: d' from the choices of many simulated people without lapses or spread."""
    study = small_run(
        tmp_path,
        **{
            "observers.simulated.pse_sd": 0,
            "observers.simulated.scale_log_sd": 0,
            "observers.simulated.lapse_max": 0,
            "observers.simulated.trials_per_level": 2000,
        },
    ).study
    expected = people_truth(study).set_index("part")["loss"]
    person, levels = study.observers.simulated, np.linspace(0, 1, study.morphs.levels)

    def d_prime(factor, shift):
        rng = np.random.default_rng(0)
        noise = rng.normal(0, person.scale_mean * factor, (200_000, len(levels)))
        yes = (levels + noise > person.pse_mean + shift).mean(axis=0)
        ends = yes[levels > 2 / 3].mean(), yes[levels < 1 / 3].mean()
        return stats.norm.ppf(ends[0]) - stats.norm.ppf(ends[1])

    for part, loss in expected.items():
        hidden = d_prime(person.part_scale_factor[part], person.part_pse_shift[part])
        assert loss == pytest.approx(d_prime(1, 0) - hidden, abs=0.05)
    assert expected.idxmax() == "mouth"


def test_real_faces_have_no_truth_about_parts_and_real_people_none_about_weights(tmp_path):
    study = small_run(tmp_path, **{"morphs.source": "averages", "morphs.regions": "boxes"}).study
    cues = pd.DataFrame({"part": ["mouth"], "cue": [1.0]})
    rows = table({"mouth": 1.0}, "loss")
    found = truths(study, cues, rows, rows, rows, KNOWN, simulated=False)
    assert found["what"].str.contains("only cue").all()
