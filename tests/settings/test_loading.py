"""Studies: whatever is wrong is named with its key, what was given and what is allowed, all at
once.
"""

import dataclasses

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lib.backbones.weights import new_features
from lib.networks.network import block_channels
from lib.psychometrics.result import FitOptions
from lib.settings.loading import ROOT, Study, StudyError, load_study, parse_overrides, resolve
from lib.settings.rules import CHANNELS

SHIPPED = sorted((ROOT / "data/studies").glob("*.yaml"))


KINDS_OF_VALUES = {"integer": int, "number": float, "boolean": bool, "string": str}
SCHEMA = TypeAdapter(Study).json_schema()


def leaves(properties=SCHEMA["properties"], prefix=""):
    """(key, schema) of every setting."""
    for name, schema in properties.items():
        if "$ref" in schema:
            below = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
            yield from leaves(below["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", schema


LEAVES = dict(leaves())
# those that are one value, not a list or a mapping, and not null by default
SCALARS = {key: schema for key, schema in LEAVES.items() if schema.get("type") in KINDS_OF_VALUES}
BOUNDED = {key: schema for key, schema in SCALARS.items() if "minimum" in schema}
CHOICES = {key: schema["enum"] for key, schema in SCALARS.items() if "enum" in schema}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


def load(folder, text, overrides=()):
    path = folder / "mine.yaml"
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
    return load_study(path, overrides)


def problems(folder, text, overrides=()):
    with pytest.raises(StudyError) as error:
        load(folder, text, overrides)
    assert all(problem in str(error.value) for problem in error.value.problems)
    return error.value.problems


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_study_loads_under_its_own_name(path):
    study = load_study(path)
    assert study.name == path.stem and study.about
    assert study.folder == ROOT / "runs" / path.stem


def test_the_studies_of_the_design_are_shipped():
    assert {"smoke", "demo", "fer2013", "paper", "attention_grid"} <= {p.stem for p in SHIPPED}


def test_the_published_protocol_is_in_the_paper_study():
    study = load_study("data/studies/paper.yaml")
    assert (study.training.lr, study.training.batch, study.training.epochs) == (1e-4, 128, 40)
    assert study.images.n_train == 28_000


def test_an_empty_file_is_the_default_study_named_after_its_file(folder):
    assert load(folder, "") == dataclasses.replace(Study(), name="mine")


def test_a_study_written_out_reads_back_the_same(folder):
    study = load_study("data/studies/fer2013.yaml")
    assert load(folder, study.to_dict()) == study


def test_a_study_cannot_be_changed_after_loading():
    study = load_study("data/studies/smoke.yaml")
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.training.epochs = 99


def test_every_default_is_within_its_own_limits(folder):
    assert load(folder, Study(name="mine").to_dict()) == Study(name="mine")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BOUNDED)), st.data())
def test_any_number_within_its_limits_is_taken_and_any_outside_is_refused(key, data):
    schema, hint = BOUNDED[key], KINDS_OF_VALUES[BOUNDED[key]["type"]]
    low = schema["minimum"]
    high = schema.get("maximum", low + 10_000)
    numbers = st.integers if hint is int else st.floats
    inside = data.draw(numbers(min_value=low, max_value=high), label="inside")
    study = load_study(
        "data/studies/smoke.yaml", {"attention.kind": "se", key: inside}
    )  # heads are kind self's
    for part in key.split("."):
        study = getattr(study, part)
    assert study == inside and type(study) is hint

    outside = data.draw(numbers(max_value=low - 1), label="outside")
    with pytest.raises(StudyError) as error:
        load_study("data/studies/smoke.yaml", {key: outside})
    (problem,) = error.value.problems
    assert problem.startswith(f"{key}: ") and "allowed: " in problem and str(low) in problem


def test_attention_settings_that_no_block_can_have_are_refused_with_their_keys():
    with pytest.raises(
        StudyError,
        match=r"attention.heads: 5 given for 48 inner channels.*allowed: a divisor of 48",
    ):
        load_study("data/studies/smoke.yaml", {"attention.heads": 5})
    with pytest.raises(
        StudyError, match=r"attention.region_prior: .*'mouth': 1.* given with attention.kind 'se'"
    ):
        load_study(
            "data/studies/smoke.yaml",
            {"attention.kind": "se", "attention.region_prior": {"mouth": 1}},
        )
    even = {"attention.kind": "se", "attention.region_prior": {"eyes": 1, "nose": 1, "mouth": 1}}
    assert load_study("data/studies/smoke.yaml", even).attention.kind == "se"  # weighs nothing


