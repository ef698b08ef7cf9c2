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
from verilog.invariants.lemmas import inductive
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


def left_open(made):
    """Return the lemmas that are not inductive and the claims that do not follow from the
    others."""
    control = control_of_trainer(made)
    net = read_control(control.text(), control.top)
    kept = inductive(net, control.lemmas, SECONDS)
    fallen = {x.name for x in control.lemmas} - {x.name for x in kept}
    return fallen, {c.name for c in control.claims
                    if not follows(net, kept, f"broken_{c.name}", SECONDS)}


@pytest.mark.parametrize("shape", [((5, 3, 4, 2), 5, 3, 2), ((16, 12, 4), 5, 4, 1)])
def test_claims_follow_from_lemmas(shape):
    fallen, unproved = left_open(trainer(*shape))
    assert (fallen, unproved) == (set(), SEARCHED)


@pytest.mark.parametrize("old, new, lemmas, claims", [
    ("& ~host_busy &", "&", {"host"}, {"alone", "apart_rows_weights"}),
    ("(~begins | room)", "(1'b1)", {"room"}, {"queue"}),
    ("wire takes = i_valid & ~full;", "wire takes = i_valid;", {"halves"}, {"written_inputs"}),
    ("assign o_word = word;", "assign o_word = ~word;", {"soft_rows"}, {"written_rows"}),
    ("wire ended = flight == 6'd0 & i_drained;", "wire ended = i_drained;", {"settled"},
     {"written_values"})])
def test_a_fault_leaves_its_claims_open(old, new, lemmas, claims):
    fallen, unproved = left_open(with_text(trainer((20, 2, 2), 2, 2, 1), old, new))
    assert fallen >= lemmas and unproved >= claims
