"""Circuits as modules that always move: registers without a handshake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fxp.trace import bits
from fxp.trace.circuit import Circuit, trace
from verilog.emit import syntax as v
from verilog.emit.header import header
from verilog.emit.lower import Lowering, width_of
from verilog.emit.module import Module, Port, combinational, finished, module_body
from verilog.emit.pipeline import shortest_ns, stages_for_latency
from verilog.trainer.plan.learning import Wire
from verilog.trainer.writing.text import vec

__all__ = ["Part", "inlined", "latency_for", "part", "stepping"]


LARGE = 64  # words of a table, above which it is a memory with a file


@dataclass(frozen=True)
class Part:
    """A circuit as a module: its answer stands `latency` cycles behind its operands."""

    module: Module
    circuit: Circuit
    latency: int

    def instance(self, label: str, operands: Mapping[str, str | Wire]) -> str:
        """Return an instance and the wires of its answers, <label>_<answer>; operands that
        the circuit does not have are left out."""
        links = [".i_clk(i_clk)"] if self.latency else []
        for port, node in self.circuit.inputs.items():
            given = operands[port]
            if isinstance(given, Wire):
                given = given.fitted(width_of(node.low, node.high))
            links.append(f".i_{port}({given})")
        wires = []
        for port, node in self.circuit.outputs.items():
            wires.append(f"wire {vec(width_of(node.low, node.high))}{label}_{port};")
            links.append(f".o_{port}({label}_{port})")
        return "\n".join(wires) + f"\n{self.module.name} {label} ({', '.join(links)});"

    def answers(self, label: str) -> dict[str, Wire]:
        """Return the wire of each answer of an instance."""
        return {port: Wire(f"{label}_{port}", node.low, node.high)
                for port, node in self.circuit.outputs.items()}


def part(name: str, summary: str, circuit: Circuit, latency: int) -> Part:
    """Return the circuit with `latency` registers from operands to answers."""
    ports = tuple(Port(f"i_{k}", width_of(n.low, n.high)) for k, n in circuit.inputs.items())
    ports += tuple(Port(f"o_{k}", width_of(n.low, n.high), True)
                   for k, n in circuit.outputs.items())
    text = header(name, summary, "", {}, latency, circuit)
    if not latency:
        return Part(combinational(name, text, circuit, ports), circuit, 0)
    every = (Port("i_clk", 1), *ports)
    body = module_body(every)
    body.read("i_clk")
    lowering = Lowering(circuit, body, {p: f"i_{p}" for p in circuit.inputs},
                        stages_for_latency(circuit, latency), name, LARGE)
    values = [(p.name, lowering.output(circuit.outputs[p.name[2:]], p.width, latency))
              for p in ports if p.output]
    body.add(v.comment("registers"))
    for _, registers in sorted(lowering.registers.items()):
        body.add(v.always([v.nonblocking(r, body.read(source)) for r, source in registers]))
    for port, value in values:
        body.add(v.assign(port, value))
    return Part(finished(name, text, every, body, lowering.files), circuit, latency)


def latency_for(circuit: Circuit, nanoseconds: float, most: int = 24) -> int:
    """Return the fewest registers, at least one, that keep each stage within an estimate."""
    return next((n for n in range(1, most) if shortest_ns(circuit, n) <= nanoseconds), most)


def inlined(circuit: Circuit, **operands):
    """Return the answers, by name, of a circuit as a piece of another that is being traced."""
    values: dict[int, object] = {}
    for node in circuit.nodes:
        args = [values[a.index] for a in node.args]
        if node.op == "input":
            values[node.index] = operands[node.name]
        elif node.op == "const":
            values[node.index] = node.low
        elif node.op == "known":
            values[node.index] = bits.known(args[0], node.low, node.high)
        else:
            values[node.index] = _OPERATIONS[node.op](node, *args)
    return {name: values[node.index] for name, node in circuit.outputs.items()}


_OPERATIONS: dict[str, Callable] = {
    "add": lambda n, a, b: a + b, "sub": lambda n, a, b: a - b, "mul": lambda n, a, b: a * b,
    "shl": lambda n, a, b: a << b, "shr": lambda n, a, b: a >> b, "and": lambda n, a, b: a & b,
    "or": lambda n, a, b: a | b, "xor": lambda n, a, b: a ^ b, "eq": lambda n, a, b: a == b,
    "lt": lambda n, a, b: a < b, "where": lambda n, c, a, b: bits.where(c, a, b),
    "min": lambda n, a, b: bits.minimum(a, b), "max": lambda n, a, b: bits.maximum(a, b),
    "lookup": lambda n, i: bits.lookup(n.table, i),
}


def stepping(step: Circuit, state: tuple[str, ...]) -> Circuit:
    """Return the step of a register that stays as it is where the operand is absent."""
    ports = {name: (node.low, node.high) for name, node in step.inputs.items()}

    def stepped(absent, **operands):
        after = inlined(step, **operands)
        return tuple(bits.where(absent, operands[was], value)
                     for was, value in zip(state, after.values()))

    return trace(stepped, {**ports, "absent": (0, 1)}, outputs=[f"next_{n}" for n in state],
                 name="step")
