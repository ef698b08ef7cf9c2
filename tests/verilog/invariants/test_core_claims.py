"""What holds between an inference core's registers is inductive whatever its sizes are, and its
claims follow; with a fault in the core the claim that it breaks does not."""

import pytest
from helpers.hardware.cores import core_of, small

from verilog.invariants.claims import follows
from verilog.invariants.inference.control import control_of
from verilog.invariants.lemmas import inductive
from verilog.invariants.search import read_control

SECONDS = 60
SEARCHED = {"reset", "held", "sums", "apart_weights"}  # claims that an invariant is searched for


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
