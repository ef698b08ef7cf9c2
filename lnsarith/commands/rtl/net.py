"""lnsarith rtl net: a trained network as one inference core."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from fxp.text.numbers import whole
from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import add_data, add_own, thread_count
from lnsarith.commands.rtl.core.claims import add_claims
from lnsarith.commands.rtl.core.source import open_source

if TYPE_CHECKING:
    from lnsarith.commands.rtl.core.source import Source
    from verilog.core.inference.core import Core

__all__ = ["core_for", "options", "run"]

MOST_GOLDEN = 64  # images


def options(parser: ArgumentParser) -> None:
    """Add the run, the shape of the core, and what to do with it."""
    parser.epilog = ("Lanes are outputs x images. --pipeline puts registers into the loop of "
                     "the sums and takes as many sums in turn, with the same words; images of "
                     "a batch run at once, fewer do with i_last.")
    parser.add_argument("run_folder", metavar="RUN", help="a folder that train made")
    parser.add_argument("--parallel", metavar="P",
                        help="lanes (default 16, or the outputs of the widest layer)")
    parser.add_argument("--images", metavar="B",
                        help="images that run at once (default: what wastes least)")
    parser.add_argument("--pipeline", metavar="L", default="1",
                        help="registers in the loop of a sum, and sums in turn (default 1)")
    parser.add_argument("--out", metavar="DIR", help="folder to write (default rtl/<name>)")
    parser.add_argument("--name", metavar="NAME", help="of the top module (default net_<run>)")
    parser.add_argument("--golden", metavar="N", help="golden images (default: a batch)")
    parser.add_argument("--waves", action="store_true",
                        help="draw waves.png and timeline.png of an image (Verilator)")
    add_figure(parser)
    parser.add_argument("--simulate", metavar="N",
                        help="run N test images through Verilator and compare every logit with "
                        "the engine's; nothing is written without --out")
    parser.add_argument("--gaps", metavar="N", default="0",
                        help="of 256, how often simulated pixels and answers wait (default 0)")
    parser.add_argument("--threads", metavar="N",
                        help="instances that share the images of --simulate (default: as many "
                        "as processors)")
    parser.add_argument("--synth", choices=("ecp5",),
                        help="count cells, block memories and multipliers of an ECP5-85k")
    parser.add_argument("--place", action="store_true",
                        help="with --synth: place it too, with three seeds: MHz, images/s")
    add_claims(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)
    add_own(parser)


def run(args: Namespace) -> int:
    """Write the folder of a core, simulate, prove, count its cells; 1 if a word differs or a
    claim is not proved."""
    from fxp.format import FormatError

    if args.place and not args.synth:
        raise FormatError("--place places what --synth made: give --synth ecp5 too")
    source = open_source(args.run_folder)
    core = _core(args, source)
    if args.synth:
        from verilog.cost.cores import require_room

        require_room(core)
    answer: dict = {"run": source.folder, **source.about}
    verdict = _simulated(args, core, source)
    proofs = _proved(core, args.seconds) if args.prove else None
    if args.out or not (args.simulate or args.synth or args.prove):
        answer |= _written(args, core, source)
    answer["report"] = _report(core)
    if verdict:
        answer["simulation"] = verdict
    if proofs is not None:
        answer["proofs"] = proofs
    if args.synth:
        from verilog.cost.cores import core_cost

        answer["cost"] = core_cost(core, args.place, lambda text: print(text, file=sys.stderr))
    print(json.dumps(answer) if args.json else _text(answer))
    unproved = any(not p["passed"] for p in proofs or ())
    return 1 if unproved or verdict and not verdict["equal"] else 0


def _proved(core: Core, seconds: str) -> list[dict]:
    from lnsarith.commands.rtl.core.claims import proved
    from verilog.invariants.inference.control import control_of

    return proved(control_of(core), seconds)


def _core(args: Namespace, source: Source) -> Core:
    """Return the core of a network in the shape that is asked for."""
    lanes = whole("parallel", args.parallel, 1, 4096) if args.parallel else None
    batch = whole("images", args.images, 1, 1 << 16) if args.images else None
    pipeline = whole("pipeline", args.pipeline, 1, 64)
    return core_for(source, pipeline, lanes, batch, args.name)


def core_for(source: Source, pipeline: int, lanes: int | None = None, batch: int | None = None,
             name: str | None = None) -> Core:
    """Return the core of a network with so many registers in the loop; by default 16 lanes, or
    as many as the widest layer has outputs, and the batch that wastes least."""
    from verilog.core.inference.core import inference_core
    from verilog.core.inference.schedule import choose_schedule
    from verilog.design.name import check_name

    arithmetic = source.arithmetic
    forms = [layer.shape for layer in source.layers]
    lanes = lanes or min(16, max(f.outputs for f in forms))
    s = choose_schedule(forms, lanes, pipeline, batch,
                        (arithmetic.sums.row_bits, arithmetic.number.bits),
                        1 if arithmetic.sums.start else 0, arithmetic.packed,
                        tuple(x.numbers for x in source.layers if x.numbers))
    return inference_core(check_name(name) if name else _name(source.label, s), arithmetic,
                          source.layers, s)


def _name(label: str, s) -> str:
    """Return the name of a core: sizes, arithmetic, lanes, registers."""
    import re

    from lnsarith.host.files.naming import digested
    from verilog.design.name import LONGEST

    numbers = "_".join(map(str, [s.pixels, *(f.outputs for f in s.forms)]))
    text = f"net_{numbers}_{label}_p{s.lanes}_l{s.slots}"
    name = re.sub(r"\W", "_", text)
    return name if len(name) <= LONGEST else digested(name, text, LONGEST, "_")


def _images(args: Namespace, source: Source, count: int):
    """Return test images (rows of pixels), and the engine's words: logits, then class."""
    from fxp.format import FormatError
    from lnsarith.commands.networks.eval.answer import images_for
    from nets.network.evaluation import flat

    images = flat(images_for(args, Path(source.folder), source.dataset, source.data).test_images)
    if not 1 <= count <= len(images):
        raise FormatError(f"images of the test set must be 1..{len(images)}, got {count}")
    return images[:count], source.answers(images[:count])


