"""The mean of the soft-max's register, over every sum that can be."""

import numpy as np
import pytest

from fxp.run.execute import bind_map
from fxp.trace.circuit import evaluate
from fxp.trace.plans import MapPlan
from nets.arithmetic.choose import make_arithmetic
from nets.settings.settings import Settings


@pytest.mark.parametrize("arith, classes", [
    ("lns12", 1), ("lns12", 2), ("lns12", 3), ("lns12", 7), ("lns12", 10), ("lns12", 47),
    ("lns16", 10)])
def test_the_mean_of_a_soft_max_is_floor_division_of_every_total(arith, classes):
    soft_max = make_arithmetic(Settings(arith=arith), backend="numpy").softmax_unit
    circuit = soft_max.circuits(classes)["mean"]
    total = np.arange(classes * soft_max.register.low, classes * soft_max.register.high + 1,
                      dtype=np.int32)
    mean = np.zeros_like(total)
    bind_map(MapPlan(circuit, {"total": total.dtype, "out": mean.dtype}),
             {"total": total, "out": mean})()
    assert (mean == total // np.int32(classes)).all()
    for few in (slice(0, 5000), slice(-5000, None)):
        assert (evaluate(circuit, total=total[few].astype(np.int64)) == mean[few]).all()
