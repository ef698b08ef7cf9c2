"""Everything that can be generated, in three formats each, by every layer of checks.

Each design is read by three programs, simulated against the compiled kernel, and
proved to be its circuit on all inputs. What fails names the design and the layer.
"""

import pytest

from lnsarith.catalogue.operators import OPERATORS
from lnsarith.delta.methods import METHODS
from verilog.catalogue import design
from verilog.design.lint import lint
from verilog.prove.design import prove_designs
from verilog.simulate.icarus import simulate
from verilog.units.catalogue import UNITS

FORMATS = {"lns": ("lns9.4", "lns12", "lns16"), "fixed": ("fixed9.4", "fixed12", "fixed16"),
           "ufixed": ("ufixed9.0", "ufixed16.0", "ufixed32.0")}
SMALL = {"systolic": {"rows": "2", "columns": "3"}, "dot": {"n": "3"}}


def designs():
    """Yield a name and its designs in three formats, of adders by Delta method too."""
    for row in (*OPERATORS.values(), *UNITS.values()):
        kind = "ufixed" if row.usual_format.startswith("ufixed") else row.family
        shape = getattr(row, "shape", "operator")
        formats = FORMATS[kind] if shape != "rescale" else (row.usual_format,)
        options = dict(SMALL.get(shape, {}))
        yield row.name, [(row.name, f, options, 0) for f in formats]
        if shape == "systolic":
            fixed = {**options, "stationary": "weight"}
            yield f"{row.name} weight", [(row.name, f, fixed, 0) for f in formats]
    for delta in METHODS:
        if delta != "lut":  # the default, above
            yield f"lns-add {delta}", [("lns-add", f, {"delta": delta}, 0) for f in FORMATS["lns"]]
    for name, f in (("lns-mac", "lns12"), ("fixed-mul", "fixed9.4"), ("fixed-spindle", "fixed16")):
        yield f"{name} in stages", [(name, f, {}, latency) for latency in (1, 4)]


@pytest.mark.parametrize("name, arguments", designs(), ids=lambda x: x if type(x) is str else "")
def test_designs_are_clean_answer_as_the_kernel_and_are_proved(name, arguments):
    made = [design(*each) for each in arguments]
    for one, which in zip(made, arguments):
        assert lint(one) == [], which
        report = simulate(one, vectors=600)
        assert report.equal and report.compared >= 25, (which, report.mismatches, report.faults)
    if name == "fixed-rescale":
        return  # a product of 32 by 31 bits, shifted by a variable: no solver answers in time
    for proofs, which in zip(prove_designs(made, seconds=60), arguments, strict=True):
        assert proofs and all(p.passed for p in proofs), (which, [p.as_dict() for p in proofs])


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_right_as_a_custom_function_unit(name):
    row = OPERATORS[name]
    kind = "ufixed" if row.usual_format.startswith("ufixed") else row.family
    made = design(name, FORMATS[kind][0], as_cfu=True)
    assert lint(made) == []
    report = simulate(made, vectors=400)
    assert report.equal and report.compared == 400, (report.mismatches, report.faults)
