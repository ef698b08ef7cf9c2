"""A quotient by a constant is what Python's floor division gives."""

from hypothesis import example, given
from hypothesis import strategies as st

from fxp.spec import divided
from fxp.trace.circuit import evaluate, trace


@given(st.integers(1, 3000), st.integers(-(1 << 40), 1 << 40), st.integers(0, 1 << 40),
       st.data())
@example(7, -7, 0, None)
def test_divided_is_floor_division(divisor, low, span, data):
    high = low + span
    drawn = [low, high] + ([data.draw(st.integers(low, high)) for _ in range(9)] if data else [])
    circuit = trace(lambda x: divided(x, divisor, low, high), {"x": (low, high)})
    for x in drawn:
        assert divided(x, divisor, low, high) == x // divisor
        assert evaluate(circuit, x=x) == x // divisor
    assert not circuit.claims
