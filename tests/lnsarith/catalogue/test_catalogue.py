"""Every operator has all of its parts, and its circuit gives the oracle's words."""

import dataclasses
import inspect
import itertools
import random
import re
from fractions import Fraction

import numpy as np
import pytest
from helpers.judged import MORE, arguments, delta_line, truth
from helpers.small_formats import small_formats
from oracles import exact as oracle
from oracles.delta import gauss

import fxp.operators.minselect
import fxp.operators.segments
import fxp.operators.spindle
import fxp.operators.xnor
import fxp.spec
import lnsarith.lns.spec
from fxp.format import Fixed, FormatError
from lnsarith.catalogue.bench.operands import special
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS, find, parse_format
from lnsarith.delta.methods import METHODS, parse
from lnsarith.lns import convert
from lnsarith.lns.format import Lns

# Parts of operators: public in a spec module, but no operators by themselves.
HELPERS = {
    fxp.spec: {"divided", "overflow", "random_word", "rescale", "round_nearest_even",
               "round_shift"},
    fxp.operators.minselect: {"dropped_bits", "exact_product", "read_gain", "read_ratio"},
    fxp.operators.segments: set(),
    fxp.operators.spindle: {"spindle_gradient"},
    fxp.operators.xnor: {"equal_bits"},
    lnsarith.lns.spec: {"floor", "level_range", "one_level", "order_key", "pack", "product",
                         "total", "unpack", "zero_level"},
    convert: {"antilog", "log2_of", "shift_right"},
}
FAITHFUL = {"lns-to-fixed", "lns-from-fixed"}  # by tables: the nearest word or its neighbour


def unjudged(operator: Operator) -> list[str]:
    """Return the Delta methods among an operator's choices that the oracle says nothing of."""
    return [choice for o in operator.options if o.name == "delta" for choice in o.choices
            if not any(hasattr(oracle, f"{kind}_{choice}") for kind in ("delta", "bound"))]


def missing(operator: Operator) -> list[str]:
    """Return which parts of an operator are not there."""
    f = small_formats(operator)[0]
    parts = {
        "summary": operator.summary,
        "doc": operator.doc,
        "operands": set(operator.operands) <= set(inspect.signature(
            operator.spec, follow_wrapped=False).parameters) and operator.operands,
        "oracle": truth(operator),
        "delta": not unjudged(operator),
        "help": all(o.summary and o.default for o in operator.options),
    }
    if all(parts.values()):
        circuit = operator.circuit(f)
        parts["ports"] = {n: (v.low, v.high) for n, v in circuit.inputs.items()} == (
            operator.ports(f)) and list(circuit.outputs) == ["out"]
    return [name for name, there in parts.items() if not there]


def variants():
    """Yield (operator, format, options): the default, every other choice alone, and MORE."""
    for operator in OPERATORS.values():
        for f in small_formats(operator):
            yield operator.name, f, {}
            yield from ((operator.name, f, more) for more in MORE.get(operator.name, ()))
            for option in operator.options:
                for choice in option.choices:
                    if choice != option.default:
                        yield operator.name, f, {option.name: choice}


@pytest.mark.parametrize("name", OPERATORS)
def test_every_row_has_all_of_its_parts(name):
    assert missing(OPERATORS[name]) == []


def test_a_missing_part_is_noticed():
    row = find("lns-mul")
    assert missing(dataclasses.replace(row, name="lns-frobnicate")) == ["oracle"]
    assert missing(dataclasses.replace(row, spec=lambda p: p)) == ["doc", "operands"]
    assert missing(dataclasses.replace(row, real=lambda p, q: p * q)) == ["operands"]
    assert missing(dataclasses.replace(row, summary="")) == ["summary"]
    add = find("lns-add")
    assert [[*o.choices] for o in add.options if o.name == "delta"] == [[*METHODS]]
    more = tuple(dataclasses.replace(o, choices=(*o.choices, "spline")) for o in add.options)
    assert missing(dataclasses.replace(add, options=more)) == ["delta"]


BOUNDED = [name for name in METHODS if not hasattr(oracle, f"delta_{name}")]
BOUNDS = {"pwl": ["", ":segments=2", ":segments=5", ":error=1/3", ":error=1/8"]}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_delta_method_without_an_oracle_line_keeps_the_bound_that_is_stated(name):
    for text in BOUNDS[name]:
        method = parse(name + text)
        for frac, opposite in itertools.product((1, 3, 4), (False, True)):
            if text and Fraction(text.partition("=")[2]) < Fraction(1, 2 << frac):
                continue  # an error below half a unit, which no word keeps
            bound = getattr(oracle, f"bound_{name}")(opposite, frac,
                                                     **dataclasses.asdict(method))
            line = delta_line(method, frac)
            assert (line(0, opposite) is None) == opposite
            gaps = range(int(opposite), 8 << frac)
            errors = [line(g, opposite) - Fraction(gauss(Fraction(g, 1 << frac), opposite))
                      * 2**frac for g in gaps]
            assert max(map(abs, errors)) <= bound
            assert max(map(abs, errors)) > bound - 1 or "error" in text  # it is no loose one


