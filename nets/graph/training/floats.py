"""float32 and float64 in the place of words: a graph that learns in floats takes the same steps."""

from __future__ import annotations

from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.graph.graph import Graph, Unsupported
from nets.graph.words.arithmetics import Arithmetics
from nets.graph.words.lowering import lowered
from nets.graph.words.network import WordNetwork
from nets.graph.words.placed import Float
from nets.settings.settings import Settings

__all__ = ["FLOATS", "FloatArithmetics", "in_floats"]

FLOATS = ("float32", "float64")


class FloatArithmetics(Arithmetics):
    """One arithmetic for every step, for all its roles have one format."""

    def __init__(self, settings: Settings, threads: int = 1, backend: str = "vector"):
        self.f = Float(settings.arith)
        self.logarithmic = False
        self.settings = settings
        self.threads, self.backend = threads, backend
        self.real = RealArithmetic(settings, threads, backend)

    def of(self, formats):
        return self.real

    def affine(self, ar, x, w, b, y):
        return ar.affine(x, w, b, y)

    def last_calls(self):
        return self.real.last_calls()


def in_floats(graph: Graph, settings: Settings, backend: str = "vector") -> WordNetwork:
    """Return a graph in the floats of settings, to be trained; Unsupported, naming the node, for
    what words have no step for."""
    try:
        return WordNetwork(lowered(graph), FloatArithmetics(settings, 1, backend))
    except Unsupported as error:
        raise Unsupported(f"{error}; training takes the steps of words alone") from None
