"""What an inference core takes of a network of min-selectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

__all__ = ["selector_parts"]


def selector_parts(settings, network):
    """Return the arithmetic, layers and words of a network of min-selectors.

    Weights are the words that its layers prepare for a step, each output's scale and bias
    its parameters.
    """
    from lnsarith.commands.rtl.core.layers import active_circuit, dense_layers, pixel_words, told
    from nets.arithmetic.fixed.minselect import LARGEST, Sums
    from nets.layers.minselect.fixed import FixedSelectorDense
    from verilog.core.inference.arithmetic import Arithmetic
    from verilog.core.parts.lane import Sums as LaneSums
    from verilog.core.parts.word import Word

    ar = network.ar
    network.program(1, False).run(np.zeros((1, network.inputs), np.uint8), np.zeros(1, np.int64))
    dense, active = dense_layers(network, FixedSelectorDense)
    widest = max(dense, key=lambda layer: layer.w.rows)
    plan = Sums(ar, widest.w.rows).affine_plan()
    finish = widest._finish(ar).circuit
    f, w = ar.formats["activations"], ar.formats["weights"]
    number = Word((("word", *f.words),))
    parameters = Word((("scale", 0, LARGEST), ("bias", *w.words)))
    sums = LaneSums(plan.step, plan.state, plan.scalars, plan.vectors, zero=(0,))
    arithmetic = Arithmetic(number, pixel_words(ar, number), sums, renamed(finish, "s", plan.state),
                            active_circuit(ar, active), ar.order_circuit(),
                            parameters=parameters, settings=told(settings, ("scales",)))
    layers, words = [], []
    for layer in dense:
        limits = layer.limits.fields["word"][:, : layer.w.columns].astype(np.int64)
        scales = np.broadcast_to(layer._scales, layer.w.columns)
        rows = parameters.rows({"scale": scales, "bias": ar.words(layer.b)[0]})
        layers.append(_layer(sums.weight.patterns({sums.b[0]: limits}), rows))
        words.append(limits)
    return arithmetic, layers, words


def _layer(weights, rows):
    from verilog.core.inference.arithmetic import Layer

    return Layer(weights, None, rows)


def renamed(circuit, name: str, state):
    """Return a circuit whose input `name` is called as the one register of a sum."""
    node = circuit.inputs[name]
    inputs = {state[0] if k == name else k: n for k, n in circuit.inputs.items()}
    node.name = state[0]
    return replace(circuit, inputs=inputs)
