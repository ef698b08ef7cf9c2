"""A module of parts: instances, registers and delays, each named once."""

from __future__ import annotations

from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.module import Module, Port

__all__ = ["Wiring", "wired"]


class Wiring(Body):
    """The inside of a module that is mostly instances."""

    def __init__(self, ports: tuple[Port, ...]):
        super().__init__(p.name for p in ports)
        for port in ports:
            if not port.output:
                self.declare(port.name, port.width)
        for name in ("i_clk", "i_rst"):
            if name in self.widths:
                self.read(name)

    def put(self, module: Module, label: str, **inputs) -> dict[str, str]:
        """Add an instance; return the wires of its outputs by their names without o_.

        inputs are expressions by the port's name without i_; clock and reset follow.
        """
        connections, outputs = {}, {}
        for port in module.ports:
            plain = port.name[2:]
            if port.output:
                outputs[plain] = self.wire(f"{label}_{plain}", port.width)
                connections[port.name] = v.name(outputs[plain])
            elif port.name in ("i_clk", "i_rst"):
                connections[port.name] = self.read(port.name)
            else:
                connections[port.name] = inputs.pop(plain)
        assert not inputs, f"{module.name} has no port {sorted(inputs)}"
        self.add(v.instance(module.name, self.fresh(f"{label}_part"), connections))
        return outputs

    def register(self, wish: str, width: int, value, enable=None, reset: int | None = None) -> str:
        """Add a register that takes value at each clock (with enable: only then)."""
        name = self.reg(wish, width)
        clear = () if reset is None else [v.nonblocking(name, v.constant(reset, width))]
        self.add(v.always([v.nonblocking(name, value)], enable=enable, reset=clear))
        return name

    def delayed(self, signal: str, cycles: int, reset: int | None = None) -> str:
        """Return a wire's value as it was so many clocks ago; with reset it starts there."""
        for k in range(1, cycles + 1):
            signal = self.register(f"{signal.removesuffix(f'_d{k - 1}')}_d{k}",
                                   self.widths[signal], self.read(signal), reset=reset)
        return signal


def wired(name: str, text: str, ports: tuple[Port, ...], body: Body, files=None) -> Module:
    """Return the module of a body under a comment, its unread bits tied."""
    body.tie_unused()
    listed = [v.port(p.name, p.width, p.output) for p in ports]
    return Module(name, ports, text + v.module_text(name, listed, body.items), files or {})
