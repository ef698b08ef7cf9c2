"""Systolic arrays of rows x columns processing elements over any `Mac`.

Output-stationary: sums stay, operands a move right and b down; a tile of `last`
gives rows x columns words, a row at a time. Weight-stationary: weights stay (the
next ones load behind them), operands move right and sums down; each operand row
gives a word a column. Operands enter skewed by registers inside, so that whoever
drives an array gives whole rows and takes whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fxp.bits import where
from fxp.circuit import Circuit, trace
from fxp.format import check_integer
from verilog import syntax as v
from verilog.body import Body
from verilog.design import Design, Words
from verilog.header import header
from verilog.lower import Lowering, width_of
from verilog.mac_unit import start_and_last
from verilog.macs import Mac
from verilog.module import CLOCK, VALID_IN, VALID_OUT, Module, Port, combinational, finished
from verilog.stimulus import operand_columns

__all__ = ["LARGEST", "output_stationary", "weight_stationary"]

LARGEST = 32  # rows, columns

OUTPUT_DOC = """Takes, a cycle, one word a for each row and one word b for each column: column k of A and
row k of B. start begins the sums of a tile, last ends them; then the array gives the
rows of A x B, the first row first, a word for each column. Lasts closer together than
the longer side of the array wait."""

WEIGHT_DOC = """Takes, a cycle, up to three things. With load, one row of weights w: rows shift down, so
the last row is loaded first. With swap, the weights loaded by earlier words become the
active ones. With go, one word a for each row (they meet the active weights) and the
words init at which the sums of the columns begin; the answer has a word for each
column."""


def output_stationary(name: str, summary: str, mac: Mac, rows: int, columns: int,
                      settings: Mapping[str, str], memories: bool = False) -> Design:
    """Return the array whose sums stay; its answers are those of the engine's kernel."""
    _check_size(rows, columns)
    circuit = _output_step(name, mac)
    pe = _output_element(f"{name}_pe", circuit, mac, memories)
    flags = (Port("i_start", 1), Port("i_last", 1))
    a, b, out = _bus("i_a", mac.a, rows), _bus("i_b", mac.b, columns), _bus(
        "o_out", mac.out, columns)
    ports = (*CLOCK, *VALID_IN, *flags, a, b, *VALID_OUT, out)
    body = _top_body(ports)
    _wire_output_array(body, pe, mac, rows, columns)
    text = header(name, summary, OUTPUT_DOC, settings, None, circuit, mac.spec)
    inputs = {"start": (0, 1), "last": (0, 1), "a": mac.a.words, "b": mac.b.words}
    lanes = {"a": (rows, _bits(mac.a)), "b": (columns, _bits(mac.b)),
             "out": (columns, _bits(mac.out))}

    def stimulus(count: int, seed: int) -> Words:
        return {**start_and_last(count, seed), **_rows_of(inputs, lanes, ("a", "b"), count, seed)}

    return Design(name, summary, (pe, finished(name, text, ports, body, {})), inputs,
                  {"out": mac.out.words}, lambda words: _tiles(words, mac), stimulus, circuit,
                  settings, clocked=True, latency=None, lanes=lanes)


def weight_stationary(name: str, summary: str, mac: Mac, rows: int, columns: int,
                      settings: Mapping[str, str], memories: bool = False) -> Design:
    """Return the array whose weights stay; its answers are those of the engine's kernel."""
    _check_size(rows, columns)
    circuit = _weight_step(name, mac)
    pe = _weight_element(f"{name}_pe", circuit, mac, memories)
    begin, end = _ends(name, mac, memories)
    flags = (Port("i_load", 1), Port("i_swap", 1), Port("i_go", 1))
    data = (_bus("i_a", mac.a, rows), _bus("i_w", mac.b, columns),
            _bus("i_init", mac.out, columns))
    ports = (*CLOCK, *VALID_IN, *flags, *data, *VALID_OUT, _bus("o_out", mac.out, columns))
    body = _top_body(ports)
    _wire_weight_array(body, pe, begin, end, mac, rows, columns)
    text = header(name, summary, WEIGHT_DOC, settings, None, circuit, mac.spec)
    inputs = {"load": (0, 1), "swap": (0, 1), "go": (0, 1), "a": mac.a.words,
              "w": mac.b.words, "init": mac.out.words}
    lanes = {"a": (rows, _bits(mac.a)), **{k: (columns, _bits(f)) for k, f in (
        ("w", mac.b), ("init", mac.out), ("out", mac.out))}}

    def stimulus(count: int, seed: int) -> Words:
        rng = np.random.default_rng(seed + 2)
        chances = {"load": 0.5, "swap": 0.15, "go": 0.8}
        chosen = {k: (rng.random(count) < p).astype(np.int64) for k, p in chances.items()}
        return {**chosen, **_rows_of(inputs, lanes, ("a", "w", "init"), count, seed)}

    return Design(name, summary, (begin, end, pe, finished(name, text, ports, body, {})), inputs,
                  {"out": mac.out.words}, lambda words: _products(words, mac, rows, columns),
                  stimulus, circuit, settings, clocked=True, latency=None, lanes=lanes)


