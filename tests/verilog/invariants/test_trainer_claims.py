"""What holds between a trainer's registers is inductive whatever its sizes are, and its claims
follow; with a fault in the trainer the claim that it breaks does not."""

import numpy as np
import pytest
from helpers.hardware.small_trainer import with_text

from lnsarith.commands.rtl.learning import learning_of
from nets.data.sets import Dataset
from nets.settings.settings import Settings
from nets.train.trainer import Trainer
from verilog.invariants.claims import follows
from verilog.invariants.lemmas import fallen, inductive
from verilog.invariants.search import read_control
from verilog.invariants.trainer import control_of_trainer
from verilog.trainer.core import core

SECONDS = 60
SEARCHED = {"reset", "held"}  # claims that an invariant is searched for


def trainer(sizes, batch, lanes, loop):
    images = np.arange(6 * sizes[0], dtype=np.uint8).reshape(6, 1, sizes[0])
    labels = np.arange(6) % sizes[-1]
    data = Dataset("t", images, labels, images, labels, sizes[-1])
    settings = Settings(arith="lns9.4", hidden=sizes[1:-1], val=0, epochs=1, batch=batch)
    return core("core", learning_of(Trainer(settings, data, 1, "numpy")), lanes, loop)


def registers_of(made):
    """Return what a trainer claims and its netlist."""
    control = control_of_trainer(made)
    return control, read_control(control.text(), control.top)


@pytest.mark.parametrize("shape", [((5, 3, 4, 2), 5, 3, 2), ((16, 12, 4), 5, 4, 1)])
def test_claims_follow_from_lemmas(shape):
    control, net = registers_of(trainer(*shape))
    assert inductive(net, control.lemmas, SECONDS) == list(control.lemmas)
    assert SEARCHED == {c.name for c in control.claims
                        if not follows(net, control.lemmas, f"broken_{c.name}", SECONDS)}


@pytest.mark.parametrize("old, new, lemmas, claims", [
    ("& ~host_busy &", "&", ["host"], {"alone", "apart_rows_weights"}),
    ("(~begins | room)", "(1'b1)", ["most room", "flight waiting"], {"queue"}),
    ("wire takes = i_valid & ~full;", "wire takes = i_valid;",
     ["other_half counted", "halves images filling taken_over"], {"written_inputs"}),
    ("assign o_word = word;", "assign o_word = ~word;", ["soft_rows", "known_rows_1"],
     {"written_rows"}),
    ("wire ended = flight == 6'd0 & i_drained;", "wire ended = i_drained;", ["settled"],
     {"written_values"})])
def test_a_fault_leaves_its_claims_open(old, new, lemmas, claims):
    control, net = registers_of(with_text(trainer((20, 2, 2), 2, 2, 1), old, new))
    kept = list(control.lemmas)
    for names in map(str.split, lemmas):  # each round falls by what the one before it showed
        wrong = [x for x in kept if x.name in names]
        assert len(wrong) == len(names)
        assert fallen(net, kept, wrong, SECONDS) == wrong
        kept = [x for x in kept if x not in wrong]
    assert not any(follows(net, kept, f"broken_{claim}", SECONDS) for claim in claims)