@pytest.mark.parametrize("location", CHANNELS)
def test_the_channels_that_heads_must_divide_are_alexnets(location):
    assert block_channels(new_features("alexnet"), location) == CHANNELS[location]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(LEAVES)),
    st.sampled_from([True, {"a": [1]}, [[1, 2]], {"x": {"y": 1}}, float("nan")]),
)
def test_a_wrong_type_is_refused_and_the_key_is_named(key, value):
    if LEAVES[key].get("type") == "boolean" and value is True:
        return
    with pytest.raises(StudyError) as error:
        load_study("data/studies/smoke.yaml", {key: value})
    assert [p for p in error.value.problems if p.startswith(key)]


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda below: (
            st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(sorted(LEAVES) + sorted({key.partition(".")[0] for key in LEAVES})),
)
def test_whatever_is_given_it_is_taken_or_refused_but_never_breaks(value, key):
    try:
        study = load_study("data/studies/smoke.yaml", {key: value})
    except StudyError as error:
        assert error.problems and all(len(problem) < 1000 for problem in error.problems)
    else:
        assert isinstance(study, Study)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_a_study_or_a_study_error(folder, text):
    try:
        load(folder, text)
    except StudyError as error:
        assert error.problems


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30))
def test_any_override_text_is_taken_or_refused(text):
    try:
        load_study("data/studies/smoke.yaml", text)
    except StudyError as error:
        assert error.problems


@pytest.mark.parametrize(("key", "choices"), CHOICES.items())
def test_a_wrong_word_names_all_allowed_words_and_the_nearest(folder, key, choices):
    typo = choices[0][:-1] + "_"
    found = [p for p in problems(folder, "", {key: typo}) if p.startswith(f"{key}: ")]
    assert len(found) == 1 and all(word in found[0] for word in choices) and repr(typo) in found[0]


def test_an_unknown_key_is_named_with_the_nearest_known_one(folder):
    (problem,) = problems(folder, "training: {epoch: 3}")
    assert problem.startswith("training.epoch: unknown key; did you mean training.epochs?")


def test_everything_wrong_is_said_at_once_in_the_same_order_each_time(folder):
    text = """
        nam: x
        images: {source: folders, n_train: many}
        morphs: {levels: 1, boxes: {ears: [1, 2, 3, 4]}}
        training: {lr: -1}
        statistics: {people: {guess: [0.4, 0.1]}}
        observers: {codes: {happy: 1, glad: 1}}
    """
    found = problems(folder, text)
    assert [p.partition(":")[0] for p in found] == [
        "nam",
        "images.source",
        "images.n_train",
        "morphs.levels",
        "morphs.boxes",
        "training.lr",
        "statistics.people.guess",
        "observers.codes",
    ]
    assert found == problems(folder, text)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("images: {source: folder}", "images.root", "needs the path of your images"),
        ("images: {source: filenames, root: x}", "images.pattern", "regular expression"),
        (
            "images: {source: filenames, root: x, pattern: '('}",
            "images.pattern",
            "not a regular expression",
        ),
        (
            "images: {source: filenames, root: x, pattern: '(?P<identity>.)'}",
            "images.pattern",
            "no (?P<label>",
        ),
        ("images: {labels: {joy: happy}}", "images.labels", "no label means 'sad'"),
        ("morphs: {source: folder, regions: boxes}", "morphs.root", "needs a folder"),
        (
            "morphs: {source: folder, root: x, regions: boxes, pattern: a.jpg}",
            "morphs.pattern",
            "{step}",
        ),
        ("morphs: {source: matched_pairs}", "morphs.regions", "only the built-in faces"),
        ("morphs: {regions: landmarks}", "morphs.regions", "has none"),
        ("morphs: {conditions: [eyes]}", "morphs.conditions", "'full'"),
        ("morphs: {boxes: {eyes: [9, 3, 1, 2]}}", "morphs.boxes", "first column"),
        ("networks: {pretraining: face}", "networks.face_weights", "state-dict"),
        ("networks: {architectures: []}", "networks.architectures", "at least one"),
        *(
            (
                f"{section}: {{{key}: []}}",
                f"{section}.{key}",
                f"an empty list given; allowed: at least one of the {key}",
            )
            for section, key in (
                ("networks", "architectures"),
                ("grid", "kinds"),
                ("grid", "locations"),
                ("grid", "reductions"),
                ("saliency", "methods"),
                ("saliency", "levels"),
            )
        ),
        ("morphs: {conditions: []}", "morphs.conditions", "'full'"),
        (
            "morphs: {regions: boxes, boxes: {eyes: [1, 2, 3, 4]}}",
            "morphs.boxes",
            "no box of nose, mouth",
        ),
        (
            "statistics: {people: {guess: [0.5, 0.6], lapse: [0.5, 0.6]}}",
            "statistics.people.guess",
            "at most 1",
        ),
        (
            "statistics: {people: {guess: [0, 0.6], lapse: [0, 0.5]}}",
            "statistics.people.guess",
            "lapse [0.0, 0.5]",
        ),
        ("networks: {architectures: [vgg11, vgg11]}", "networks.architectures", "given twice"),
        ("observers: {level_range: [1, 1]}", "observers.level_range", "two numbers that differ"),
        ("name: ..", "name", "plain folder name"),
        ("name: a/b", "name", "plain folder name"),
    ],
)
def test_values_that_do_not_go_together_are_refused(folder, text, key, words):
    (problem,) = problems(folder, text)
    assert problem.startswith(f"{key}: ") and words in problem


