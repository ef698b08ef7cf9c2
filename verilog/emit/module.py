"""Modules around circuits: combinational, pipelined, and with a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fxp.trace.circuit import Circuit
from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.lower import Lowering, width_of

__all__ = ["CLOCK", "VALID_IN", "VALID_OUT", "Module", "Port", "combinational", "finished",
           "machine", "module_body", "pipelined"]


@dataclass(frozen=True)
class Port:
    """A port of a module; meaning is the format of its words, or what it does."""

    name: str
    width: int
    output: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class Module:
    """A module's text under its name, and the memory files that it reads."""

    name: str
    ports: tuple[Port, ...]
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


Lanes = Mapping[str, tuple[int, int]]

CLOCK = (Port("i_clk", 1), Port("i_rst", 1, meaning="synchronous, active high"))
VALID_IN = (Port("i_valid", 1), Port("o_ready", 1, True))
VALID_OUT = (Port("o_valid", 1, True), Port("i_ready", 1))


def combinational(name: str, header: str, circuit: Circuit, ports: tuple[Port, ...],
                  memories: bool = False, lanes: Lanes | None = None) -> Module:
    """Return the circuit as a module without a clock.

    lanes says of a port, by its plain name p, how many words of how many bits it
    has side by side: they are the circuit's inputs p_0, p_1, ...
    """
    body = module_body(ports)
    lowering = Lowering(circuit, body, _sources(circuit, body, lanes),
                        memories=name if memories else "")
    _assign_outputs(body, lowering, circuit, ports)
    return finished(name, header, ports, body, lowering.files)


def pipelined(name: str, header: str, circuit: Circuit, ports: tuple[Port, ...],
              stages: dict[int, int], latency: int, memories: bool = False,
              lanes: Lanes | None = None) -> Module:
    """Return the circuit with `latency` registers from input to output.

    A stage takes a word when it is empty or the next one takes its own, so the
    pipeline moves one word a cycle and closes its bubbles when the output waits.
    """
    data_in = tuple(p for p in ports if not p.output)
    data_out = tuple(p for p in ports if p.output)
    every = (*CLOCK, *VALID_IN, *data_in, *VALID_OUT, *data_out)
    body = module_body(every)
    loads = _handshake(body, latency)
    lowering = Lowering(circuit, body, _sources(circuit, body, lanes), stages,
                        name if memories else "")
    values = [(p.name, lowering.output(circuit.outputs[p.name[2:]], p.width, latency))
              for p in data_out]
    body.add(v.comment("registers"))
    for stage, registers in sorted(lowering.registers.items()):
        moves = [v.nonblocking(r, body.read(source)) for r, source in registers]
        body.add(v.always(moves, enable=body.read(loads[stage])))
    for port, value in values:
        body.add(v.assign(port, value))
    return finished(name, header, every, body, lowering.files)


def machine(name: str, header: str, circuit: Circuit, ports: tuple[Port, ...],
            state: Mapping[str, int], memories: bool = False) -> Module:
    """Return the circuit as a machine that takes a step for each word it accepts.

    Its input ports of `state` are registers, with their values after a reset; the
    circuit's outputs next_<register> are what they become. Where its output `done`
    is 1, the other outputs are the answer to this step; they are held until taken.
    """
    data_in = tuple(p for p in ports if not p.output)
    data_out = tuple(p for p in ports if p.output)
    every = (*CLOCK, *VALID_IN, *data_in, *VALID_OUT, *data_out)
    body = module_body(every)
    sources = _sources(circuit, body)
    for register in state:
        node = circuit.inputs[register]
        sources[register] = body.reg(register, width_of(node.low, node.high))
    answered = body.reg("answered", 1)
    step = body.wire("step", 1, v.binary("&", body.read("i_valid"), v.binary(
        "|", v.unary("~", body.read(answered)), body.read("i_ready"))))
    lowering = Lowering(circuit, body, sources, memories=name if memories else "")
    moves = [v.nonblocking(sources[r], lowering.output(circuit.outputs[f"next_{r}"],
                                                       body.widths[sources[r]]))
             for r in state]
    resets = [v.nonblocking(sources[r], v.constant(value, body.widths[sources[r]]))
              for r, value in state.items()]
    done = body.wire("done", 1, lowering.output(circuit.outputs["done"], 1))
    body.add(v.always(moves, enable=body.read(step), reset=resets))
    held = []
    for p in data_out:
        register = body.reg(f"{p.name[2:]}_held", p.width)
        held.append(v.nonblocking(register, lowering.output(circuit.outputs[p.name[2:]],
                                                            p.width)))
        body.add(v.assign(p.name, body.read(register)))
    answering = v.binary("&", body.read(step), body.read(done))
    body.add(v.always(held, enable=answering),
             v.always([v.nonblocking(answered, v.binary("|", answering, v.binary(
                 "&", body.read(answered), v.unary("~", body.read("i_ready")))))],
                 reset=[v.nonblocking(answered, v.constant(0, 1))]),
             v.assign("o_valid", body.read(answered)),
             v.assign("o_ready", v.binary("|", v.unary("~", body.read(answered)),
                                          body.read("i_ready"))))
    return finished(name, header, every, body, lowering.files)


def _handshake(body: Body, latency: int) -> dict[int, str]:
    """Add the valid bits; return, for each stage, the wire that lets it load."""
    valid = {0: "i_valid", **{s: body.reg(f"valid_s{s}", 1) for s in range(1, latency + 1)}}
    loads = {s: body.wire(f"load_s{s}", 1) for s in range(1, latency + 1)}
    for s in range(1, latency + 1):
        follower = "i_ready" if s == latency else loads[s + 1]
        body.add(v.assign(loads[s], v.binary("|", v.unary("~", body.read(valid[s])),
                                             body.read(follower))))
        body.add(v.always([v.nonblocking(valid[s], body.read(valid[s - 1]))],
                          enable=body.read(loads[s]),
                          reset=[v.nonblocking(valid[s], v.constant(0, 1))]))
    body.add(v.assign("o_ready", body.read(loads[1])),
             v.assign("o_valid", body.read(valid[latency])))
    return loads


def module_body(ports: tuple[Port, ...]) -> Body:
    """Return an empty body that knows the input ports."""
    body = Body(p.name for p in ports)
    for port in ports:
        if not port.output:
            body.declare(port.name, port.width)
    if any(p.name == "i_rst" for p in ports):
        body.read("i_rst")
        body.read("i_clk")
    return body


def _sources(circuit: Circuit, body: Body, lanes: Lanes | None = None) -> dict[str, str]:
    """Return the vector of every input of the circuit."""
    sources = {port: f"i_{port}" for port in circuit.inputs}
    for port, (count, bits) in (lanes or {}).items():
        for k in range(count):
            part = body.read(f"i_{port}", (k + 1) * bits - 1, k * bits)
            sources[f"{port}_{k}"] = body.wire(f"{port}_{k}", bits, part)
    return sources


def _assign_outputs(body: Body, lowering: Lowering, circuit: Circuit, ports):
    values = [(p.name, lowering.output(circuit.outputs[p.name[2:]], p.width))
              for p in ports if p.output]
    for port, value in values:
        body.add(v.assign(port, value))


def finished(name: str, header: str, ports, body: Body, files) -> Module:
    """Return the module of a body, its unread bits tied."""
    body.tie_unused()
    listed = [v.port(p.name, p.width, p.output) for p in ports]
    return Module(name, tuple(ports), header + v.module_text(name, listed, body.items), files)
