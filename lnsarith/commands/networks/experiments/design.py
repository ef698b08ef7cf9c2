"""lnsarith design delta: the best Delta method for sums of products at a budget."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.networks.train.epochs import say

__all__ = ["options"]

CELLS = 40  # as many as the published table has
REGISTER = 8  # fraction bits of a register by default, at least


def options(parser: ArgumentParser) -> None:
    """Add the action delta with its options."""
    actions = parser.add_subparsers(metavar="delta", required=True)
    delta = actions.add_parser("delta", help="find cells of D+ and D- with the least error of "
                               "long sums of products")
    delta.add_argument("--bits", metavar="B", required=True, help="bits of a word")
    delta.add_argument("--frac", metavar="F", help="fraction bits of its log (default B - 6)")
    delta.add_argument("--guard", metavar="BITS", help="more fraction bits in the register of a "
                       f"sum (default 2, or as many as make {REGISTER} fraction bits)")
    delta.add_argument("--entries", metavar="N", help="most cells of D+ and D- together (default "
                       f"{CELLS}, as the published table has, without --gates)")
    delta.add_argument("--gates", metavar="G", help="most gates of a multiply-accumulate unit, as "
                       "lnsarith rtl synth lns-mac-unit counts them")
    delta.add_argument("--seed", metavar="N", default="0", help="of the operands of the sums")
    delta.add_argument("--out", metavar="FILE", required=True, help="write the method as JSON, "
                       "for --delta file:FILE")
    delta.add_argument("--plot", metavar="FILE", help="draw D+, D- and the cells")
    add_figure(delta)
    delta.add_argument("--json", action="store_true", help="print one JSON object")
    delta.set_defaults(run=_delta)


def _delta(args: Namespace) -> int:
    """Search, write args.out, and print what was found; FormatError for what cannot be."""
    from fxp.format import FormatError
    from fxp.text.numbers import whole
    from lnsarith.delta.design.search import Designer
    from lnsarith.delta.file import write_design
    from lnsarith.host import picture
    from lnsarith.host.files.whole import require_writable

    if args.entries is not None and args.gates is not None:
        raise FormatError("give --entries or --gates, not both")
    f, guard = _words(args)
    seed = whole("seed", args.seed, 0, (1 << 32) - 1)
    cells = whole("entries", args.entries or str(CELLS))
    most = whole("gates", args.gates, 1, 1 << 31) if args.gates is not None else None
    require_writable(args.out)
    if args.plot:
        picture.require_writable(args.plot)
    designer = Designer(f.frac, guard, seed)
    if most is None:
        found = designer.of_cells(cells)
    else:
        found = designer.of_gates(most, lambda method: _gates(method, f, guard),
                                  lambda tried: say(_line(tried)))
    told = {**found.as_dict(), "seed": seed, "budget": {"gates": most} if most else
            {"entries": cells}}
    write_design(args.out, found.method, f.bits, f.frac, guard, told)
    if args.plot:
        from lnsarith.delta.design.picture import draw

        draw(args.plot, found.method, f.frac + guard,
             f"{found.cells} cells for {f} with {guard} guard bits")
    if args.json:
        print(json.dumps({"format": str(f), "guard": guard, **told, "out": args.out,
                          "plot": args.plot, "delta": f"file:{args.out}"}))
        return 0
    exact = designer.exact()
    print(f"{f}, {guard} guard bits: {_line(found)}; exact D {exact[0]:.4f} and {exact[1]:.4f}")
    print(f"written to {args.out}: --delta file:{args.out} --guard {guard} --arith {f}")
    if args.plot:
        print(f"drawn in {args.plot}")
    return 0


def _words(args: Namespace):
    """Return the format of a word and the guard bits of its register."""
    from fxp.text.numbers import whole
    from lnsarith.lns.format import Lns

    bits = whole("bits", args.bits, 4, 32)
    frac = max(bits - 6, 0) if args.frac is None else whole("frac", args.frac, 0, bits - 2)
    guard = max(2, REGISTER - frac) if args.guard is None else whole("guard", args.guard, 0, 16)
    return Lns(bits, frac), guard


def _gates(method, f, guard: int) -> tuple[int, int]:
    """Return gates and depth of the multiply-accumulate unit with a method."""
    from verilog.catalogue import design
    from verilog.cost.synth import synthesise

    cost = synthesise(design("lns-mac-unit", str(f), {"delta": method, "guard": str(guard)}))
    return cost.gates, cost.depth


def _line(found) -> str:
    gates = f"{found.gates:,} gates, " if found.gates else ""
    return (f"{found.cells} cells, {gates}error of long sums {found.long:.4f}, of five terms "
            f"{found.few:.4f}, gain {found.gain:.3f}")
