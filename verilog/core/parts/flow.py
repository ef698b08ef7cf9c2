"""Circuits with registers and no handshake: a word a clock, its answer so many later."""

from __future__ import annotations

from fxp.trace.circuit import Circuit
from verilog.emit import syntax as v
from verilog.emit.header import header
from verilog.emit.lower import Lowering, width_of
from verilog.emit.module import Module, Port, finished, module_body
from verilog.emit.pipeline import node_delay, stages_for_latency, stages_for_ns

__all__ = ["flow", "flow_for_ns"]


def flow(name: str, summary: str, circuit: Circuit, latency: int) -> Module:
    """Return the module: ports i_clk, i_<input>, o_<output>; latency is 1 or more."""
    stages = stages_for_latency(circuit, latency)
    ports = (Port("i_clk", 1),
             *(Port(f"i_{k}", width_of(n.low, n.high)) for k, n in circuit.inputs.items()),
             *(Port(f"o_{k}", width_of(n.low, n.high), True)
               for k, n in circuit.outputs.items()))
    body = module_body(ports)
    body.read("i_clk")
    lowering = Lowering(circuit, body, {k: f"i_{k}" for k in circuit.inputs}, stages)
    values = [(p.name, lowering.output(circuit.outputs[p.name[2:]], p.width, latency))
              for p in ports if p.output]
    for _, registers in sorted(lowering.registers.items()):
        body.add(v.always([v.nonblocking(r, body.read(source)) for r, source in registers]))
    for port, value in values:
        body.add(v.assign(port, value))
    text = header(name, summary, circuit.doc, {}, latency, circuit)
    return finished(name, text, ports, body, lowering.files)


def flow_for_ns(circuit: Circuit, target: float) -> int:
    """Return the registers that keep a circuit's stages below so many ns, as estimated, or
    below what its slowest node takes."""
    return stages_for_ns(circuit, max(target, *map(node_delay, circuit.nodes)))[1]
