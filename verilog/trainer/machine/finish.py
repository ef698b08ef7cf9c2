"""What happens to sums: circuits put together from those of the plans."""

from __future__ import annotations

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, trace
from verilog.trainer.machine.parts import inlined
from verilog.trainer.plan.learning import Learning

__all__ = ["backward_circuit", "update_circuit"]


def backward_circuit(learning: Learning) -> Circuit:
    """Return the gradient of a layer's output, from the finished sum of the layer above and
    the output before its activation, the operand x."""
    one, slope = learning.backward, learning.active_gradient
    x = learning.numbers["activations"].ports("x")
    state = {n: one.finish.inputs[n] for n in one.state if n in one.finish.inputs}
    ports = {n: (node.low, node.high) for n, node in state.items()} | {
        n: span for n, span in x.items() if n in slope.inputs}

    def turned(**operands):
        done = inlined(one.finish, **{n: operands[n] for n in state})
        gradient = dict(zip(learning.numbers["gradients"].ports("d"), done.values()))
        given = {**operands, **gradient}
        return tuple(inlined(slope, **{n: given[n] for n in slope.inputs}).values())

    return trace(turned, ports, outputs=tuple(learning.numbers["gradients"].ports("o")),
                 name="gradient of an output")


def update_circuit(learning: Learning) -> Circuit:
    """Return the finish of an update, with the decay that follows it where `decay` is 1."""
    finish, decay = learning.update.finish, learning.decay
    if decay is None:
        return finish
    ports = {n: (node.low, node.high) for n, node in finish.inputs.items()}
    weights = learning.numbers["weights"]

    def updated(decayed, **operands):
        moved = inlined(finish, **operands)
        given = {w: moved[o] for w, o in zip(weights.ports("w"), weights.ports("o"))}
        lower = inlined(decay, **given)
        return tuple(where(decayed, lower[n], value) if n in lower else value
                     for n, value in moved.items())

    return trace(updated, {**ports, "decayed": (0, 1)}, outputs=tuple(finish.outputs),
                 name="update")