def test_bounds_and_boxes_that_go_together_are_taken_as_a_fit_takes_them(folder):
    bounds = load(
        folder, "statistics: {people: {guess: [0, 0.6], lapse: [0, 0.4]}}"
    ).statistics.people
    assert FitOptions(guess=bounds.guess, lapse=bounds.lapse).guess == (0.0, 0.6)
    with pytest.raises(ValueError, match="at most 1 together"):
        FitOptions(guess=(0, 0.6), lapse=(0, 0.5))
    text = "morphs: {regions: boxes, conditions: [full, eyes], boxes: {eyes: [1, 2, 3, 4]}}"
    assert load(folder, text).morphs.boxes == {"eyes": (1, 2, 3, 4)}


def test_a_refused_value_is_not_blamed_again_for_the_default_that_stands_in(folder):
    (problem,) = problems(folder, "morphs: {source: landmark, regions: landmarks, root: x}")
    assert problem.startswith("morphs.source: ") and "did you mean landmarks?" in problem


def test_a_key_given_twice_is_refused_where_plain_yaml_keeps_the_last(folder):
    (problem,) = problems(folder, "name: a\nimages: {n_train: 4}\nname: b")
    assert "'name' is given twice" in problem


def test_an_unquoted_yes_as_a_code_is_refused_with_the_remedy(folder):
    (problem,) = problems(folder, "observers: {codes: {yes: 1, no: 0}}")
    assert problem.startswith("observers.codes") and "in quotes" in problem
    assert load(folder, "observers: {codes: {'yes': 1, 'no': 0}}").observers.codes == {
        "yes": 1,
        "no": 0,
    }


def test_numbers_as_codes_and_labels_are_read_as_their_text(folder):
    study = load(folder, "images: {labels: {3: happy, 4: sad}}\nobservers: {codes: {1: 1, 2: 0}}")
    assert study.images.labels == {"3": "happy", "4": "sad"} and study.observers.codes == {
        "1": 1,
        "2": 0,
    }


def test_1e_4_is_a_number_although_yaml_reads_it_as_text(folder):
    assert load(folder, "training: {lr: 1e-4}").training.lr == 1e-4


@pytest.mark.parametrize(
    "given",
    [
        {"training.epochs": 10, "name": "x"},
        ["training.epochs=10", "name=x"],
        "training.epochs=10 name=x",
    ],
)
def test_overrides_are_taken_in_three_forms(given):
    study = load_study("data/studies/demo.yaml", given)
    assert (study.training.epochs, study.name) == (10, "x")


def test_overrides_carry_lists_null_and_quoted_paths():
    study = load_study(
        "data/studies/demo.yaml", "morphs.conditions=full,eyes images.n_test=null 'output=my runs'"
    )
    assert study.morphs.conditions == ("full", "eyes")
    assert study.images.n_test is None and study.output == "my runs"