# --- processing elements


def _output_step(name: str, mac: Mac) -> Circuit:
    def step(start, a, b, **state):
        before = tuple(where(start, empty, old) for empty, old in zip(mac.zero, state.values()))
        after = mac.step(before, a, b)
        return (*after, mac.finish(after))

    return trace(step, {"start": (0, 1), "a": mac.a.words, "b": mac.b.words, **mac.state},
                 outputs=[*(f"next_{k}" for k in mac.state), "out"], name=name)


def _weight_step(name: str, mac: Mac) -> Circuit:
    def step(swap, shadow, active, a, **sums):
        weight = where(swap, shadow, active)
        return (*mac.step(tuple(sums.values()), a, weight), weight)

    words = {"shadow": mac.b.words, "active": mac.b.words, "a": mac.a.words}
    return trace(step, {"swap": (0, 1), **words, **mac.state},
                 outputs=[*(f"next_{k}" for k in mac.state), "weight"], name=name)


def _output_element(name: str, circuit: Circuit, mac: Mac, memories: bool) -> Module:
    """Return the element that keeps its sum and passes its operands on."""
    passed = {"valid": 1, "start": 1, "last": 1, "a": _bits(mac.a), "b": _bits(mac.b)}
    ports = (*CLOCK, Port("i_enable", 1), *(Port(f"i_{k}", w) for k, w in passed.items()),
             *(Port(f"o_{k}", w, True) for k, w in passed.items()),
             Port("o_out", _bits(mac.out), True))
    body = _top_body(ports)
    sums = {k: body.reg(k, width_of(*span)) for k, span in mac.state.items()}
    lowering = Lowering(circuit, body, {**{k: f"i_{k}" for k in circuit.inputs}, **sums},
                        memories=name if memories else "")
    moves = [v.nonblocking(r, lowering.output(circuit.outputs[f"next_{k}"], body.widths[r]))
             for k, r in sums.items()]
    zeros = [v.nonblocking(r, v.constant(value, body.widths[r]))
             for r, value in zip(sums.values(), mac.zero)]
    step = body.wire("step", 1, v.binary("&", body.read("i_enable"), body.read("i_valid")))
    body.add(v.always(moves, enable=body.read(step), reset=zeros))
    held = body.reg("out_held", _bits(mac.out))
    body.add(v.always([v.nonblocking(held, lowering.output(circuit.outputs["out"],
                                                           _bits(mac.out)))],
                      enable=v.binary("&", body.read(step), body.read("i_last"))))
    _pass_on(body, passed)
    body.add(v.assign("o_out", body.read(held)))
    text = header(name, "a processing element, its sum stays", "", {}, None, circuit, mac.spec)
    return finished(name, text, ports, body, lowering.files)


def _weight_element(name: str, circuit: Circuit, mac: Mac, memories: bool) -> Module:
    """Return the element that keeps its weight and adds its product to the passing sum."""
    passed = {"load": 1, "swap": 1, "go": 1, "a": _bits(mac.a)}
    sums = {k: width_of(*span) for k, span in mac.state.items()}
    word = _bits(mac.b)
    ports = (*CLOCK, Port("i_enable", 1), *(Port(f"i_{k}", w) for k, w in passed.items()),
             Port("i_w", word), *(Port(f"i_{k}", w) for k, w in sums.items()),
             *(Port(f"o_{k}", w, True) for k, w in passed.items()),
             Port("o_w", word, True), *(Port(f"o_{k}", w, True) for k, w in sums.items()))
    body = _top_body(ports)
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


