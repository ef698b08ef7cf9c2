"""Everything that can be generated, in three formats each, by every layer of checks.

Each design is read by three programs, simulated against the compiled kernel, and
proved to be its circuit on all inputs. What fails names the design and the layer.
"""

import pytest

from lnsarith.catalogue.operators import OPERATORS
from lnsarith.delta.methods import METHODS
from verilog.catalogue import design
from verilog.design.lint import lint
from verilog.prove.design import prove_design
from verilog.simulate.icarus import simulate
from verilog.units.catalogue import UNITS

FORMATS = {"lns": ("lns9.4", "lns12", "lns16"), "fixed": ("fixed9.4", "fixed12", "fixed16"),
           "ufixed": ("ufixed9.0", "ufixed16.0", "ufixed32.0")}
SMALL = {"systolic": {"rows": "2", "columns": "3"}, "dot": {"n": "3"}}


def cases():
    for row in (*OPERATORS.values(), *UNITS.values()):
        kind = "ufixed" if row.usual_format.startswith("ufixed") else row.family
        shape = getattr(row, "shape", "operator")
        for f in FORMATS[kind] if shape != "rescale" else (row.usual_format,):
            options = dict(SMALL.get(shape, {}))
            yield row.name, f, options, 0
            if shape == "systolic":
                yield row.name, f, {**options, "stationary": "weight"}, 0
    for delta in METHODS:
        if delta != "lut":  # the default, above
            yield from (("lns-add", f, {"delta": delta}, 0) for f in FORMATS["lns"])
    for name, f in (("lns-mac", "lns12"), ("fixed-mul", "fixed9.4"), ("fixed-spindle", "fixed16")):
        yield from ((name, f, {}, latency) for latency in (1, 4))


@pytest.mark.parametrize("name, f, options, latency", cases(),
                         ids=lambda x: "-".join(x.values()) if isinstance(x, dict) else str(x))
def test_a_design_is_clean_answers_as_the_kernel_and_is_proved(name, f, options, latency):
    made = design(name, f, options, latency)
    assert lint(made) == []
    report = simulate(made, vectors=600)
    assert report.equal and report.compared >= 25, (report.mismatches, report.faults)
    if name == "fixed-rescale":
        return  # a product of 32 by 31 bits, shifted by a variable: no solver answers in time
    proofs = prove_design(made, seconds=60)
    assert proofs and all(p.passed for p in proofs), [p.as_dict() for p in proofs]


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_right_as_a_custom_function_unit(name):
    row = OPERATORS[name]
    kind = "ufixed" if row.usual_format.startswith("ufixed") else row.family
    made = design(name, FORMATS[kind][0], as_cfu=True)
    assert lint(made) == []
    report = simulate(made, vectors=400)
    assert report.equal and report.compared == 400, (report.mismatches, report.faults)
