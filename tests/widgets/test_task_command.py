"""The observer task as a page, from the command line."""

from lib.widgets.task_command import main

SMALL = ["images.n_train=8", "images.n_validation=4", "images.n_test=4", "images.identities=6"]


def test_a_page_is_written_and_its_true_number_of_trials_is_told(tmp_path, capsys):
    page = tmp_path / "a page.html"
    study = ["--study", "data/studies/smoke.yaml", "--set", *SMALL, "morphs.identities=1"]
    asked = ["--levels", "3", "--repeats", "2", "--output", str(page)]
    assert main(["export", *study, *asked]) == 0
    assert "6 faces after 4 for practice: about 1 minute" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/webp") == 3 and "default-src 'none'" in text


def test_what_is_wrong_is_one_message(capsys):
    assert main(["export", "--set", "nam=x"]) == 1
    said = capsys.readouterr().err
    assert "nam" in said and "Traceback" not in said