def _ends(name: str, mac: Mac, memories: bool) -> tuple[Module, Module]:
    """Return the modules that turn a word into a sum, and a sum into a word."""
    begin = trace(lambda init: mac.start(init), {"init": mac.out.words},
                  outputs=list(mac.state), name="start")
    end = trace(lambda **sums: mac.finish(tuple(sums.values())), mac.state, name="finish")
    sums = {k: width_of(*span) for k, span in mac.state.items()}
    word = _bits(mac.out)
    made = []
    for part, circuit, ports in (
            ("start", begin, (Port("i_init", word),
                              *(Port(f"o_{k}", w, True) for k, w in sums.items()))),
            ("finish", end, (*(Port(f"i_{k}", w) for k, w in sums.items()),
                             Port("o_out", word, True)))):
        text = header(f"{name}_{part}", f"the {part} of a sum", "", {}, 0, circuit, mac.spec)
        made.append(combinational(f"{name}_{part}", text, circuit, ports, memories))
    return made[0], made[1]


# --- arrays


def _wire_output_array(body: Body, pe: Module, mac: Mac, rows: int, columns: int):
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
    answer = [_any(v.binary("&", v.repeat(body.read(done[r]), _bits(mac.out)),
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


def _wire_weight_array(body: Body, pe: Module, begin: Module, end: Module, mac: Mac, rows: int,
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
        word = body.wire(f"word_{c}", _bits(mac.out))
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
    bits = _bits(f)
    return body.wire(f"{port[2:]}_{index}", bits,
                     body.read(port, (index + 1) * bits - 1, index * bits))


def _any(terms):
    terms = list(terms)
    total = terms[0]
    for term in terms[1:]:
        total = v.binary("|", total, term)
    return total


def _top_body(ports) -> Body:
    body = Body(p.name for p in ports)
    for port in ports:
        if not port.output:
            body.declare(port.name, port.width)
    body.read("i_clk")
    body.read("i_rst")
    return body


def _bus(name: str, f, count: int) -> Port:
    return Port(name, _bits(f) * count, name.startswith("o_"), f"{count} words {f}")


def _bits(f) -> int:
    return width_of(*f.words)


def _check_size(rows: int, columns: int):
    check_integer("rows", rows, 1, LARGEST)
    check_integer("columns", columns, 1, LARGEST)


# --- models and words to try


def _rows_of(inputs, lanes, ports, count: int, seed: int) -> Words:
    columns = operand_columns({f"{p}_{k}": inputs[p] for p in ports for k in range(lanes[p][0])},
                              count, seed)
    return {p: np.stack([columns[f"{p}_{k}"] for k in range(lanes[p][0])], axis=1)
            for p in ports}


def _tiles(words: Words, mac: Mac) -> Words:
    """Return the rows of A x B for each `last`, sums since the `start`."""
    starts = np.maximum.accumulate(np.where(words["start"], np.arange(words["start"].size), 0))
    answers = [np.zeros((0, words["b"].shape[1]), np.int64)]
    for end in np.flatnonzero(words["last"]):
        part = slice(starts[end], end + 1)
        answers.append(mac.multiply(words["a"][part].T, words["b"][part],
                                    np.array([[mac.zero_word]])))
    return {"out": np.concatenate(answers)}


def _products(words: Words, mac: Mac, rows: int, columns: int) -> Words:
    """Return init + a x weights for each word with `go`."""
    shadow = np.full((rows, columns), mac.zero_word, np.int64)
    active, answers, went = shadow, [], []

    def flush():
        if went:
            answers.append(mac.multiply(words["a"][went], active, words["init"][went]))
            went.clear()

    for i in range(len(words["go"])):
        if words["swap"][i]:
            flush()
            active = shadow
        if words["go"][i]:
            went.append(i)
        if words["load"][i]:
            shadow = np.vstack([words["w"][i][None, :], shadow[:-1]])
    flush()
    return {"out": np.concatenate(answers or [np.zeros((0, columns), np.int64)])}
