"""Claims about the sequencers of small cores: proved where they hold, refuted by a run where a
fault breaks them, and never by an invariant that is none."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.hardware.cores import core_of, small
from helpers.hardware.small_trainer import with_text

from lnsarith.commands.rtl.learning import learning_of
from nets.data.sets import Dataset
from nets.settings.settings import Settings
from nets.train.trainer import Trainer
from verilog.invariants import claims
from verilog.invariants.cut import connections, stub
from verilog.invariants.inference.control import control_of
from verilog.invariants.trainer import control_of_trainer
from verilog.trainer.core import core as trainer_core

SECONDS = 60


def only(control, *names):
    """Return the control with some of its claims."""
    return replace(control, claims=[c for c in control.claims if c.name in names])


def searched(core, *names):
    """Return the control of a core with some of its claims, for which invariants are searched."""
    return replace(only(control_of(core), *names), lemmas=(), watch=())


@pytest.fixture(scope="module")
def core():
    return core_of(small({"arith": "lns9.4", "hidden": (2,)}, (1, 2), 2), 1, 1)


@pytest.fixture(scope="module")
def trainer():
    images, labels = np.arange(12, dtype=np.uint8).reshape(6, 1, 2), np.array([0, 1] * 3)
    settings = Settings(arith="lns9.4", hidden=(), val=0, epochs=1, batch=1)
    data = Dataset("t", images, labels, images, labels, 2)
    return trainer_core("core", learning_of(Trainer(settings, data, 1, "numpy")), 1, 1)


def test_claims_about_a_core_are_proved(core):
    proofs = claims.prove_claims(searched(core, "reset", "sums", "apart_weights"), SECONDS)
    assert [p.name for p in proofs] == ["reset", "apart_weights", "sums"]
    assert all(p.passed and p.verdict == "proved" and "invariant" in p.note for p in proofs), proofs


@pytest.mark.parametrize("name, old, new", [
    ("sums", "~(rows == 2'd0) & ", ""),
    ("reset", "phase <= 2'd0;", "phase <= 2'd3;"),
    ("apart_weights", ".i_idle(load_granted & load_wish)", ".i_idle(1'd1)")])
def test_a_fault_of_a_core_is_refuted_by_a_run(name, old, new, core):
    wrong = with_text(core, old, new)
    (proof,) = claims.prove_claims(searched(wrong, name), SECONDS)
    assert proof.verdict == "refuted" and not proof.passed
    assert proof.counterexample["i_rst@0"] & 1 == 1


def test_claims_about_a_trainer_are_proved_and_a_fault_is_refuted(trainer):
    control = only(control_of_trainer(trainer), "reset", "held", "alone")
    assert all(p.passed for p in claims.prove_claims(control, SECONDS))
    wrong = only(control_of_trainer(with_text(trainer, "& ~host_busy &", "&")), "alone")
    assert claims.prove_claims(wrong, SECONDS)[0].verdict == "refuted"


def test_an_invariant_that_is_none_proves_nothing(core, monkeypatch):
    control = searched(core, "sums")
    every = claims.search(control.text(True), "core", "broken_sums",
                          claims.read_control(control.text(), "core").registers, SECONDS)
    for cubes in (every[1:], [*every, (("drain_part.busy", 0, 1),)]):
        monkeypatch.setattr(claims, "search", lambda *_, cubes=cubes: cubes)
        (proof,) = claims.prove_claims(control, SECONDS)
        assert proof.verdict == "unknown" and "is none" in proof.note


def test_a_claim_needs_those_that_are_given(core, monkeypatch):
    monkeypatch.setattr(claims, "search", lambda *_: None)
    monkeypatch.setattr(claims, "_run", lambda *_: claims.Answer("unknown", "", 0.0))
    control = searched(core, "sender", "held")
    assert [p.note.startswith(t) for p, t in zip(claims.prove_claims(control, 1), (
        "no invariant", "sender is not proved"))] == [True, True]


def test_instances_are_read_and_stubs_answer_anything(core):
    assert connections(" .a(b), .c({d, e(f)})\n  );") == {"a": "b", "c": "{d, e(f)}"}
    text = stub(core.modules[0])
    assert "anyseq" in text and "always" not in text
