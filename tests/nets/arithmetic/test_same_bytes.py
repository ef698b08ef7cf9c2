"""Bit-true means: no float in a step, and the same model on every processor."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fxp.run.integers
import nets.arithmetic.fixed.softmax
import nets.arithmetic.lns.softmax
from nets.arithmetic.choose import make_arithmetic
from nets.network.network import mlp
from nets.settings.settings import Settings


@pytest.mark.parametrize("options", [{}, {"arith": "lns12", "update": "stochastic", "guard": 2},
                                     {"arith": "fixed12"}], ids=str)
def test_a_training_step_knows_integers_only(options, monkeypatch):
    seen = []

    def integers(circuit, **inputs):
        results = original(circuit, **inputs)
        for value in (*inputs.values(), *(results if isinstance(results, tuple) else [results])):
            assert np.asarray(value).dtype.kind in "iub"
            seen.append(circuit.name)
        return results

    original = fxp.run.integers.evaluate
    for module in (fxp.run.integers, nets.arithmetic.lns.softmax, nets.arithmetic.fixed.softmax):
        monkeypatch.setattr(module, "evaluate", integers)
    ar = make_arithmetic(Settings(dataset="digits", batch=4, hidden=(9,), **options), 1, "numpy")
    program = mlp(ar, np.random.default_rng(0), 20, (9,), 3, 0.3).program(4, True)
    program.run(np.full((4, 20), 77, np.uint8), np.array([0, 1, 2, 0]))
    held = [*program.values, program.gradient]
    arrays = [a for t in held for a in t.fields.values()] + [program.stats, program.labels]
    assert all(a.dtype.kind == "i" for a in arrays)
    assert {"linear", "gradient", "start", "finish"} <= set(seen)


def test_processors_and_backends_train_the_same_model(tmp_path):
    digests = set()
    for i, (processor, backend) in enumerate([("", "vector"), ("haswell", "vector"),
                                              ("nehalem", "vector"), ("", "numpy")]):
        command = [sys.executable, "-m", "lnsarith", "train", "--dataset", "digits", "--json",
                   "--epochs", "1", "--hidden", "20", "--recipe", "icassp2020", "--batch", "40",
                   "--no-plot", "--backend", backend, "--out", str(tmp_path / str(i))]
        env = {**os.environ, "NUMBA_CPU_NAME": processor} if processor else os.environ
        run = subprocess.run(command, env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        digests.add(json.loads(run.stdout)["model_sha256"])
    assert len(digests) == 1
