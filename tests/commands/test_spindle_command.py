"""lnsarith spindle fit: answers, files, pictures and complaints."""

import json
from fractions import Fraction

import numpy as np
import pytest
from helpers.front_door import assert_one_line

from fxp.format import Fixed
from lnsarith.catalogue.operators import find
from lnsarith.cli import main
from lnsarith.spindle.fit import _holding


def fit(*arguments):
    return main(["spindle", "fit", *map(str, arguments)])


def test_a_fit_is_written_and_runs_as_the_operator(tmp_path, capsys):
    path = tmp_path / "eq2.json"
    assert fit("--function", "eq2", "--error", "0.01", "--out", path) == 0
    out = capsys.readouterr().out
    assert out.startswith("eq2 from -10 to 12: 8 shifted ReLUs, error 0.009")
    assert "lines with slopes 2^n for an error of 0.01: 9" in out
    assert "18, which are 36 ReLUs" in out and f"written to {path}" in out
    written = json.loads(path.read_text())
    assert (written["function"], written["count"], written["asked"]) == ("eq2", 8, 0.01)
    f, to = (Fixed.parse(written["formats"][k]) for k in ("x", "to"))
    words = np.arange(f.low, f.high + 1)
    words = words[(words >= -10 << f.frac) & (words < 12 << f.frac)]
    x = words * f.eps
    exact = (1 / (1 + np.exp(-x - 2)) + 1 / (1 + np.exp(3 - 2 * x))) / 2
    for operator, key, rounding in (("spindle", "units", "down"),
                                    ("pwl", "segments", "nearest-even")):
        wide = Fixed(16, 10)  # starts of the lines are finer than knees
        form, at = (f, words) if key == "units" else (wide, words << (wide.frac - f.frac))
        circuit = find(operator).circuit(form, **{key: f"@{path}"}, to=to, rounding=rounding)
        assert np.abs(circuit(x=at) * to.eps - exact).max() <= 0.01 + to.eps
    assert list(tmp_path.iterdir()) == [path]


