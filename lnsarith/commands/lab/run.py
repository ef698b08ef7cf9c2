"""lnsarith lab run: what labs give on a network, against the engine and against lab 0."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnsarith.commands.common.options import integer
from lnsarith.commands.lab.networks import open_network

if TYPE_CHECKING:
    from verilog.soc.labs import Lab
    from verilog.soc.run import LabReport

__all__ = ["run"]

MOST_IMAGES = 100


def run(args: Namespace) -> int:
    """Run the labs of args and print what they give; 1 if a word is not the engine's."""
    from lnsarith.catalogue.bench.plot import require_writable

    count = integer("images", args.images)
    if not 1 <= count <= MOST_IMAGES:
        raise ValueError(f"images must be 1..{MOST_IMAGES}, got {count}")
    limit = integer("cycles", args.cycles)
    if limit < 1:
        raise ValueError(f"cycles must be 1 or more, got {limit}")
    own = _own(args)
    if args.plot:
        require_writable(args.plot)
    network = open_network(args, count)
    labs = _labs(args.labs, network.kind)
    if own and len(labs) != 1:
        raise ValueError("--own takes the place of one lab's unit: give one lab")
    results = [_result(args, lab, network, own, limit) for lab in _with_base(labs, own)]
    base = sum(results[0]["cycles"]) if results[0]["lab"] == 0 else 0
    for result in results:
        total = sum(result["cycles"])
        result["speed_up"] = round(base / total, 3) if base and result["equal"] and total else None
    answer = {"run": network.folder, "dataset": network.dataset, "arith": network.kind,
              "images": count, "classes": network.classes, "scores": network.scores,
              "layers": network.layers, "products": network.products, "labs": results,
              "tools": _tools(results), "plot": args.plot}
    if args.plot:
        from lnsarith.commands.lab.plot import draw

        draw(args.plot, answer)
    print(json.dumps(answer) if args.json else "\n".join(_lines(answer)))
    return 0 if all(r["equal"] for r in results) else 1


def _own(args: Namespace) -> dict[str, str] | None:
    """Return the Verilog of a student's own unit, by file name."""
    if not args.own:
        return None
    path = Path(args.own)
    text = path.read_text()
    if "module Cfu" not in " ".join(text.split()):
        raise ValueError(f"{path} must have a module Cfu with the ports cmd_* and rsp_*; "
                         "lnsarith rtl gen fixed-mac-unit --cfu writes one to begin with")
    return {path.name if path.suffix == ".v" else "own.v": text}


def _labs(given: list[str], kind: str) -> list[Lab]:
    """Return the labs that are asked for, in order; ValueError for what there is not."""
    from verilog.soc.labs import LABS, suits

    numbers = [n for n in LABS if suits(LABS[n], kind)] if given == ["all"] else [
        integer("lab", text) for text in given]
    for n in numbers:
        if n not in LABS:
            raise ValueError(f"there is no lab {n}; there are {', '.join(map(str, LABS))}")
        if not suits(LABS[n], kind):
            raise ValueError(f"lab {n} takes another kind of network than {kind}: " + (
                "give a run of lns or minselect arithmetic" if n == 5 else
                "give a folder of lnsarith quantize"))
    return [LABS[n] for n in dict.fromkeys(numbers)]


def _with_base(labs: list[Lab], own) -> list[Lab]:
    """Return the labs with lab 0 before them, which they are compared with."""
    from verilog.soc.labs import LABS

    return labs if own or labs[0].number == 0 else [
        LABS[0], *(lab for lab in labs if lab.number != 0)]


def _result(args: Namespace, lab: Lab, network, own, limit: int) -> dict[str, Any]:
    """Return what a lab gave, with its cost."""
    from verilog.soc.cost import unit_cost
    from verilog.soc.run import run_lab

    print(f"lab {lab.number}: {lab.title}", file=sys.stderr, flush=True)
    report = run_lab(lab, network.data, own, args.emulate, limit)
    right = report.difference is None and report.scores == network.scores
    cost = None
    if lab.unit and not (args.no_cost or own or args.emulate):
        print(f"lab {lab.number}: LUTs and MHz, once for a unit (minutes; --no-cost leaves them "
              "out)", file=sys.stderr, flush=True)
        cost = unit_cost(lab, network.data)
    return {"lab": lab.number, "title": lab.title, "equal": right, "scores": report.scores,
            "cycles": report.layer_cycles, "difference": _difference(report), "cost": cost,
            "seconds_build": round(report.seconds_build, 2),
            "seconds_run": round(report.seconds_run, 2)}


def _difference(report: LabReport) -> dict | None:
    return vars(report.difference) if report.difference else None


def _tools(results: list[dict]) -> str | None:
    return next((r["cost"]["tools"] for r in results if r["cost"]), None)


def _lines(answer: dict) -> list[str]:
    """Return the answer for a person."""
    labs = answer["labs"]
    classes = " ".join(map(str, answer["classes"]))
    lines = [f"{answer['run']} on {answer['dataset']}, {answer['arith']}, "
             f"{answer['images']} test images: the engine says {classes}", ""]
    names = answer["layers"]
    heads = ["lab", *names, "all", "of lab 0", "LUT4", "MHz"]
    rows = [heads, *(_row(r, len(names)) for r in labs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += ["  ".join(map(str.rjust, row, widths)) for row in rows]
    lines += ["", *(f"lab {r['lab']}: {r['title']}; {_verdict(r)}" for r in labs)]
    if answer["tools"]:
        lines += ["", f"cycles of the last image, a layer and all; LUT4s and MHz of the unit alone "
                  f"on ECP5 ({answer['tools']})"]
    return lines + ([f"drawn in {answer['plot']}"] if answer["plot"] else [])


def _row(r: dict, layers: int) -> list[str]:
    cost = r["cost"] or {}
    cells = [f"{c:,}" for c in r["cycles"]]
    cells += ["" for _ in range(layers - len(cells))]  # what an early end left out
    up = f"{r['speed_up']:.2f}x" if r["speed_up"] else ""
    return [str(r["lab"]), *cells, f"{sum(r['cycles']):,}", up,
            f"{cost['luts']:,}" if cost else "", f"{cost['mhz']:g}" if cost else ""]


def _verdict(r: dict) -> str:
    if r["equal"]:
        return "every word of every layer is the engine's"
    d = r["difference"]
    if not d:
        return "its scores are not the engine's"
    return (f"first differs in layer {d['layer']}, image {d['image']}, word {d['word']}: "
            f"{d['got']}, should be {d['expected']}")
