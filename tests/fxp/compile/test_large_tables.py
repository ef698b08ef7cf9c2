"""Tables in memory: read at few of their entries, or by no lane at all, the words are the same."""

import pytest

from benchmarks.agreement.cases import Case
from benchmarks.agreement.compare import vector_differences
from benchmarks.agreement.machine import levels
from fxp.compile.nodes.clamped import strided
from fxp.trace.bits import Table, lookup, minimum, where
from fxp.trace.circuit import trace

HALF = 8192
TABLE = Table("large", [(i * i * 31 + i) % 30011 for i in range(2 * HALF)])


def at_multiples(shift: int, limit: int):
    def spec(x, opposite):
        return lookup(TABLE, minimum(x << shift, limit) | (opposite & HALF))

    return trace(spec, {"x": (0, (HALF >> shift) + 40), "opposite": (-1, 0)})


@pytest.mark.parametrize(("shift", "limit"), [(3, 4096), (3, 4099), (8, 8000), (12, 8191), (1, 7)])
def test_tables_read_at_multiples_alone_keep_their_words(shift, limit):
    circuit = at_multiples(shift, limit)
    read = strided(next(n for n in circuit.nodes if n.op == "lookup"))
    assert read is not None and len(read.table) <= 4 * ((limit >> shift) + 2)
    assert not list(vector_differences([Case("strided", circuit)], levels()))


@pytest.mark.parametrize("side", [0, 1])
def test_tables_that_some_lanes_read_are_not_left_out(side):
    def spec(x, y):
        far = lookup(TABLE, minimum(x, 9000)) + y
        return where(x < 300, far, y) if side else where(x < 300, y, far)

    circuit = trace(spec, {"x": (0, 12000), "y": (-9, 9)})
    assert not list(vector_differences([Case("lazy", circuit)], levels()))