def _simulated(args: Namespace, core: Core, source: Source) -> dict | None:
    if not args.simulate:
        return None
    from verilog.core.check import check_core

    count = whole("simulate", args.simulate, 1, 1 << 20)
    gaps = whole("gaps", args.gaps, 0, 255)
    threads = thread_count(args.threads)
    start = time.perf_counter()
    images, words = _images(args, source, count)
    verdict = check_core(core, images, words, gaps, threads=threads).as_dict()
    return {**verdict, "seconds": round(time.perf_counter() - start, 2)}


def _written(args: Namespace, core: Core, source: Source) -> dict:
    """Write the folder; return its name and files."""
    from verilog.core.package import load_words, require_free, write_core

    folder = Path(args.out or f"rtl/{core.name}")
    require_free(folder.absolute())
    count = whole("golden", args.golden, 1, MOST_GOLDEN) if args.golden else min(
        core.schedule.batch, MOST_GOLDEN)
    images, words = _images(args, source, count)
    pictures = _pictures(core, images) if args.waves else {}
    files = write_core(core, folder, source.about, images, words,
                       load_words(core, source.words), pictures)
    return {"folder": str(folder), "files": files}


def _pictures(core: Core, images) -> dict:
    """Return what draws the core's pictures, by file name."""
    from verilog.core.picture import draw_waves, drawn_trace
    from verilog.core.report import draw_timeline

    trace = drawn_trace(core, images)
    return {"timeline.png": lambda path: draw_timeline(core, trace, path),
            "waves.png": lambda path: draw_waves(core, trace, path)}


def _report(core: Core) -> dict:
    from verilog.core.report import report

    return report(core)


def _text(answer: dict) -> str:
    from verilog.core.report import text

    lines = [text(answer["report"])]
    if "simulation" in answer:
        v = answer["simulation"]
        verdict = ("all equal the engine's" if v["equal"] else
                   f"{v['wrong_words']:,} words and {v['wrong_classes']:,} classes are wrong"
                   + (", it got stuck" if v["stuck"] else ""))
        lines += ["", f"{v['images']:,} images, {v['words']:,} logits in Verilator: {verdict}",
                  f"{v['clocks_image']:,.1f} clocks an image; {v['seconds']:.1f} s with the "
                  f"engine's answers: build {v['seconds_build']:.1f} s, run "
                  f"{v['seconds_run']:.1f} s in {v['instances']} instance"
                  + ("s" if v["instances"] > 1 else "")]
        if v["first_wrong"]:
            image, logit, got, wanted = v["first_wrong"]
            lines.append(f"image {image}, logit {logit}: {got:#x}, should be {wanted:#x}")
    if "cost" in answer:
        from verilog.cost.cores import cost_text

        lines += ["", cost_text(answer["cost"], answer["report"])]
    if "proofs" in answer:
        from lnsarith.commands.rtl.core.claims import told

        lines += ["", *told(answer["proofs"])]
    if "folder" in answer:
        lines += ["", f"{answer['folder']}: {', '.join(answer['files'])}"]
    return "\n".join(lines)
