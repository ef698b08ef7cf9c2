"""Hardware of a run on the user's own data takes that data where it takes images."""

import numpy as np
import pytest

from lnsarith.cli import main

RNG = np.random.default_rng(0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = RNG.integers(0, 256, (40, 1, 2), dtype=np.uint8)
    np.savez("pixels.npz", x=x, y=x[:, 0, 0] > x[:, 0, 1])
    np.savez("others.npz", x=255 - x, y=x[:, 0, 0] > x[:, 0, 1])
    assert main(["train", "--data", "pixels.npz", "--hidden", "2", "--arith", "lns9.4",
                 "--epochs", "1", "--out", "run", "--no-plot"]) == 0
    return tmp_path


SMALL = ("run", "--parallel", "1", "--pipeline", "1", "--out", "out")


def test_a_core_is_judged_by_the_images_of_the_data(home):
    assert main(["rtl", "net", *SMALL, "--data", "pixels.npz", "--golden", "4"]) == 0
    with np.load("pixels.npz") as data:  # as eval --data: all of what is given
        first = data["x"][:4].ravel().tolist()
    golden = (home / "out/golden_pixels.hex").read_text().split()
    assert [int(byte, 16) for byte in golden] == first


def test_a_trainer_goes_on_with_the_data(home):
    assert main(["rtl", "trainer", *SMALL, "--data", "pixels.npz"]) == 0
    images = (home / "out/golden_images.hex").read_text().split()
    with np.load("pixels.npz") as data:
        rows = {tuple(row) for row in data["x"].reshape(-1, 2).tolist()}
    pairs = [tuple(int(word, 16) & 255 for word in images[i : i + 2])
             for i in range(0, len(images), 2)]
    assert pairs and set(pairs) <= rows


@pytest.mark.parametrize("words, said", [
    (("net", *SMALL), "run was trained on data of its own; give --data"),
    (("trainer", *SMALL), "run was trained on data of its own; give --data"),
    (("trainer", *SMALL, "--data", "others.npz"), "was trained on other images"),
    (("trainer", "--dataset", "digits", "--data", "pixels.npz"), "--data goes with a run"),
    (("sim", "lns-systolic", "--run", "run"), "has no name to be found by")])
def test_what_lacks_the_data_says_so(home, capsys, words, said):
    assert main(["rtl", *words]) == 2
    err = capsys.readouterr().err.splitlines()
    assert said in err[-1] and not (home / "out").exists()
