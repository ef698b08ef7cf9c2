"""lnsarith rtl list|gen|lint|sim|prove|synth|net|trainer|front: Verilog from specs."""

from __future__ import annotations

import importlib
import json
from argparse import ArgumentParser, Namespace

from fxp.format import check_integer
from lnsarith.commands.rtl.design import add_design, design_of

__all__ = ["options"]

OTHERS = {
    "sim": ("simulate a design against the compiled kernel", "rtl.sim"),
    "prove": ("prove a design and its operator for all inputs", "rtl.prove"),
    "synth": ("count gates, LUTs and MHz", "rtl.synth"),
    "net": ("write a trained network as one inference core", "rtl.net"),
    "trainer": ("write a perceptron that trains itself", "rtl.trainer"),
    "front": ("compare whole networks: accuracy, cells, images a second", "rtl.front.command"),
}


def options(parser: ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(metavar="list|gen|lint|sim|prove|synth|net|trainer|front",
                                    required=True)
    listed = actions.add_parser("list", help="list what can be generated")
    listed.add_argument("--json", action="store_true", help="print one JSON object")
    listed.set_defaults(run=run_list)
    _gen_options(actions.add_parser("gen", help="write Verilog"))
    _lint_options(actions.add_parser("lint", help="check the Verilog with three readers"))
    for name, (summary, module) in OTHERS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        command = importlib.import_module(f"lnsarith.commands.{module}")
        command.options(action)
        action.set_defaults(run=command.run)


def _gen_options(parser: ArgumentParser) -> None:
    add_design(parser)
    parser.add_argument("--out", metavar="DIR",
                        help="folder to write (default rtl/<design>), or - for stdout")
    parser.add_argument("--c", action="store_true",
                        help="print the design as a function of C99 instead")
    parser.add_argument("--vectors", type=int, default=1000, metavar="N",
                        help="golden vectors (default 1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the vectors")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_gen)


def _lint_options(parser: ArgumentParser) -> None:
    add_design(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_lint)


def run_list(args: Namespace) -> int:
    """Print a line for each design, or with args.json {"designs": [rows]}."""
    from verilog.catalogue import rows

    if args.json:
        print(json.dumps({"designs": rows()}))
        return 0
    lines = [("design", "operands", "computes", "options and their defaults")]
    lines += [(r["name"], " ".join(r["operands"]), r["computes"],
               " ".join(f"{o['name']}={o['default']}" for o in r["options"])) for r in rows()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    return 0


def run_gen(args: Namespace) -> int:
    """Write the folder of a design, or its Verilog to stdout."""
    from verilog.design.package import write_package

    check_integer("vectors", args.vectors, 1, 1 << 20)
    check_integer("seed", args.seed, 0, 2**31)
    design = design_of(args)
    if args.c:
        return _print_c(design, args)
    if args.out == "-":
        print("\n".join(m.text for m in design.modules), end="")
        return 0
    folder = args.out or f"rtl/{design.name}"
    files = write_package(design, folder, args.vectors, args.seed)
    answer = {"design": design.name, "folder": str(folder), "latency": design.latency,
              "clocked": design.clocked, "circuit": design.circuit.digest, "files": files}
    if args.json:
        print(json.dumps(answer))
    else:
        print(f"{folder}: {', '.join(files)}")
    return 0


def _print_c(design, args: Namespace) -> int:
    """Print a design in C99, or write it where --out says."""
    from lnsarith.host.files.whole import write_whole
    from verilog.c99.design import design_c

    text = design_c(design)
    if args.out and args.out != "-":
        write_whole(args.out, lambda part: part.write_text(text))
    if args.json:
        print(json.dumps({"design": design.name, "circuit": design.circuit.digest,
                          "file": args.out, "c": text}))
    elif args.out in (None, "-"):
        print(text, end="")
    else:
        print(f"{args.out}: {design.name}")
    return 0


def run_lint(args: Namespace) -> int:
    """Print what the readers complain of; 1 if they do."""
    from verilog.design.lint import lint

    design = design_of(args)
    found = lint(design)
    if args.json:
        print(json.dumps({"design": design.name, "clean": not found, "complaints": found}))
    else:
        clean = "clean for iverilog -g2001, verilator -Wall and the parse-back of its ports"
        print("\n".join(found) or f"{design.name}: {clean}")
    return 1 if found else 0
