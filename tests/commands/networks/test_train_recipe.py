"""The recipe of train where none is named: said first, kept, gone on with, the same from Python."""

import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest
from helpers.front_door import assert_one_line

import lnsarith
from lnsarith.cli import main

SMALL = ("train", "--dataset", "digits", "--hidden", "8", "--epochs", "1", "--no-plot")
FIXED = (*SMALL, "--arith", "fixed8.7")


def said(*words):
    """Return what a command that succeeds prints, and what it tells beside it."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main([*map(str, words)])
    assert code == 0, err.getvalue()
    return out.getvalue(), err.getvalue()


def answer(*words):
    return json.loads(said(*words, "--json")[0])


def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the runs best, for which no recipe was named, and icassp2020, and what was
    said of each."""
    folder = tmp_path_factory.mktemp("recipes")
    named = {"best": (), "icassp2020": ("--recipe", "icassp2020")}
    return folder, {name: said(*FIXED, *given, "--out", folder / name)
                    for name, given in named.items()}


def test_the_first_line_says_the_recipe(runs, tmp_path):
    folder, texts = runs
    for name, logits in (("best", "fixed12.5"), ("icassp2020", "")):
        out, err = texts[name]
        assert f", recipe {name}, " in out.splitlines()[0]
        assert err.splitlines()[0].startswith(f"recipe {name} ")
        assert (config(folder / name)["recipe"], config(folder / name)["logits"]) == (name, logits)
    out, err = said(*SMALL, "--arith", "float64", "--out", tmp_path / "r")
    assert "recipe" not in out + err  # float64 has one alone
    assert len({lnsarith.load(folder / name).model_sha256 for name in texts}) == 2


def test_who_chooses_a_setting_has_the_words_of_before(runs, tmp_path):
    told = answer(*FIXED, "--update", "stochastic", "--out", tmp_path / "r")  # it is so anyway
    assert told["recipe"] == "icassp2020"
    assert told["model_sha256"] == lnsarith.load(runs[0] / "icassp2020").model_sha256


def test_runs_of_both_recipes_have_names_that_differ(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    best, again, plain = (answer(*FIXED, "--val", "1400", *given)["run"] for given in (
        (), ("--recipe", "best"), ("--recipe", "icassp2020")))
    assert again == f"{best}-2" and plain not in (best, again)


@pytest.mark.parametrize("name", ["best", "icassp2020"])
def test_a_run_goes_on_with_its_own_recipe_where_none_is_named(runs, name, tmp_path):
    run = shutil.copytree(runs[0] / name, tmp_path / name)
    told = answer(*FIXED, "--resume", "--out", run)
    assert told["recipe"] == config(run)["recipe"] == name
    assert told["model_sha256"] == lnsarith.load(runs[0] / name).model_sha256


def test_a_run_gives_its_recipe_to_another_and_one_of_before_gives_icassp2020(runs, tmp_path):
    old = shutil.copytree(runs[0] / "icassp2020", tmp_path / "old")
    told = {k: v for k, v in config(old).items() if k != "recipe"}
    (old / "config.json").write_text(json.dumps(told))
    for source in (runs[0] / "best", old):
        made = answer("train", "--no-plot", "--config", source, "--out", tmp_path / "made" /
                      source.name)
        assert made["model_sha256"] == lnsarith.load(source).model_sha256


def test_a_file_of_settings_chooses_as_options_do(tmp_path):
    file = tmp_path / "s.toml"
    for i, (more, name) in enumerate((("", "best"), ("batch = 5\n", "icassp2020"))):
        file.write_text('dataset = "digits"\nhidden = 8\narith = "fixed8.7"\nepochs = 1\n' + more)
        assert answer("train", "--no-plot", "--config", file, "--out", tmp_path / str(i))[
            "recipe"] == name


def test_python_takes_the_recipe_that_the_command_takes(runs, tmp_path):
    given = {"dataset": "digits", "arith": "fixed8.7", "hidden": 8, "epochs": 1}
    for name, more in (("best", {}), ("icassp2020", {"accumulator": "exact"})):
        run = lnsarith.train(out=tmp_path / name, **given, **more)
        assert run.model_sha256 == lnsarith.load(runs[0] / name).model_sha256
    on = lnsarith.train(out=tmp_path / "icassp2020", resume=True, **{**given, "epochs": 2})
    assert on.settings["recipe"] == "icassp2020" and len(on.log) == 2


def test_a_core_trains_by_the_recipe_of_train_or_says_what_it_has_not(tmp_path, monkeypatch,
                                                                     capsys):
    monkeypatch.chdir(tmp_path)
    words = ["rtl", "trainer", "--dataset", "digits", "--hidden", "3", "--val", "1400",
             "--parallel", "3", "--pipeline", "1", "--arith"]
    assert main([*words, "fixed12"]) == 2
    assert_one_line(capsys.readouterr().err, "no logits fixed16.8 yet", "recipe icassp2020")
    for more, name in (((), "best"), (("--guard", "2"), "icassp2020")):
        assert answer(*words, "lns12", *more, "--out", name)["recipe"] == name


def test_a_lab_takes_no_run_whose_logits_have_a_format_of_their_own(tmp_path, capsys):
    main([*SMALL, "--arith", "fixed12", "--out", str(tmp_path / "r")])
    capsys.readouterr()
    assert main(["lab", "run", "5", "--run", str(tmp_path / "r"), "--images", "1"]) == 2
    assert_one_line(capsys.readouterr().err, "got fixed12.11, fixed12.8, fixed16.8",
                    "recipe icassp2020 has one")
