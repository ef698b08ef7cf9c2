"""How the elements of a systolic array hang together: feeds, skew, answers."""

from __future__ import annotations

from collections.abc import Mapping

from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.lower import width_of
from verilog.emit.module import Module
from verilog.units.macs import Mac

__all__ = ["wire_output_array", "wire_weight_array"]


def wire_output_array(body: Body, pe: Module, mac: Mac, rows: int, columns: int):
    enable, accepted = body.wire("enable", 1), body.wire("accepted", 1)
    feeds = {k: _skewed(body, k, 1, rows, accepted if k == "valid" else f"i_{k}", enable,
                        cleared=k == "valid") for k in ("valid", "start", "last")}
    a = [_delayed(body, _lane(body, "i_a", r, mac.a), r, enable) for r in range(rows)]
    b = [_delayed(body, _lane(body, "i_b", c, mac.b), c, enable) for c in range(columns)]
    done, out = [], []
    above = b
    for r in range(rows):
        left = {**{k: chain[r] for k, chain in feeds.items()}, "a": a[r]}
        below, words = [], []
        for c in range(columns):
            outs = _element(body, pe, f"{r}_{c}", {**left, "b": above[c]}, enable,
                            ("valid", "start", "last", "a", "b", "out"))
            left = {k: outs[k] for k in ("valid", "start", "last", "a")}
            below.append(outs["b"])
            words.append(outs["out"])
        done.append(body.wire(f"done_{r}", 1, v.binary("&", body.read(left["valid"]),
                                                       body.read(left["last"]))))
        above = below
        out.append(words)
    answer = [_any(v.binary("&", v.repeat(body.read(done[r]), mac.bits("out")),
                            body.read(out[r][c])) for r in range(rows)) for c in range(columns)]
    any_done = body.wire("any_done", 1, _any(body.read(d) for d in done))
    spaced = _spacing(body, max(rows, columns), enable, accepted)
    ready = body.wire("ready", 1, v.binary("&", body.read(enable), body.read(spaced)))
    body.add(v.assign(enable, v.binary("|", v.unary("~", body.read(any_done)),
                                       body.read("i_ready"))),
             v.assign(accepted, v.binary("&", body.read("i_valid"), body.read(ready))),
             v.assign("o_ready", body.read(ready)), v.assign("o_valid", body.read(any_done)),
             v.assign("o_out", v.concat(*reversed(answer))))


def _spacing(body: Body, cycles: int, enable: str, accepted: str) -> str:
    """Return the wire that is 0 while the last `last` is less than `cycles` cycles old and
    another one is offered."""
    width = width_of(0, cycles)
    wait = body.reg("wait_for_rows", width)
    none = v.binary("==", body.read(wait), v.constant(0, width))
    taken = body.wire("last_taken", 1, v.binary("&", body.read(accepted), body.read("i_last")))
    less = v.choose(none, v.constant(0, width), v.binary("-", body.read(wait),
                                                         v.constant(1, width)))
    body.add(v.always([v.nonblocking(wait, v.choose(body.read(taken),
                                                    v.constant(cycles - 1, width), less))],
                      enable=body.read(enable), reset=[v.nonblocking(wait, v.constant(0, width))]))
    return body.wire("spaced", 1, v.binary("|", v.unary("~", body.read("i_last")), none))


def wire_weight_array(body: Body, pe: Module, begin: Module, end: Module, mac: Mac, rows: int,
                       columns: int):
    enable, accepted = body.wire("enable", 1), body.wire("accepted", 1)
    flags = {k: body.wire(f"{k}_now", 1, v.binary("&", body.read(accepted), body.read(f"i_{k}")))
             for k in ("load", "swap", "go")}
    feeds = {k: _skewed(body, k, 1, rows, now, enable, cleared=True)
             for k, now in flags.items()}
    a = [_delayed(body, _lane(body, "i_a", r, mac.a), r, enable) for r in range(rows)]
    above = []
    for c in range(columns):
        init = _delayed(body, _lane(body, "i_init", c, mac.out), c, enable)
        sums = {k: body.wire(f"{k}_start_{c}", width_of(*span)) for k, span in mac.state.items()}
        body.add(v.instance(begin.name, f"start_{c}", {
            "i_init": body.read(init), **{f"o_{k}": v.name(w) for k, w in sums.items()}}))
        above.append({**sums, "w": _delayed(body, _lane(body, "i_w", c, mac.b), c, enable)})
    flows = ("w", *mac.state)
    for r in range(rows):
        left = {**{k: chain[r] for k, chain in feeds.items()}, "a": a[r]}
        below = []
        for c in range(columns):
            outs = _element(body, pe, f"{r}_{c}", {**left, **above[c]}, enable,
                            ("load", "swap", "go", "a", *flows))
            left = {k: outs[k] for k in ("load", "swap", "go", "a")}
            below.append({k: outs[k] for k in flows})
        above = below
    answer = []
    for c in range(columns):
        word = body.wire(f"word_{c}", mac.bits("out"))
        body.add(v.instance(end.name, f"finish_{c}", {
            **{f"i_{k}": body.read(above[c][k]) for k in mac.state}, "o_out": v.name(word)}))
        answer.append(body.read(_delayed(body, word, columns - 1 - c, enable)))
    body.add(v.assign(enable, v.binary("|", v.unary("~", body.read(left["go"])),
                                       body.read("i_ready"))),
             v.assign(accepted, v.binary("&", body.read("i_valid"), body.read(enable))),
             v.assign("o_ready", body.read(enable)), v.assign("o_valid", body.read(left["go"])),
             v.assign("o_out", v.concat(*reversed(answer))))


def _element(body: Body, pe: Module, place: str, inputs: Mapping[str, str], enable: str,
             outputs) -> dict[str, str]:
    """Add a processing element; return the wires of its outputs."""
    widths = {p.name: p.width for p in pe.ports}
    outs = {k: body.wire(f"{k}_{place}", widths[f"o_{k}"]) for k in outputs}
    body.add(v.instance(pe.name, f"pe_{place}", {
        "i_clk": body.read("i_clk"), "i_rst": body.read("i_rst"),
        "i_enable": body.read(enable), **{f"i_{k}": body.read(w) for k, w in inputs.items()},
        **{f"o_{k}": v.name(w) for k, w in outs.items()}}))
    return outs


def _skewed(body: Body, name: str, width: int, count: int, source: str, enable: str,
            cleared: bool) -> list[str]:
    """Return source after 0, 1, ... count - 1 registers."""
    chain = [source]
    for k in range(1, count):
        register = body.reg(f"{name}_row_{k}", width)
        reset = [v.nonblocking(register, v.constant(0, width))] if cleared else ()
        body.add(v.always([v.nonblocking(register, body.read(chain[-1]))],
                          enable=body.read(enable), reset=reset))
        chain.append(register)
    return chain


def _delayed(body: Body, source: str, count: int, enable: str) -> str:
    """Return source after count registers."""
    for k in range(1, count + 1):
        register = body.reg(f"{source}_d{k}", body.widths[source])
        before = source if k == 1 else f"{source}_d{k - 1}"
        body.add(v.always([v.nonblocking(register, body.read(before))],
                          enable=body.read(enable)))
    return f"{source}_d{count}" if count else source


def _lane(body: Body, port: str, index: int, f) -> str:
    bits = width_of(*f.words)
    return body.wire(f"{port[2:]}_{index}", bits,
                     body.read(port, (index + 1) * bits - 1, index * bits))


def _any(terms):
    terms = list(terms)
    total = terms[0]
    for term in terms[1:]:
        total = v.binary("|", total, term)
    return total
