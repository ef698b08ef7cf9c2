"""The processing elements of systolic arrays, and the ends of their sums."""

from __future__ import annotations

from collections.abc import Mapping

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, trace
from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.header import header
from verilog.emit.lower import Lowering, width_of
from verilog.emit.module import CLOCK, Module, Port, combinational, finished, module_body
from verilog.units.macs import Mac

__all__ = ["output_element", "output_step", "sum_ends", "weight_element", "weight_step"]


def output_step(name: str, mac: Mac) -> Circuit:
    def step(start, a, b, **state):
        before = tuple(where(start, empty, old) for empty, old in zip(mac.zero, state.values()))
        after = mac.step(before, a, b)
        return (*after, mac.finish(after))

    return trace(step, {"start": (0, 1), "a": mac.a.words, "b": mac.b.words, **mac.state},
                 outputs=[*(f"next_{k}" for k in mac.state), "out"], name=name)


def weight_step(name: str, mac: Mac) -> Circuit:
    def step(swap, shadow, active, a, **sums):
        weight = where(swap, shadow, active)
        return (*mac.step(tuple(sums.values()), a, weight), weight)

    words = {"shadow": mac.b.words, "active": mac.b.words, "a": mac.a.words}
    return trace(step, {"swap": (0, 1), **words, **mac.state},
                 outputs=[*(f"next_{k}" for k in mac.state), "weight"], name=name)


def output_element(name: str, circuit: Circuit, mac: Mac, memories: bool) -> Module:
    """Return the element that keeps its sum and passes its operands on."""
    passed = {"valid": 1, "start": 1, "last": 1, "a": mac.bits("a"), "b": mac.bits("b")}
    ports = (*CLOCK, Port("i_enable", 1), *(Port(f"i_{k}", w) for k, w in passed.items()),
             *(Port(f"o_{k}", w, True) for k, w in passed.items()),
             Port("o_out", mac.bits("out"), True))
    body = module_body(ports)
    sums = {k: body.reg(k, width_of(*span)) for k, span in mac.state.items()}
    lowering = Lowering(circuit, body, {**{k: f"i_{k}" for k in circuit.inputs}, **sums},
                        memories=name if memories else "")
    moves = [v.nonblocking(r, lowering.output(circuit.outputs[f"next_{k}"], body.widths[r]))
             for k, r in sums.items()]
    zeros = [v.nonblocking(r, v.constant(value, body.widths[r]))
             for r, value in zip(sums.values(), mac.zero)]
    step = body.wire("step", 1, v.binary("&", body.read("i_enable"), body.read("i_valid")))
    body.add(v.always(moves, enable=body.read(step), reset=zeros))
    held = body.reg("out_held", mac.bits("out"))
    body.add(v.always([v.nonblocking(held, lowering.output(circuit.outputs["out"],
                                                           mac.bits("out")))],
                      enable=v.binary("&", body.read(step), body.read("i_last"))))
    _pass_on(body, passed)
    body.add(v.assign("o_out", body.read(held)))
    text = header(name, "a processing element, its sum stays", "", {}, None, circuit, mac.spec)
    return finished(name, text, ports, body, lowering.files)


def weight_element(name: str, circuit: Circuit, mac: Mac, memories: bool) -> Module:
    """Return the element that keeps its weight and adds its product to the passing sum."""
    passed = {"load": 1, "swap": 1, "go": 1, "a": mac.bits("a")}
    sums = {k: width_of(*span) for k, span in mac.state.items()}
    word = mac.bits("b")
    ports = (*CLOCK, Port("i_enable", 1), *(Port(f"i_{k}", w) for k, w in passed.items()),
             Port("i_w", word), *(Port(f"i_{k}", w) for k, w in sums.items()),
             *(Port(f"o_{k}", w, True) for k, w in passed.items()),
             Port("o_w", word, True), *(Port(f"o_{k}", w, True) for k, w in sums.items()))
    body = module_body(ports)
    weights = {k: body.reg(k, word) for k in ("shadow", "active")}
    lowering = Lowering(circuit, body, {**{k: f"i_{k}" for k in circuit.inputs}, **weights},
                        memories=name if memories else "")
    nothing = v.constant(mac.zero_word, word)
    enable = body.read("i_enable")
    swapped = lowering.output(circuit.outputs["weight"], word)
    body.add(v.always([v.nonblocking("active", swapped)],
                      enable=v.binary("&", enable, body.read("i_swap")),
                      reset=[v.nonblocking("active", nothing)]))
    below = body.reg("w_below", word)
    body.add(v.always([v.nonblocking("shadow", body.read("i_w")),
                       v.nonblocking(below, body.read("shadow"))],
                      enable=v.binary("&", enable, body.read("i_load")),
                      reset=[v.nonblocking("shadow", nothing)]))
    totals = {k: body.reg(f"{k}_sum", w) for k, w in sums.items()}
    body.add(v.always([v.nonblocking(r, lowering.output(circuit.outputs[f"next_{k}"], sums[k]))
                       for k, r in totals.items()], enable=enable))
    _pass_on(body, passed, ("load", "swap", "go"))
    body.add(v.assign("o_w", body.read(below)),
             *(v.assign(f"o_{k}", body.read(r)) for k, r in totals.items()))
    text = header(name, "a processing element, its weight stays", "", {}, None, circuit, mac.spec)
    return finished(name, text, ports, body, lowering.files)


def _pass_on(body: Body, passed: Mapping[str, int], cleared=("valid",)):
    """Add registers from i_<port> to o_<port>; a reset clears those in cleared."""
    for port, width in passed.items():
        register = body.reg(f"{port}_passed", width)
        reset = [v.nonblocking(register, v.constant(0, 1))] if port in cleared else ()
        body.add(v.always([v.nonblocking(register, body.read(f"i_{port}"))],
                          enable=body.read("i_enable"), reset=reset),
                 v.assign(f"o_{port}", body.read(register)))


def sum_ends(name: str, mac: Mac, memories: bool
             ) -> tuple[Module, Module, dict[str, Circuit]]:
    """Return the modules that turn a word into a sum, and a sum into a word, and the
    circuits of both by the modules' names."""
    begin = trace(lambda init: mac.start(init), {"init": mac.out.words},
                  outputs=list(mac.state), name="start")
    end = trace(lambda **sums: mac.finish(tuple(sums.values())), mac.state, name="finish")
    sums = {k: width_of(*span) for k, span in mac.state.items()}
    word = mac.bits("out")
    made = []
    for part, circuit, ports in (
            ("start", begin, (Port("i_init", word),
                              *(Port(f"o_{k}", w, True) for k, w in sums.items()))),
            ("finish", end, (*(Port(f"i_{k}", w) for k, w in sums.items()),
                             Port("o_out", word, True)))):
        text = header(f"{name}_{part}", f"the {part} of a sum", "", {}, 0, circuit, mac.spec)
        made.append(combinational(f"{name}_{part}", text, circuit, ports, memories))
    return made[0], made[1], {m.name: c for m, c in zip(made, (begin, end))}
