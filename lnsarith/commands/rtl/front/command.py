"""lnsarith rtl front: whole networks on an FPGA, accuracy against cells and images a second."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import add_data
from lnsarith.commands.networks.experiments.tables import add_forms, percent, print_table
from lnsarith.commands.rtl.front.asked import LANES, ROWS

__all__ = ["options", "run"]

HEAD = ("network", "P", "L", "test %", "LUT4", "without mult.", "FF", "blocks", "mult.", "MHz",
        "cycles an image", "images/s")


def options(parser: ArgumentParser) -> None:
    """Add the data set, what is done with it, and how the rows are shown."""
    parser.epilog = ("Each row is kept as soon as it is found, with what it is made of: "
                     "interrupted, the command goes on where it was. Networks are perceptrons "
                     f"with 100 hidden units, cores have {LANES} lanes.")
    parser.add_argument("--dataset", default="mnist", help="(default mnist)")
    parser.add_argument("--epochs", metavar="N", default="5",
                        help="that every network is trained (default 5)")
    parser.add_argument("--seed", metavar="N", default="0", help="of the training (default 0)")
    parser.add_argument("--only", metavar="TEXT", default="", help="rows with this in their name")
    parser.add_argument("--no-place", action="store_true",
                        help="no MHz but of what was placed before")
    parser.add_argument("--kept", action="store_true", help="only what was found before: nothing "
                        "is trained, mapped or placed")
    parser.add_argument("--place-seeds", metavar="N,N", default="1",
                        help="seeds of placement: 1,2,3 gives medians (default 1)")
    parser.add_argument("--cache", metavar="DIR", help="where rows, networks and netlists are kept "
                        "(default front in $LNSARITH_CACHE, else in the user's cache)")
    parser.add_argument("--plot", metavar="FILE", help="draw the rows (.png, .pdf, .svg)")
    parser.add_argument("--figure-size", metavar="WxH", help="of the picture, in inches, or with "
                        "mm or cm behind it: 3.5x2.6, 89x66mm")
    parser.add_argument("--no-title", action="store_true",
                        help="leave the picture's title out")
    add_forms(parser)
    add_data(parser)


def run(args: Namespace) -> int:
    """Print a line for each network, draw them with --plot; what cannot be has its reason."""
    from fxp.format import FormatError
    from fxp.text.numbers import whole
    from lnsarith.commands.networks.train.epochs import say
    from lnsarith.commands.rtl.front.kept import Kept, default_folder
    from lnsarith.commands.rtl.front.measure import Measuring
    from lnsarith.host.picture import require_writable
    from nets.data.sets import load

    asked = [row for row in ROWS if args.only in row.name]
    if not asked:
        raise FormatError(f"no row has {args.only!r} in its name: "
                          + ", ".join(row.name for row in ROWS))
    if args.plot:
        require_writable(args.plot)
    seeds = tuple(whole("place-seeds", n, 0, 1 << 31) for n in args.place_seeds.split(","))
    measuring = Measuring(load(args.dataset, args.data_dir), whole("epochs", args.epochs, 1, 1000),
                          whole("seed", args.seed, 0, 1 << 31),
                          Kept(Path(args.cache) if args.cache else default_folder()), seeds,
                          not (args.no_place or args.kept), say, args.kept)
    rows: list[dict] = []
    try:
        for one in asked:
            rows.append(_row(measuring, one))
            say(_told(rows[-1]))
    except KeyboardInterrupt:
        if rows:
            _show(args, rows)
        raise KeyboardInterrupt(f"; {len(rows)} of {len(asked)} rows are kept in "
                                f"{measuring.kept.folder}, the same command goes on") from None
    _show(args, rows)
    return 0


def _row(measuring, one) -> dict:
    """Return a row, with its reason where it cannot be."""
    from fxp.format import FormatError
    from verilog.tools import ToolError

    try:
        return measuring.row(one)
    except (FormatError, ToolError) as error:
        return {"name": one.name, "kind": one.kind, "arith": one.arith, "lanes": LANES,
                "pipeline": one.pipeline, "failed": str(error)}


def _told(row: dict) -> str:
    """Return a row in words, as soon as it is found."""
    cells = {label: text for label, text in zip(HEAD[3:], _line(row)[3:]) if text != "-"}
    return f"{row['name']}: " + row.get("failed", ", ".join(f"{v} {k}" for k, v in cells.items()))


def _show(args: Namespace, rows: list[dict]) -> None:
    """Print the table of the rows there are, and draw them."""
    if args.plot:
        from lnsarith.commands.rtl.front.picture import draw

        draw(args.plot, rows, args.dataset)
    print_table(args, HEAD, [_line(row) for row in rows],
                {"dataset": args.dataset, "rows": rows, "plot": args.plot}, _notes(args, rows))


def _line(row: dict) -> list[str]:
    """Return the cells of a row's line, "-" for what it lacks."""
    def count(key: str, form: str = ",") -> str:
        return format(row[key], form) if key in row else "-"

    return [row["name"], str(row["lanes"]), str(row["pipeline"]),
            percent(row.get("test_accuracy")), count("lut4"), count("lut4_without_multipliers"),
            count("flip_flops"), count("block_memories"), count("multipliers"),
            count("mhz", ".1f"), count("clocks_image", ",.0f"), count("images_per_second")]


def _notes(args: Namespace, rows: list[dict]) -> list[str]:
    """Return what the numbers are, and why some are not there."""
    from lnsarith.commands.rtl.front.measure import seeds_of

    made = [row for row in rows if "failed" not in row]
    tools = next((row["tools"] for row in made), "")
    placer = next((f", {row['placer']}, {seeds_of(row)}" for row in made if "placer" in row), "")
    notes = ["", f"ECP5-85k, {tools}{placer}; networks trained {args.epochs} epochs, seed "
             f"{args.seed}; a trainer's image is a fifth of a step of its batch of 5"]
    notes += [f"{row['name']}: {row['failed']}" for row in rows if "failed" in row]
    missing = [row["name"] for row in made if "mhz" not in row]
    notes += [f"not placed: {', '.join(missing)}"] if missing else []
    return notes + ([f"drawn in {args.plot}"] if args.plot else [])
