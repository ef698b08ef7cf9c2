"""lnsarith import, eval, predict, formats and export of a network that came as ONNX."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers.onnx_models import model, residual
from PIL import Image
from sklearn.neural_network import MLPClassifier

import lnsarith as la
from lnsarith.cli import main
from nets.data.sets import load

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with digits.onnx, of a fitted perceptron, and the digits that judge it."""
    folder = tmp_path_factory.mktemp("imports")
    data = load("digits")
    x = data.train_images.reshape(-1, 64) / np.float32(255)
    fitted = MLPClassifier((24,), max_iter=60, random_state=0).fit(x, data.train_labels)
    (w, v), (b, c) = ([p.astype(np.float32) for p in part]
                      for part in (fitted.coefs_, fitted.intercepts_))
    nodes = [("Flatten", ["x"], ["f"], {}), ("Gemm", ["f", "w", "b"], ["h"], {}),
             ("Relu", ["h"], ["r"], {}), ("Gemm", ["r", "v", "c"], ["z"], {}),
             ("Softmax", ["z"], ["y"], {})]
    onnx.save(model(nodes, (1, 8, 8), ["y"], {"w": w, "b": b, "v": v, "c": c}),
              str(folder / "digits.onnx"))
    np.savez(folder / "test.npz", x=data.test_images, y=data.test_labels)
    for i in range(3):
        Image.fromarray(data.test_images[i]).save(folder / f"{i}.png")
    assert main(["import", str(folder / "digits.onnx"), "--out", str(folder / "run")]) == 0
    return folder


def answer(capsys, *args):
    capsys.readouterr()
    assert main([*map(str, args), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_import_tells_what_came_and_how_it_was_judged(home, tmp_path, capsys):
    found = answer(capsys, "import", home / "digits.onnx", "--out", tmp_path / "r", "--name", "d")
    assert found["name"] == "d" and found["classes"] == 10 and found["shape"] == [1, 8, 8]
    assert found["operators"]["Gemm"] == 2 and found["batch"] is None
    assert found["judged"]["difference"] < 1e-5 and found["judged"]["by"].startswith("onnx ")
    again = (tmp_path / "r" / "model.npz").read_bytes()
    assert again == (home / "run" / "model.npz").read_bytes()


def test_eval_goes_in_floats_and_in_words(home, capsys):
    floats = answer(capsys, "eval", home / "run", "--data", home / "test.npz")
    assert floats["test_accuracy"] > 0.85
    for arith in (["lns16", "--delta", "exact"], ["fixed16"], ["fixed10", "--calibrate", "100"]):
        words = answer(capsys, "eval", home / "run", "--data", home / "test.npz", "--arith", *arith)
        assert words["float_accuracy"] == floats["test_accuracy"]
        assert abs(words["test_accuracy"] - floats["test_accuracy"]) < 0.03
    assert words["ranges"]["x"] == {"reach": 1.0, "words": "fixed10.8"}
    poor = answer(capsys, "eval", home / "run", "--dataset", "digits", "--arith", "fixed4.1")
    assert poor["differ_from_float"] > 100 and sum(poor["saturated"].values()) > 0


def test_predict_reads_images_and_rows(home, capsys):
    truth = np.load(home / "test.npz")["y"]
    found = answer(capsys, "predict", home / "run", home / "0.png", home / "1.png", home / "2.png",
                   "--arith", "lns12")
    rows = answer(capsys, "predict", home / "run", "--data", home / "test.npz")["predictions"]
    assert [r["label"] for r in rows] == truth.tolist()
    assert [p["class"] for p in found["predictions"]] == [r["class"] for r in rows[:3]]


def test_formats_are_found_written_and_taken(home, tmp_path, capsys):
    out, plot = tmp_path / "f.toml", tmp_path / "f.png"
    found = answer(capsys, "formats", home / "run", "--dataset", "digits", "--budget", "2",
                   "--images", "300", "--out", out, "--plot", plot, "--backend", "numpy")
    assert found["loss"] <= 2 and len(found["layers"]) == 2 and plot.stat().st_size > 5000
    words = answer(capsys, "eval", home / "run", "--dataset", "digits", "--formats", out)
    assert abs(words["test_accuracy"] - found["test_accuracy"]) < 0.03  # of others as well
    assert found["test_images"] == 178 and found["images"] == 177
    assert max(int(r["weights"].split(".")[0][5:]) for r in found["layers"]) < 12


def test_export_goes_out_as_it_came(home, tmp_path, capsys):
    found = answer(capsys, "export", home / "run", tmp_path / "again.onnx")
    assert found["kind"] == "imported"
    x = np.load(home / "test.npz")["x"][:5, None] / np.float32(255)
    one, two = (onnxruntime.InferenceSession(str(p), providers=["CPUExecutionProvider"]).run(
        None, {"x": x})[0] for p in (home / "digits.onnx", tmp_path / "again.onnx"))
    assert np.array_equal(one, two)


def test_the_run_in_python_is_that_of_the_commands(home, capsys):
    run = la.load(home / "run")
    data = np.load(home / "test.npz")
    told = answer(capsys, "eval", home / "run", "--data", home / "test.npz", "--arith", "lns12")
    found = run.evaluate(data["x"], data["y"], arith="lns12")
    assert found.correct == told["correct"] and run.classes == 10
    with pytest.raises(ValueError, match=r"labels must be 0..9, got 0..10"):
        run.evaluate(data["x"][:2], [0, 10])


def test_a_classifier_of_scikit_learn_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 5))
    for labels, activation in ((x[:, 0] > 0, "relu"), (np.digitize(x[:, 1], [-1, 1]), "tanh"),
                               (np.digitize(x[:, 1], [-1, 1]), "logistic")):
        fitted = MLPClassifier((7, 6), activation=activation, max_iter=40).fit(x, labels)
        run = la.from_sklearn(fitted)
        assert np.array_equal(fitted.classes_[run.predict(x.astype(np.float32))],
                              fitted.predict(x.astype(np.float32)))
        near = run.predict(x, arith="fixed24.16")
        assert (near == run.predict(x)).mean() > 0.98
    with pytest.raises(TypeError, match="an MLPClassifier of scikit-learn is taken, got list"):
        la.from_sklearn([])


