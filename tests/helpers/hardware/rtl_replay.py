"""Counter-examples of `prove`, run by Icarus Verilog and judged by plain Python."""

import subprocess
from collections import defaultdict

from fxp.trace.circuit import evaluate

BENCH = """module bench;
reg i_clk = 0;
{regs}
{wires}
{name} dut({ports});
initial begin
{steps}
end
endmodule
"""


def clocks_of(counterexample):
    """Return the ports of every clock of a run, their patterns as unsigned integers."""
    clocks = defaultdict(dict)
    for key, value in counterexample.items():
        port, _, clock = key.partition("@")
        clocks[int(clock)][port] = value
    return [clocks[k] for k in sorted(clocks)]


def simulated(design, clocks, folder):
    """Return the outputs at each clock as text of bits; registers are x until they are set."""
    ports = [p for p in design.top.ports if p.name != "i_clk"]
    given, shown = [p for p in ports if not p.output], [p for p in ports if p.output]
    steps = []
    for clock in clocks:
        steps += [f"{p.name} = {p.width}'d{clock[p.name] % (1 << p.width)};" for p in given]
        steps += ["#1 $display(\"" + " ".join("%b" for _ in shown) + "\", "
                  + ", ".join(p.name for p in shown) + ");", "i_clk = 1; #1 i_clk = 0;"]
    bench = BENCH.format(
        name=design.top.name, steps="\n".join(steps),
        regs="\n".join(f"reg [{p.width - 1}:0] {p.name};" for p in given),
        wires="\n".join(f"wire [{p.width - 1}:0] {p.name};" for p in shown),
        ports=", ".join(f".{p.name}({p.name})" for p in (*ports, design.top.ports[0])))
    for name, text in {**design.files, "bench.v": bench}.items():
        (folder / name).write_text(text)
    names = [*(f"{m.name}.v" for m in design.modules), "bench.v"]
    subprocess.run(["iverilog", "-g2001", "-o", "run", *names], cwd=folder, check=True)
    told = subprocess.run(["vvp", "-n", "run"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout
    return [dict(zip((p.name for p in shown), line.split())) for line in told.splitlines()]


def agrees(design, clocks, outputs):
    """Whether all bits that the simulation knows are those of the run; at least one is."""
    widths = {p.name: p.width for p in design.top.ports}
    known = 0
    for clock, found in zip(clocks, outputs, strict=True):
        for port, bits in found.items():
            said = format(clock[port] % (1 << widths[port]), f"0{widths[port]}b")
            if any(b not in ("x", a) for a, b in zip(said, bits)):
                return False
            known += sum(b != "x" for b in bits)
    return known > 0


def faults(design, clocks):
    """Return what a run does wrong after its first clock, a reset; it may end in anything."""
    found, due, state, idle, before = set(), [], dict(design.state), 0, None
    delay = design.latency or 1
    for clock in clocks[1:]:
        if clock["i_rst"] % 2:
            due, state, idle, before = [], dict(design.state), 0, None
            continue
        valid, ready, takes = (clock[k] % 2 for k in ("o_valid", "i_ready", "o_ready"))
        answer = {k: clock[f"o_{k}"] for k in design.outputs}
        if before is not None and (not valid or answer != before):
            found.add("held")
        before = answer if valid and not ready else None
        idle = 0 if valid else idle + bool(due)
        if idle >= delay + 1:
            found.add("progress")
        if not takes and not (valid and not ready):
            found.add("accepts")
        if valid and not due:
            found.add("invented")
        if valid and due and any((answer[k] - due[0][k]) % (1 << _width(design, k))
                                 for k in answer):
            found.add("wrong")
        if valid and ready:
            due = due[1:]
        if clock["i_valid"] % 2 and takes:
            words = {k: _word(clock[f"i_{k}"], *span) for k, span in design.inputs.items()
                     if k not in design.ignored}
            step = evaluate(design.circuit, **words, **state)
            step = dict(zip(design.circuit.outputs, step if isinstance(step, tuple) else (step,)))
            state = {k: int(step[f"next_{k}"]) for k in state}
            if step.get("done", 1):
                due.append({k: int(step[k]) for k in design.outputs})
    return found | ({"lost"} if due else set())


def _width(design, output):
    return next(p.width for p in design.top.ports if p.name == f"o_{output}")


def _word(pattern, low, high):
    bits = max(abs(low) - 1 if low < 0 else 0, high).bit_length() + (low < 0)
    pattern %= 1 << max(bits, 1)
    return pattern - (1 << bits) if low < 0 and pattern >> (bits - 1) else pattern