def test_formats_hold_the_knees_and_the_values(capsys):
    for name in ("logistic", "eq3"):
        assert fit("--function", name, "--units", "6", "--step", "2^-3", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["count"] <= 6 and found["asked"] is None
        f, to = (Fixed.parse(found["formats"][k]) for k in ("x", "to"))
        knees = [Fraction(p.partition(":")[0]) * 2**f.frac for p in
                 found["units"].split(",")[1:]]
        assert all(k.denominator == 1 and f.low <= k <= f.high for k in knees)
        assert f.frac <= 3 and f.low * f.eps <= -10 and f.high * f.eps >= 12 - f.eps
        assert to.eps <= found["error"] / 4


@pytest.mark.parametrize("values, frac, f", [
    ((-8, 7), 0, Fixed(4, 0)), ((-8, 8), 0, Fixed(5, 0)), ((0, 1), 3, Fixed(5, 3)),
    ((-9,), 1, Fixed(6, 1)), ((Fraction(1, 16),), 8, Fixed(8, 8))])
def test_the_smallest_format_around_values(values, frac, f):
    assert _holding(list(map(Fraction, values)), frac) == f


def test_comparisons_are_for_the_error_that_was_asked_for(capsys):
    assert fit("--function", "logistic", "--step", "2^-1", "--error", "0.01", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["error"] < 0.007 and found["asked"] == 0.01
    assert (found["segments"].count(",") + 1, found["bls_pieces"]) == (9, 24)


def test_samples_of_a_file_are_fitted_by_their_distribution(tmp_path, capsys):
    samples = np.random.default_rng(5).laplace(2, 3, 4000)
    np.save(tmp_path / "a.npy", samples)
    np.savez(tmp_path / "a.npz", samples)
    (tmp_path / "a.txt").write_text("sample\n" + "\n".join(map(repr, samples.tolist())))
    ranked = np.sort(samples)
    rows = [f"{x!r},{(i + 0.5) / 4000!r}" for i, x in enumerate(ranked.tolist())]
    (tmp_path / "b.csv").write_text("\n".join(["x,cdf", "# a comment", "", *rows]))
    found = []
    for name in ("a.npy", "a.npz", "a.txt", "b.csv"):
        assert fit("--function", tmp_path / name, "--error", "0.03", "--json") == 0
        found.append(json.loads(capsys.readouterr().out))
        assert found[-1]["function"] == name and found[-1]["bls_pieces"] is None
    assert len({row["units"] for row in found}) == 1
    ranks = (np.arange(4000) + 0.5) / 4000
    total = find("spindle").truth({"x": ranked}, units=found[0]["units"])
    assert np.abs(total - ranks).max() <= 0.03


@pytest.mark.parametrize(("name", "delta"), [
    ("delta-plus", lambda d: np.log2(1 + 2.0**-d)),
    ("delta-minus", lambda d: np.log2(1 - 2.0**-d))])
def test_the_corrections_of_logarithmic_sums_are_fitted_too(name, delta, capsys):
    assert fit("--function", name, "--error", "0.05", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bls_pieces"] is None  # theirs are from -6 to 6, where these have no value
    d = np.linspace(0 if name == "delta-plus" else 1 / 16, 16, 999)
    for operator, option in (("spindle", "units"), ("pwl", "segments")):
        total = find(operator).truth({"x": d}, **{option: found[option]})
        assert np.abs(total - delta(d)).max() <= 0.05


def test_a_picture_and_a_file_appear_whole_or_not_at_all(tmp_path, capsys, monkeypatch):
    out, plot = tmp_path / "fit.json", tmp_path / "fit.png"
    out.write_text("old")
    given = ["--function", "logistic", "--error", "0.05", "--out", out, "--plot", plot]
    assert fit(*given) == 0
    assert plot.read_bytes().startswith(b"\x89PNG") and out.read_text() != "old"
    out.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    assert fit(*given) == 2
    assert out.read_text() == "old" and sorted(tmp_path.iterdir()) == [out, plot]
    assert "cannot write" in capsys.readouterr().err


def full_disk(path, to):
    raise OSError(28, "No space left on device")


def files(folder):
    (folder / "falls.csv").write_text("0,0\n1,0.5\n2,0.4\n3,1\n")
    (folder / "words.csv").write_text("x,y\n1,2\none,two\n")
    (folder / "heads.csv").write_text("# a comment\nx,y\nones,twos\n1,2\n2,3\n")
    (folder / "infinite.csv").write_text("1e999\n1\n2\n")
    (folder / "gap.csv").write_text("nan,0\n1,0\n2,1\n")
    (folder / "typo.csv").write_text("O.5,1\n1,2\n2,3\n")
    (folder / "mixed.csv").write_text("x,2o\nx,2\n1,2\n2,3\n")
    (folder / "wide.csv").write_text("1,2,3\n")
    (folder / "ragged.csv").write_text("1,2\n3\n")
    (folder / "none.csv").write_text("x\n")
    (folder / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (folder / "broken.npy").write_bytes(b"\x93NUMPY")
    np.save(folder / "text.npy", np.array(["a"]))
    np.savez(folder / "two.npz", np.zeros(3), np.zeros(3))
    np.save(folder / "one.npy", np.array([4.0]))
    np.save(folder / "nan.npy", np.array([4.0, np.nan]))


@pytest.mark.parametrize("given, message", [
    (["falls.csv"], "falls.csv: y falls, which no cumulative distribution does, at point 3"),
    (["words.csv"], "line 3: 'one,two' is not numbers"),
    (["heads.csv"], "line 3: 'ones,twos' is not numbers"),
    (["infinite.csv"], "line 1: '1e999' is not numbers"),
    (["gap.csv"], "line 1: 'nan,0' is not numbers"),
    (["mixed.csv"], "line 2: 'x,2' is not numbers"),
    (["typo.csv"], "line 1: 'O.5,1' mixes text and numbers; a heading has no number, a row no "),
    (["wide.csv"], "samples are one column and points two, got 1 x 3"),
    (["ragged.csv"], "line 2: 1 numbers, the lines above have 2"),
    (["none.csv"], "holds no numbers"), (["binary.csv"], "is no text"),
    (["missing.csv"], "No such file or directory"),
    (["broken.npy"], "is no file of one NumPy array"), (["text.npy"], "no rows of numbers"),
    (["two.npz"], "is no file of one NumPy array"), (["one.npy"], "one.npy has 1 points"),
    (["nan.npy"], "number 2 is infinite or missing"),
    (["tanh"], "there is no function 'tanh'; there are logistic, eq2, eq3"),
    (["logistic", "--error", "0.01", "--units", "8"], "takes 10 units, more than 8"),
    (["logistic", "--error", "-1"], "error must be above 0"),
    (["logistic", "--step", "3"], "step must be a power of two such as 2^-4, got 3"),
    (["logistic", "--step", "2^-12"], "use a coarser one"),
    (["logistic", "--units", "65"], "units must be 2..64, got 65"),
    (["logistic", "--out", "none/a.json"], "cannot write none/a.json"),
    (["logistic", "--plot", "a.gif"], "a picture is .png"),
])
def test_what_cannot_be_is_one_line_and_leaves_no_file(tmp_path, monkeypatch, capsys, given,
                                                      message):
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert fit("--function", *given, *([] if "--out" in given else ["--out", "a.json"])) == 2
    out, err = capsys.readouterr()
    assert not out and message in err
    assert_one_line(err)
    assert sorted(tmp_path.iterdir()) == before


def test_units_from_a_file_that_has_none(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text('{"units": "1:3"}')
    for name, message in (("a.json", "holds no units that fit"), ("b.json", "a power of two"),
                          ("c.json", "cannot read .*c.json: No such file")):
        with pytest.raises(ValueError, match=message):
            find("spindle").settings({"units": f"@{tmp_path / name}"})
