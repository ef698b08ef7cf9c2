"""What holds between an inference core's registers is inductive whatever its sizes are, and its
claims follow; with a fault in the core the claim that it breaks does not."""

import pytest
from helpers.hardware.cores import core_of, small
from helpers.hardware.small_trainer import with_text

from verilog.invariants.claims import follows
from verilog.invariants.inference.control import control_of
from verilog.invariants.lemmas import fallen, inductive
from verilog.invariants.search import read_control

SECONDS = 60
SEARCHED = {"reset", "held", "apart_weights"}  # claims that an invariant is searched for


def core(hidden, shape, classes, lanes, loop, batch=None):
    return core_of(small({"arith": "lns9.4", "hidden": hidden}, shape, classes), lanes, loop, batch)


def registers_of(made):
    """Return what a core claims and its netlist."""
    control = control_of(made)
    return control, read_control(control.text(), control.top)


@pytest.mark.parametrize("shape", [((12,), (1, 16), 4, 2, 1), ((5, 3), (1, 6), 3, 2, 2, 4),
                                   ((), (1, 6), 3, 2, 2, 4)])
def test_claims_follow_from_lemmas(shape):
    control, net = registers_of(core(*shape))
    assert inductive(net, control.lemmas, SECONDS) == list(control.lemmas)
    assert SEARCHED == {c.name for c in control.claims
                        if not follows(net, control.lemmas, f"broken_{c.name}", SECONDS)}


@pytest.mark.parametrize("old, new, lemmas, claims", [
    ("(tile_at_layer)? waiting == 2'd0 :", "(tile_at_layer)? waiting < 2'd2 :",
     ["tile word_1 word_2 place writing known_0_0 known_0_1 logits_open",
      "made_0_0 known_read_0_0 made_0_1 known_read_0_1"],
     {"apart_bank_0", "written_bank_0", "written_bank_1"}),
    ("layer_is_1)? i_sending : 1'd0", "layer_is_1)? 1'd0 : 1'd0",
     ["sending sent logits_done_2 logits_now logits_all_0 logits_sent", "owed"],
     {"sender", "offered", "written_logits"})])
def test_a_fault_leaves_its_claims_open(old, new, lemmas, claims):
    control, net = registers_of(with_text(core((12,), (1, 16), 4, 2, 1), old, new))
    kept = list(control.lemmas)
    for names in map(str.split, lemmas):  # each round falls by what the one before it showed
        wrong = [x for x in kept if x.name in names]
        assert len(wrong) == len(names)
        assert fallen(net, kept, wrong, SECONDS) == wrong
        kept = [x for x in kept if x not in wrong]
    assert not any(follows(net, kept, f"broken_{claim}", SECONDS) for claim in claims)
