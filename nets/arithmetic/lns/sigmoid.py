"""A sigmoid of each class's own over LNS logits, with its cross-entropy, in integers alone.

With t = a log2 e as a linear fixed-point number, log2 p = t - log2(1 + 2**t): the sum of the
soft-max with one other term, 2**0, in the place of those of the other classes. So all that the
unit needs are the soft-max's own circuits, used class by class, and nothing couples the classes:
there is no common shift that rounding could drive, and no pull.
"""

from __future__ import annotations

import numpy as np

from fxp.compile.loading import compiler
from fxp.trace.circuit import Circuit, evaluate
from lnsarith.delta.methods import Delta
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from nets.arithmetic.lns.softmax import LnsSoftmax

__all__ = ["LnsSigmoid"]

NEEDED = ("linear", "order", "log_add", "gradient")


class LnsSigmoid(LnsSoftmax):
    """The circuits of a unit of sigmoids and the loop that runs them; see `LnsSoftmax`.

    The loss is the sum over the classes of -log2 of the probability of what is right: p of the
    label, 1 - p of all others.
    """

    def __init__(self, logits: Lns, gradients: Lns, delta: Delta, extra: int, up: int = 0):
        super().__init__(logits, gradients, delta, extra, 0, 0, up)

    def circuits(self, classes: int) -> dict[str, Circuit]:
        """Return the circuits by name."""
        return {k: v for k, v in super().circuits(classes).items() if k in NEEDED}

    def _compiled(self, circuits: dict[str, Circuit]):
        loop = _LOOP.replace("TOP", str(self.register.high))
        loop = loop.replace("ZERO", str(spec.zero_level(self.logits)))
        return compiler().scalar_kernel("sigmoid", circuits, loop)

    def _run_numpy(self, logits, labels, gradient, stats, scale):
        classes = logits.columns
        circuits = self.circuits(classes)
        fields = {k: v[:, :classes].astype(np.int64) for k, v in logits.fields.items()}
        t = evaluate(circuits["linear"], **fields)
        s = evaluate(circuits["log_add"], s=0 * t, t=t)
        rows = np.arange(labels.size)
        right = evaluate(circuits["order"], **fields).argmax(axis=1) == labels
        saturated = (np.abs(t) >= self.register.high).sum()
        stats += [s.sum() - t[rows, labels].sum(), right.sum(), t.sum(), saturated]
        if gradient is not None:
            label = (np.arange(classes) == labels[:, None]).astype(np.int64)
            none = np.full_like(t, spec.zero_level(self.logits))
            level, sign = evaluate(circuits["gradient"], t=t, s=s, label=label,
                                   scale=np.full_like(t, scale), c_level=none, c_sign=0 * t)
            gradient.fields["level"][:, :classes] = level
            gradient.fields["sign"][:, :classes] = sign


_LOOP = '''\
@njit(cache=True, nogil=True)
def run(level, sign, labels, d_level, d_sign, classes, scale, stats):
    for i in range(labels.size):
        best, best_order = 0, np.int64(0)
        for j in range(classes):
            t = linear(np.int64(level[i, j]), np.int64(sign[i, j]))
            s = log_add(np.int64(0), t)
            place = order(np.int64(level[i, j]), np.int64(sign[i, j]))
            if j == 0 or place > best_order:
                best, best_order = j, place
            label = np.int64(labels[i] == j)
            stats[0] += s - t * label
            stats[2] += t
            stats[3] += abs(t) >= TOP
            a, b = gradient(t, s, label, scale, np.int64(ZERO), np.int64(0))
            d_level[i, j] = a
            d_sign[i, j] = b
        stats[1] += best == labels[i]
'''
