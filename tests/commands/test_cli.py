"""The front door: options, answers, complaints and exit codes."""

import dataclasses
import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from helpers.front_door import DIGITS, ROOT, answer, assert_one_line, call

from lnsarith.cli import main
from lnsarith.commands.common import options
from nets.data import sets as data
from nets.settings.setting import GROUPS, about
from nets.settings.settings import Settings
from nets.settings.suited import default_name, settings_for


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the run r, and what train --json said."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, answer(*DIGITS, "--out", "r", "--epochs", 6, cwd=folder)


def test_help_needs_no_heavy_module():
    code = (
        "import sys; from lnsarith.cli import main; main(['--help']); "
        "assert not {'numpy', 'numba', 'nets', 'fxp'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )


def test_help_comes_within_half_a_second(tmp_path):
    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def seconds():  # of the command alone, as other tests run beside it
        begin = spent()
        assert call("--help", cwd=tmp_path)[0] == 0
        return spent() - begin

    assert min(seconds() for _ in range(5)) < 0.5


def test_version(tmp_path):
    assert call("--version", cwd=tmp_path)[:2] == (0, "lnsarith 0.2.0\n")


@pytest.mark.parametrize(
    "command", ["", "train", "eval", "predict", "data", "ops", "check", "spindle"]
)
def test_every_command_has_help(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: lnsarith {command}".rstrip())


def test_every_setting_is_an_explained_option_of_its_group(capsys):
    main(["train", "--help-all"])
    whole = capsys.readouterr().out
    main(["train", "--help"])
    short = capsys.readouterr().out
    first = []
    for field in dataclasses.fields(Settings):
        option = "--" + field.name.replace("_", "-") + " "
        assert option in whole and about(field).text
        assert (option in short) == about(field).first
        first += [field.name] * about(field).first
    assert 8 <= len(first) <= 10
    assert all(f"\n{title}:\n  {text}\n" in whole for title, text in GROUPS.items())
    assert not any(text in short for text in GROUPS.values())


def test_a_run_gives_its_settings_to_another_by_folder_or_file(tmp_path, capsys):
    train = ["train", "--no-plot", "--epochs", "1", "--json"]
    main([*train, "--dataset", "digits", "--arith", "lns12", "--recipe", "icassp2020", "--hidden",
          "9", "--out", str(tmp_path / "a")])
    sha = json.loads(capsys.readouterr().out)["model_sha256"]
    for i, source in enumerate((tmp_path / "a", tmp_path / "a" / "config.json")):
        assert main([*train, "--config", str(source), "--out", str(tmp_path / str(i))]) == 0
        assert json.loads(capsys.readouterr().out)["model_sha256"] == sha
    main([*train, "--config", str(tmp_path / "a"), "--seed", "3", "--out", str(tmp_path / "b")])
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    assert (config["hidden"], config["seed"]) == ([9], 3)
    (tmp_path / "else.json").write_text("{}")
    for wrong in (tmp_path / "else.json", tmp_path):
        assert main([*train, "--config", str(wrong)]) == 2
        assert "config.json" in capsys.readouterr().err


def test_runs_that_differ_have_names_that_differ():
    base = {"dataset": "digits"}
    different = [{}, {"seed": 1}, {"hidden": (50,)}, {"hidden": (50, 20)}, {"arith": "lns12"},
                 {"delta": "exact"}, {"delta": "lut:r=1/4"}, {"guard": 4}, {"batch": 64},
                 {"update": "stochastic"}, {"activation": "relu"}, {"arith": "fixed16"},
                 {"arith": "float32", "activation": "gelu"}, {"arith": "float32"},
                 {"gradients": "lns16.9"}, {"lr": "2^-7"}, {"init": "he"},
                 {"arith": "fixed16", "transfer": "a/b"}, {"arith": "fixed16", "transfer": "a-b"},
                 {"hidden": ()}, {"hidden": (), "arith": "binary"}, {"arith": "binary"},
                 {"input_scale": "2^3"}, {"input_scale": "2^-3"}, {"input_scale": "2/3"},
                 {"input_scale": "1e+1"}, {"input_scale": "1e-1"}]
    names = [default_name(settings_for({**base, **given})) for given in different]
    assert len(set(names)) == len(names)
    assert names[:3] == ["digits-lns16-lut-s0", "digits-lns16-lut-s1", "digits-50-lns16-lut-s0"]
    assert default_name(settings_for({**base, "epochs": 3})) == names[0]
    long = {"delta": "lut:r=1/64,dmax=12", "norm_delta": "lut:r=1/64,dmax=12",
            "softmax_delta": "interp:r=1/64,dmax=12", "guard": 3}
    names = {default_name(settings_for({**base, **long, "guard": g})) for g in (3, 4)}
    assert len(names) == 2 and max(map(len, names)) < 100


def given(*argv):
    from argparse import ArgumentParser

    parser = ArgumentParser()
    options.add_settings(parser)
    return options.given_settings(parser.parse_args(argv))


def test_what_an_option_prints_as_its_default_is_its_default():
    argv = []
    for field in dataclasses.fields(Settings):
        argv += ["--" + field.name.replace("_", "-"), options.plain(field.default)]
    assert Settings(**given(*argv)) == Settings()


def test_hidden_layers_are_a_list_or_none():
    assert given("--hidden", "128,64") == {"hidden": (128, 64)}
    assert given("--hidden", "none") == {"hidden": ()}


def test_a_file_gives_settings_and_options_beat_it(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('hidden = [30, 20]\nlr = 0.01\nweight-decay = "2^-9"\nbatch = 7\n')
    expected = {"hidden": (30, 20), "lr": "0.01", "weight_decay": "2^-9", "batch": 8}
    assert given("--config", str(path), "--batch", "8") == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("batchs = 5", "no setting is called 'batchs'; did you mean batch?"),
        ("xyzzy = 5", "there are dataset, input_mean"),
        ("batch = 5.5", "batch must be an integer, got 5.5"),
        ("lr = true", "lr must be text or a number, got True"),
        ("lr = [", "is not TOML"),
        ("lr = nan", "s.toml: lr must be a finite number such as 0.25, got 'nan'"),
        ("hidden = [1e999]", "s.toml: hidden must be a finite number such as 0.25, got '1e999'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, words, capsys):
    path = tmp_path / "s.toml"
    path.write_text(text)
    assert main(["train", "--config", str(path)]) == 2
    assert_one_line(capsys.readouterr().err, words)


def test_a_share_is_a_fraction_or_percent():
    assert options.share("require", "0.95") == options.share("require", "95%") == 0.95


WRONG = [
    ((), "COMMAND"),
    (("trian",), "there is no lnsarith trian; did you mean train?"),
    (("data", "lst"), "there is no lnsarith data lst; did you mean list?"),
    (("train", "--learning-rate", "1"), "there is no --learning-rate"),
    (("train", "--batchs", "1"), "did you mean --batch?"),
    (
        ("train", "--backend", "cuda"),
        "--backend must be one of vector, numpy, got cuda",
    ),
    (("train", "--batch", "x"), "batch must be an integer, got 'x'"),
    (("train", "--batch", "0"), "batch must be 1..65536, got 0"),
    (("train", "--threads", "0"), "threads must be 1..1024, got 0"),
    (("train", "--lr", "nan"), "lr must be a number such as 2^-6, 1/64 or 0.01, got 'nan'"),
    (("train", "--require", "95"), "got '95'; write 95%"),
    (("train", "--require", "x%"), "require must be a share such as 0.95 or 95%"),
    (("train", "--arith", "lns99"), "bits must be 4..32, got 99"),
    (("train", "--arith", "fixed16", "--delta", "exact"), "only with lns arithmetic"),
    (("train", "--dataset", "dgits"), "no data set is called 'dgits'"),
    (("train", "--dataset", "digits", "--val", "1442"), "leave at least one training"),
    (("train", "--config", "nope.toml"), "nope.toml: No such file or directory"),
    (("train", "--data-dir", "nope"), "nope"),
    (("eval", "nope"), "nope holds no run: there is no config.json in it"),
    (("predict", "nope", str(ROOT / "setup.cfg")), "cannot be read as an image"),
    (("predict", "nope", "nope.png"), "nope.png: No such file or directory"),
    (("predict", "nope", "/"), "Is a directory"),
]


@pytest.mark.parametrize(("argv", "words"), WRONG)
def test_wrong_input_ends_in_one_line_and_exit_2(
    argv, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(list(argv)) == 2
    out, err = capsys.readouterr()
    assert_one_line(err, words)
    assert out == "" and not list(tmp_path.iterdir())


def test_the_debug_variable_shows_where_an_error_came_from(tmp_path):
    code, _, err = call("eval", "nope", cwd=tmp_path, env={"LNSARITH_DEBUG": "1"})
    assert code == 1 and "Traceback" in err and "RunError" in err


@pytest.mark.parametrize("command", ["ops", "ops --json", "data list"])
def test_an_answer_that_cannot_be_written_ends_in_one_line(command, tmp_path):
    with open("/dev/full", "w") as full:
        code, _, err = call(*command.split(), cwd=tmp_path, stdout=full)
    assert code == 2
    assert_one_line(err, "No space left on device")


@pytest.mark.parametrize("command", ["ops", "ops --json", "data list"])
def test_a_reader_that_left_hears_no_complaint(command, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    code, _, err = call(*command.split(), cwd=tmp_path, stdout=writer)
    os.close(writer)
    assert (code, err) == (141, "")


def test_train_prints_one_object_with_everything_in_it(trained):
    _, result = trained
    assert result["dataset"] == "digits" and result["arith"] == "lns16"
    assert result["epochs"] == len(result["epoch_seconds"]) == 6
    assert result["train_seconds"] == pytest.approx(sum(result["epoch_seconds"]))
    assert 0.9 < result["test_accuracy"] <= 1 and 0.9 < result["val_accuracy"] <= 1
    assert result["warnings"] == [] and result["seed"] == 0 and result["delta"] == "lut"
    for name in ("saturations", "underflows", "model_sha256", "run", "hidden", "lr"):
        assert name in result


def test_eval_finds_the_accuracy_that_train_told(trained):
    folder, result = trained
    found = answer("eval", "r", cwd=folder)
    for name in ("test_accuracy", "model_sha256", "run", "dataset"):
        assert found[name] == result[name]
    wrong = found["images"] - found["correct"]
    assert 0 < sum(c["count"] for c in found["confusions"]) <= wrong
    assert answer("eval", "r", "--backend", "numpy", cwd=folder) == found


def test_eval_refuses_images_of_another_size(trained, monkeypatch, capsys):
    folder, _ = trained
    other = data.Dataset(
        "mnist", *(np.zeros((1, 28, 28), np.uint8), np.zeros(1, int)) * 2, 10
    )
    monkeypatch.setattr(data, "load", lambda *_: other)
    assert main(["eval", str(folder / "r"), "--dataset", "mnist"]) == 2
    assert_one_line(
        capsys.readouterr().err, "images of 8 x 8 in 10", "images of 28 x 28"
    )


def test_require_decides_the_exit_code(tmp_path):
    base = (*DIGITS, "--epochs", "3")
    code, out, err = call(*base, "--out", "a", "--require", "99.9%", cwd=tmp_path)
    assert code == 1 and "test 9" in out
    assert "is below --require 99.90%" in err.splitlines()[-1]
    assert call(*base, "--out", "b", "--require", "0.5", cwd=tmp_path)[0] == 0


def test_check_ops_and_data_answer_through_the_front_door(tmp_path):
    assert {"name", "options"} <= set(answer("ops", cwd=tmp_path)["operators"][0])
    report = answer(
        "check", "lns-add", "--arith", "lns8", "--delta", "exact", cwd=tmp_path
    )
    assert json.dumps(report).startswith('{"operator": "lns-add"')
    rows = answer("data", "list", cwd=tmp_path)["data_sets"]
    assert "digits" in [row["name"] for row in rows]
