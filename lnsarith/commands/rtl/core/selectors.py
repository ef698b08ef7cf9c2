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
    from lnsarith.commands.rtl.core.layers import active_circuit, pixel_words, steps_of, told
    from lnsarith.commands.rtl.core.stages import parameter_words, staged
    from nets.arithmetic.fixed.minselect import LARGEST, Sums
    from nets.layers.minselect.fixed import FixedSelectorConv2d, FixedSelectorDense
    from verilog.core.inference.arithmetic import Arithmetic, Layer
    from verilog.core.parts.lane import Sums as LaneSums
    from verilog.core.parts.word import Word

    ar = network.ar
    network.program(1, False).run(np.zeros((1, network.inputs), np.uint8), np.zeros(1, np.int64))
    steps = steps_of(network, (FixedSelectorDense, FixedSelectorConv2d))
    widest = max((step.product for step in steps), key=lambda layer: layer.w.rows)
    plan = Sums(ar, widest.w.rows).affine_plan()
    finish = widest._finish(ar).circuit
    f, w = ar.formats["activations"], ar.formats["weights"]
    number = Word((("word", *f.words),))
    parameters = Word((("scale", 0, LARGEST), ("bias", *w.words)))
    sums = LaneSums(plan.step, plan.state, plan.scalars, plan.vectors, zero=(0,))
    arithmetic = Arithmetic(number, pixel_words(ar, number), sums, renamed(finish, "s", plan.state),
                            active_circuit(ar, steps), ar.order_circuit(),
                            parameters=parameters, settings=told(settings, ("scales",)))
    arithmetic = staged(ar, arithmetic, steps)
    layers, words = [], []
    for step in steps:
        layer = step.product
        outputs = layer.w.columns
        limits = layer.limits.fields["word"][:, :outputs].astype(np.int64)
        own = {"scale": np.broadcast_to(layer.factors, outputs), "bias": ar.words(layer.b)[0]}
        layers.append(Layer(sums.weight.patterns({sums.b[0]: limits}), None,
                            parameter_words(ar, arithmetic, step, outputs, own),
                            form=step.form))
        words.append(limits)
    return arithmetic, layers, words


def renamed(circuit, name: str, state):
    """Return a circuit whose input `name` is called as the one register of a sum."""
    node = circuit.inputs[name]
    inputs = {state[0] if k == name else k: n for k, n in circuit.inputs.items()}
    node.name = state[0]
    return replace(circuit, inputs=inputs)