def damaged(home, tmp_path):
    for name in ("manifest.json", "model.npz"):
        (tmp_path / name).write_bytes((home / "run" / name).read_bytes()[:700])
    return ["eval", tmp_path, "--dataset", "digits"], "lnsarith: "


WRONG = {
    "no data": (lambda h, t: ["eval", h / "run"], "give --dataset NAME, or --data"),
    "other shape": (lambda h, t: ["eval", h / "run", "--dataset", "mnist-x"], "no data set"),
    "no arith": (lambda h, t: ["eval", h / "run", "--dataset", "digits", "--delta", "lut"],
                 "--delta goes with --arith"),
    "no file": (lambda h, t: ["import", t / "none.onnx"], "No such file"),
    "no onnx": (lambda h, t: ["import", h / "test.npz"], "is no ONNX file"),
    "not empty": (lambda h, t: ["import", h / "digits.onnx", "--out", h], "is not empty"),
    "kind": (lambda h, t: ["export", h / "run", t / "x.onnx", "--kind", "float"],
             "goes out as it came"),
    "bad means": (lambda h, t: ["import", h / "digits.onnx", "--input-mean", "1,2", "--out",
                                t / "r"], "2 numbers for mean or scale do not fit"),
    "floats": (lambda h, t: ["eval", h / "run", "--dataset", "digits", "--arith", "float64"],
               "not in float64"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_wrong_usage_is_one_line(case, home, tmp_path, capsys):
    args, text = WRONG[case]
    capsys.readouterr()
    assert main(list(map(str, args(home, tmp_path)))) == 2
    told = capsys.readouterr()
    assert text in told.err and told.err.count("\n") == 1 and not told.out
    assert not list(tmp_path.iterdir())


def test_a_damaged_folder_is_refused_in_a_line(home, tmp_path, capsys):
    args, text = damaged(home, tmp_path)
    assert main(list(map(str, args))) == 2
    told = capsys.readouterr().err
    assert text in told and told.count("\n") == 1
    whole = json.loads((home / "run" / "manifest.json").read_text())
    whole["graph"]["nodes"][0]["inputs"] = ["elsewhere"]
    (tmp_path / "manifest.json").write_text(json.dumps(whole))
    (tmp_path / "model.npz").write_bytes((home / "run" / "model.npz").read_bytes())
    assert main(list(map(str, args))) == 2
    assert "its input 'elsewhere' is given by no node" in capsys.readouterr().err


def test_labels_that_do_not_fit_are_told(home, tmp_path, capsys):
    np.savez(tmp_path / "d.npz", x=np.load(home / "test.npz")["x"][:4], y=[0, 1, 2, 11])
    capsys.readouterr()
    assert main(["eval", str(home / "run"), "--data", str(tmp_path / "d.npz")]) == 2
    assert "has labels 0..11, the network answers with 10 classes" in capsys.readouterr().err
    np.savez(tmp_path / "d.npz", x=np.zeros((4, 5, 5), np.uint8), y=[0, 1, 2, 3])
    assert main(["eval", str(home / "run"), "--data", str(tmp_path / "d.npz")]) == 2
    assert "takes inputs of 1 x 8 x 8, got 5 x 5 x 1" in capsys.readouterr().err


def test_a_trained_run_goes_through_other_arithmetics(tmp_path, capsys):
    run = tmp_path / "r"
    assert main(["train", "--dataset", "digits", "--arith", "lns12", "--hidden", "12", "--epochs",
                 "2", "--recipe", "icassp2020", "--threads", "1", "--no-plot", "--out",
                 str(run)]) == 0
    own = answer(capsys, "eval", run)
    same = answer(capsys, "eval", run, "--arith", "lns12")
    other = answer(capsys, "eval", run, "--arith", "fixed16")
    assert same["confusions"] == own["confusions"] and same["correct"] == own["correct"]
    assert other["float_accuracy"] == same["float_accuracy"] > 0.6
    assert other["test_accuracy"] != same["test_accuracy"]
    out = answer(capsys, "export", run, tmp_path / "r.onnx")
    assert out["kind"] == "float" and "The run computes in lns12.6" in out["limits"][0]
    again = answer(capsys, "import", tmp_path / "r.onnx", "--out", tmp_path / "again")
    assert again["shape"] == [64]
    back = answer(capsys, "eval", tmp_path / "again", "--dataset", "digits", "--arith", "lns12")
    assert back["correct"] == own["correct"]


def test_a_graph_with_branches_goes_all_the_way(tmp_path, capsys):
    onnx.save(residual(), str(tmp_path / "r.onnx"))
    assert main(["import", str(tmp_path / "r.onnx"), "--out", str(tmp_path / "run")]) == 0
    x = np.random.default_rng(0).integers(0, 256, (20, 12, 12, 3)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(20) % 10)
    found = answer(capsys, "eval", tmp_path / "run", "--data", tmp_path / "d.npz", "--arith",
                   "fixed14", "--calibrate", "20")
    assert found["differ_from_float"] <= 1 and len(found["ranges"]) > 10