@pytest.mark.parametrize(
    "given", [{"training": {"epochs": 10}}, "training='{epochs: 10}'", "training.epochs=10"]
)
def test_an_override_of_a_section_leaves_the_files_other_settings(folder, given):
    study = load(
        folder, "training: {lr: 0.01, seeds: 7}\nobservers: {exclude: {max_missed: 0.5}}", given
    )
    assert (study.training.epochs, study.training.lr, study.training.seeds) == (10, 0.01, 7)
    deep = load(
        folder,
        "observers: {rt_unit: ms, exclude: {max_missed: 0.5, min_rt_s: 0.1}}",
        {"observers": {"exclude": {"min_rt_s": 0.2}, "simulated": {"n": 5}}},
    ).observers
    assert (deep.rt_unit, deep.exclude.max_missed, deep.exclude.min_rt_s, deep.simulated.n) == (
        "ms",
        0.5,
        0.2,
        5,
    )


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"training": None}, "training"),
        ("training=", "training"),
        ({"observers": {"simulated": None}}, "observers.simulated"),
    ],
)
def test_a_section_set_to_nothing_is_refused_with_what_is_allowed(folder, given, key):
    (problem,) = problems(folder, "training: {lr: 0.01}", given)
    assert problem.startswith(f"{key}: nothing given (null); allowed: a mapping with some of ")
    assert ("epochs" if key == "training" else "pse_mean") in problem


def test_a_key_of_a_mapping_is_changed_from_what_the_file_or_the_default_has(folder):
    key = "observers.simulated.part_pse_shift.mouth=.1"
    default = load(folder, "").observers.simulated.part_pse_shift
    assert load(folder, "", key).observers.simulated.part_pse_shift == default | {"mouth": 0.1}
    text = "observers: {simulated: {part_pse_shift: {nose: 0.3}}}"
    assert load(folder, text, key).observers.simulated.part_pse_shift == {"nose": 0.3, "mouth": 0.1}
    assert load(folder, "", "attention.region_prior.mouth=1").attention.region_prior == {
        "mouth": 1.0
    }
    assert (
        load(folder, "").observers.simulated.part_pse_shift == default
    )  # the default itself is as it was


def test_a_mapping_given_whole_is_replaced(folder):
    text = (
        "images: {labels: {glad: happy, down: sad}, n_test: 4}\nattention: "
        "{region_prior: {eyes: 2}}"
    )
    labels = {"joy": "happy", "grief": "sad"}
    word = "images.labels='{joy: happy, grief: sad}'"
    for overrides in ({"images.labels": labels}, {"images": {"labels": labels}}, word):
        study = load(folder, text, overrides)
        assert study.images.labels == labels and study.images.n_test == 4
    assert load(folder, text, ["attention.region_prior={mouth: 1}"]).attention.region_prior == {
        "mouth": 1.0
    }


def test_an_override_changes_neither_its_giver_nor_an_alias_in_the_file(folder):
    mine = {"images.labels": {"a": "happy", "b": "sad"}, "images.labels.c": "sad"}
    assert len(load(folder, "", mine).images.labels) == 3 and len(mine["images.labels"]) == 2
    text = (
        "images: {diagnosticity: &one {eyes: 0.5}}\nobservers: {simulated: {part_pse_shift: *one}}"
    )
    both = load(folder, text, "images.diagnosticity.eyes=0.2")
    assert both.images.diagnosticity["eyes"] == 0.2
    assert both.observers.simulated.part_pse_shift["eyes"] == 0.5


def test_no_overrides_may_be_none(folder):
    assert load(folder, "name: a", None) == load(folder, "name: a")


def test_a_malformed_override_is_a_problem_beside_the_others(folder):
    found = problems(folder, "nam: x", "training.epochs name=y")
    assert len(found) == 2 and "without '='" in found[0]
    assert "No closing quotation" in problems(folder, "", "name='x")[0]


def test_an_override_below_a_plain_value_is_refused(folder):
    assert "no keys of its own" in problems(folder, "name: a", "name.x=1")[0]
    assert "no keys of its own" in problems(folder, "training: 5", {"training": {"epochs": 3}})[0]


