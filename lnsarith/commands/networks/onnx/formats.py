"""lnsarith formats: the smallest words of each layer within a loss of accuracy."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from fxp.text.numbers import real
from lnsarith.commands.common.options import add_computing, add_data, add_own, integer, thread_count
from lnsarith.commands.networks.eval.imported import Imported, inputs_for, opened
from lnsarith.commands.networks.train.epochs import say

__all__ = ["options", "run"]

WIDE = {"fixed": "fixed16", "lns": "lns16"}


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("The points lost are measured, on the inputs of the search with their "
                     "standard error added, and in the end on all other test inputs. Sums of "
                     "fixed point are exact; the table has the bits that their registers need.")
    parser.add_argument("run_folder", metavar="RUN", help="a folder of import or train")
    parser.add_argument("--budget", metavar="POINTS", default="0.5",
                        help="accuracy that may be lost against float32 (default 0.5 points)")
    parser.add_argument("--family", choices=("fixed", "lns", "both"), default="fixed",
                        help="of the formats; both: the one that costs less (default fixed)")
    parser.add_argument("--objective", choices=("bits", "gates"), default="bits",
                        help="what becomes least: bits of weights and results, or gates of a MAC "
                        "times MACs (default bits)")
    parser.add_argument("--delta", metavar="METHOD", default="lut", help="how LNS sums are "
                        "approximated (default lut)")
    parser.add_argument("--images", metavar="N", default="1000", help="test inputs that the "
                        "search judges on, half of them at most (default 1000)")
    parser.add_argument("--dataset", help="labelled images to judge on")
    parser.add_argument("--out", metavar="FILE.toml", help="write the formats, which eval "
                        "--formats takes")
    parser.add_argument("--plot", metavar="FILE", help="draw the widths")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(channel_order=None)
    add_own(parser)
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Search, and print the formats of each layer and why they are no smaller."""
    from lnsarith.host.picture import require_writable
    from nets.graph.run import answers

    if args.plot:
        require_writable(args.plot)
    budget, count = real("budget", args.budget), integer("images", args.images)
    if not 0 <= budget <= 100 or count < 10:
        raise ValueError(f"budget must be 0..100 points and images 10 or more, got {budget:g} and "
                         f"{count}")
    kept = opened(args)
    x, y, test_x, test_y = _inputs(args, kept, count)
    right = (answers(kept.graph, x).reshape(len(x), -1).argmax(1) == y).astype(int)
    found = []
    for family in ("fixed", "lns") if args.family == "both" else (args.family,):
        try:
            found.append((family, *_search(args, kept, family, x, y, right, budget)))
        except ValueError as error:
            if args.family != "both":
                raise
            say(f"{family}: {error}")
    if not found:
        raise ValueError("neither family keeps the budget")
    family, best, network = min(found, key=lambda row: row[1].cost)
    floats = answers(kept.graph, test_x).reshape(len(test_x), -1).argmax(1)
    words = network.scores(test_x).argmax(1)
    result = {"run": str(kept.folder), "family": family, "objective": args.objective,
              "cost": best.cost, "budget": budget, "loss": best.loss, "trials": best.trials,
              "images": len(x), "float_accuracy": float((floats == test_y).mean()),
              "test_accuracy": float((words == test_y).mean()), "test_images": len(test_y),
              "input": str(best.choice.input), "layers": _rows(best, network)}
    if args.out:
        from nets.network.model import write_atomic

        write_atomic(Path(args.out), best.choice.text().encode())
    if args.plot:
        from nets.graph.words.picture import draw

        draw(args.plot, result)
    print(json.dumps(result, allow_nan=False) if args.json else _text(result, args.out))
    return 0


def _inputs(args: Namespace, kept: Imported, count: int):
    """Return inputs and labels to search on, up to half of the test ones, and the others, which
    judge. Training inputs would not do: a network knows them."""
    _, _, x, y, _ = inputs_for(args, kept)
    order = np.random.default_rng(0).permutation(len(y))
    first, rest = order[: min(count, len(y) // 2)], order[min(count, len(y) // 2):]
    return x[first], y[first], x[rest], y[rest]


def _search(args: Namespace, kept: Imported, family: str, x, y, right: np.ndarray,
            budget: float):
    from nets.graph.words.network import WordNetwork, reaches
    from nets.graph.words.search import COST, search
    from nets.settings.settings import Settings

    more = {"delta": args.delta} if family == "lns" else {}
    settings = Settings(arith=WIDE[family], val=0, **more)
    reach = reaches(kept.graph, x)
    network = WordNetwork.of(kept.graph, settings, thread_count(args.threads), args.backend, reach)

    def lost(scores: np.ndarray) -> float:
        gain = (scores.argmax(1) == y).astype(int) - right
        return 100 * float(-gain.mean() + gain.std() / math.sqrt(len(y)))

    return search(network, reach, lost, x, budget, COST[args.objective], say), network


def _rows(found, network) -> list[dict]:
    """Return for each layer its words, and what speaks against smaller ones."""
    items = {(item.name, item.what): item for item in found.items}
    rows, before = [], found.choice.input
    for step in network.made.products:
        weights, results = items[step.name, "weights"], items[step.name, "results"]
        sums = None
        if not network.bench.logarithmic:
            w = network.weights[step.name]
            high = float((np.abs(step.w).sum(axis=1) * before.limit).max())
            unit = before.f.eps * w.f.eps * 2.0**before.shift
            sums = 1 + max(1, math.ceil(math.log2(max(high / unit, 1))))
        rows.append({"name": step.name, "macs": step.macs,
                     "weights": str(network.weights[step.name]),
                     "results": str(found.choice.results[step.name]), "sum_bits": sums,
                     "weights_reach": weights.reach, "results_reach": results.reach,
                     "weights_less": weights.lost, "results_less": results.lost,
                     "weights_alone": {str(k): v for k, v in weights.alone.items()},
                     "results_alone": {str(k): v for k, v in results.alone.items()}})
        before = network.placed(step.out)
    return rows


def _text(result: dict, out: str | None) -> str:
    head = ("layer", "weights", "results", "sums", "reach of results", "a bit less would lose")
    rows = [head, ("input", "", result["input"], "", "", "")]
    for row in result["layers"]:
        less = ", ".join(f"{what} {row[f'{what}_less']:.2f}" for what in ("weights", "results")
                         if row[f"{what}_less"] is not None)
        rows.append((row["name"][:28], row["weights"], row["results"],
                     f"{row['sum_bits']} bits" if row["sum_bits"] else "as results",
                     f"{row['results_reach']:.4g}", less or "nothing measured"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    lost = 100 * (result["float_accuracy"] - result["test_accuracy"])
    lines += [f"{result['cost']:,.0f} {result['objective']}; {result['loss']:.2f} points lost, a "
              f"standard error among them, on {result['images']} inputs of the search, "
              f"{result['trials']} trials",
              f"test accuracy {result['test_accuracy']:.2%} of {result['test_images']:,}, float32 "
              f"{result['float_accuracy']:.2%}: {lost:.2f} points lost (budget "
              f"{result['budget']:g})"]
    return "\n".join(lines + ([out] if out else []))