@pytest.mark.parametrize("module", HELPERS, ids=lambda m: m.__name__)
def test_every_public_spec_function_is_an_operator_or_a_known_helper(module):
    public = {name for name, value in vars(module).items() if inspect.isfunction(value)
              and value.__module__ == module.__name__ and not name.startswith("_")}
    listed = {inspect.unwrap(o.spec).__name__ for o in OPERATORS.values()
              if inspect.unwrap(o.spec).__module__ == module.__name__}
    assert listed | HELPERS[module] == public
    assert not listed & HELPERS[module]


@pytest.mark.parametrize("name, f, options", variants(),
                         ids=lambda v: str(v) if not isinstance(v, dict) else "-".join(v.values()))
def test_every_circuit_gives_the_words_of_its_oracle(name, f, options):
    operator = find(name)
    pick = random.Random(5)
    ports = operator.ports(f, **options)
    words = {n: pick.choices(special(*span), k=60) + pick.choices(range(span[0], span[1] + 1), k=60)
             for n, span in ports.items()}
    out = operator.circuit(f, **options)(**{n: np.array(w) for n, w in words.items()})
    rest = arguments(operator, f, operator.settings(options))
    expected = [truth(operator)(**dict(zip(words, row)), **rest) for row in zip(*words.values())]
    wrong = np.abs(np.broadcast_to(out, 120) - expected) > (name in FAITHFUL)
    assert not wrong.any(), [(row, int(o), e) for row, o, e, bad in zip(
        zip(*words.values()), out, expected, wrong) if bad][:5]


def test_circuits_say_in_text_what_they_are_and_the_same_each_time():
    circuit = find("lns-add").circuit(Lns(8, 3), delta="lut:r=1/4")
    assert circuit.name == "lns_add"
    assert circuit.params == {"f": "lns8.3", "delta": "lut:r=1/4", "underflow": "zero"}
    again = find("lns-add").circuit(Lns(8, 3), delta="lut:r=1/4")
    assert (circuit.digest, circuit.params) == (again.digest, again.params)
    assert all(re.fullmatch(r"[a-z][a-z_]*", o.oracle) for o in OPERATORS.values())


def test_the_random_port_has_the_bits_that_rounding_drops():
    mul, resize = find("fixed-mul"), find("fixed-resize")
    assert mul.ports(Fixed(8, 3), rounding="stochastic")["random"] == (0, 7)
    assert "random" not in mul.ports(Fixed(8, 3))
    assert "random" not in mul.ports(Fixed(8, 0), rounding="stochastic")
    assert resize.ports(Fixed(8, 5), to="fixed8.3", rounding="stochastic")["random"] == (0, 3)
    assert "random" not in resize.ports(Fixed(8, 3), to="fixed8.5", rounding="stochastic")
    ports = find("minselect").ports(Fixed(8, 3), ratio="1/4", gain="3/2", rounding="stochastic")
    assert ports["random"] == (0, 7)
    assert "random" not in find("minselect-mac").ports(Fixed(8, 3), rounding="stochastic")


def test_formats_of_operands_and_results():
    assert find("lns-power").ports(Lns(8, 3), exponent="fixed6.2") == {
        "x": (-128, 127), "y": (-32, 31)}
    assert find("lns-from-fixed").port_formats(Lns(8, 3)) == {"x": Fixed(16, 11)}
    assert find("lns-to-fixed").output_format(Lns(8, 3), to="ufixed9.2") == Fixed(9, 2, False)
    assert find("fixed-compare").output_format(Fixed(8, 3)) == Fixed(4, 0)
    assert [parse_format(t) for t in ("lns9.4", "ufixed8.8")] == [Lns(9, 4), Fixed(8, 8, False)]


def test_real_functions_are_usable_on_plain_numbers():
    assert find("fixed-mac").truth({"acc": 1.0, "x": 2.0, "y": 3.5}) == 8
    assert find("lns-leaky-relu").truth({"x": np.array([-4.0, 4.0])}, beta=-2).tolist() == [-1, 4]


def test_operators_are_found_by_full_and_plain_names():
    assert find("add").name == "lns-add"
    assert find("add", "fixed").name == "fixed-add"
    assert find("fixed-add", "lns").name == "fixed-add"
    assert find("resize", "fixed").name == "fixed-resize"


@pytest.mark.parametrize("call, message", [
    (lambda: find("addd"), "unknown operator 'addd'; did you mean add"),
    (lambda: find("sqrt", "fixed"), "for fixed formats; did you mean lns-sqrt?"),
    (lambda: find("qqqq"), "unknown operator 'qqqq'; see lnsarith ops"),
    (lambda: find("lns-add").circuit(Fixed(8, 3)), "takes an lns format such as lns16, got fixed8"),
    (lambda: find("lns-add").settings({"rounding": "down"}),
     "no option 'rounding'; it takes delta, underflow"),
    (lambda: find("lns-neg").settings({"a": "b"}), "it takes no options"),
    (lambda: find("fixed-mul").settings({"rounding": "up"}), "must be one of down, nearest-even"),
    (lambda: find("leaky-relu").settings({"beta": "1"}), "beta must be an integer -31..0, got '1'"),
    (lambda: parse_format("float8"), "unknown format 'float8'; try lns16"),
])
def test_messages_say_what_is_wrong_and_what_would_do(call, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        call()