def test_overrides_are_typed_like_yaml():
    wrong: list[str] = []
    assert parse_overrides("a=1 b=1.5 c=true d=text e=[1,2] f=", wrong) == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": "text",
        "e": [1, 2],
        "f": None,
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a\n- b", "holds a list"), ("name: [", "not readable as YAML"), ("7", "holds a int")],
)
def test_a_file_that_is_no_study_is_refused(folder, text, words):
    (problem,) = problems(folder, text)
    assert words in problem


def test_a_missing_file_names_the_shipped_studies():
    with pytest.raises(StudyError, match=r"no such file.*demo\.yaml.*smoke\.yaml"):
        load_study("data/studies/nothing.yaml")


def test_paths_are_relative_to_the_root_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_study("data/studies/smoke.yaml").name == "smoke"
    assert resolve("data") == ROOT / "data" and resolve(tmp_path) == tmp_path


def test_poles_name_labels_and_codes_where_a_study_gives_none(folder):
    study = load(folder, "poles: [angry, happy]")
    assert (study.negative, study.positive) == study.poles == ("angry", "happy")
    assert study.images.labels == {"angry": "angry", "happy": "happy"}
    assert study.observers.codes == {"angry": 0, "happy": 1, "1": 1, "0": 0}
    default = load(folder, "")
    assert default.poles == ("sad", "happy")
    assert default.images.labels == {"sad": "sad", "happy": "happy"}


def test_labels_mean_a_pole_or_a_side_and_several_may_mean_one(folder):
    text = """
        poles: [angry, happy]
        images: {labels: {joy: positive, surprise: happy, rage: negative, disgust: angry}}
    """
    study = load(folder, text)
    assert study.images.labels == {
        "joy": "happy",
        "surprise": "happy",
        "rage": "angry",
        "disgust": "angry",
    }
    assert load(folder, study.to_dict()) == study


def test_a_label_that_means_no_pole_of_the_study_is_refused_with_the_nearest(folder):
    found = problems(folder, "{poles: [angry, happy], images: {labels: {joy: hapy, a: angry}}}")
    assert found[0].startswith("images.labels: 'joy' means 'hapy'; allowed: angry or happy")
    assert found[0].endswith("did you mean happy?")
    assert "no label means 'happy'" in found[1] and len(found) == 2
    (other,) = problems(
        folder, "{poles: [angry, happy], images: {labels: {a: sad, b: angry, c: happy}}}"
    )
    assert "'a' means 'sad'" in other


@pytest.mark.parametrize(
    ("poles", "words"),
    [
        ("[sad]", "two words that differ"),
        ("[sad, happy, angry]", "two words that differ"),
        ("[happy, happy]", "two words that differ"),
        ("[positive, negative]", "negative comes before positive"),
        ("['', happy]", "without spaces"),
    ],
)
def test_poles_that_are_no_pair_are_refused_alone(folder, poles, words):
    (problem,) = problems(folder, f"poles: {poles}")
    assert problem.startswith("poles: ") and words in problem


def test_poles_may_be_called_by_their_sides(folder):
    assert load(folder, "poles: [negative, positive]").images.labels == {
        "negative": "negative",
        "positive": "positive",
    }


def test_networks_of_libraries_and_files_are_taken_and_typing_errors_are_refused(folder):
    names = ["alexnet", "torchvision:resnet18", "timm:vit_tiny_patch16_224.augreg", "my net.py:net"]
    study = load(folder, {"networks": {"architectures": names}})
    assert list(study.networks.architectures) == names
    (problem,) = problems(folder, "networks: {architectures: [alexnet, vgg17]}")
    assert problem.startswith("networks.architectures: 'vgg17' given") and "did you mean vgg1" in (
        problem
    )
    assert "torchvision:NAME" in problem
    for wrong in ("torchvision:", "mynet.py", "mynet.py:2net", "keras:xception"):
        assert wrong in problems(folder, {"networks": {"architectures": [wrong]}})[0]


def test_margins_of_the_verdicts_are_settings(folder):
    claims = load(folder, "claims: {accuracy_margin: 0.02}").claims
    assert (claims.accuracy_margin, claims.likelihood_margin) == (0.02, 0.01)
    assert (claims.ceiling_share, claims.profile_margin, claims.manipulation) == (0.9, 0.25, 0.02)
    assert load(folder, "").statistics.decision_noise is None
