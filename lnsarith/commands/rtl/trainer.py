"""lnsarith rtl trainer: a perceptron that trains itself in hardware, judged by the engine."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.format import FormatError, check_integer
from lnsarith.commands.common.options import (
    ONE_RUN,
    add_data,
    add_own,
    add_settings,
    given_settings,
)
from lnsarith.commands.rtl.core.claims import add_claims

__all__ = ["options", "run"]

MOST_LOOP = 16
LONGEST = 44  # letters of a name, which leave room for those of its modules within 64


def options(parser: ArgumentParser) -> None:
    """Add RUN, the settings of train, and what the core is like."""
    parser.add_argument("run_folder", metavar="RUN", nargs="?",
                        help="a folder that lnsarith train made: the core goes on from its words "
                        "(default: the settings below, from the first words)")
    group = parser.add_argument_group("the core")
    group.add_argument("--parallel", type=int, metavar="P",
                       help="lanes side by side (default: of 8 to 16, which wastes least)")
    group.add_argument("--pipeline", type=int, metavar="L", default=2,
                       help="registers in the loop of each lane (default 2)")
    group.add_argument("--simulate", metavar="STEPS", help="train for so many steps, or all, in "
                       "Verilator and in the engine, and compare all words; exit 1 if they differ")
    group.add_argument("--synth", choices=("ecp5",), help="count LUTs, flip-flops, block memories "
                       "and multipliers on an ECP5-85k")
    group.add_argument("--place", action="store_true", help="with --synth: place it too, with "
                       "three seeds: MHz")
    add_claims(group)
    group.add_argument("--out", metavar="DIR", help="folder to write (default rtl/NAME)")
    group.add_argument("--name", metavar="NAME", help="of the top module and the folder (default: "
                       "what the trainer is)")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(group)
    add_own(group)
    add_settings(parser, defaults=ONE_RUN)


def run(args: Namespace) -> int:
    """Write the folder of a trainer; 1 if its simulation differs from the engine."""
    from lnsarith.commands.rtl.learning import learning_of
    from lnsarith.commands.rtl.training import Training
    from verilog.design.name import check_name
    from verilog.trainer.core import core
    from verilog.trainer.cost import trainer_cost
    from verilog.trainer.package import require_free, write_trainer
    from verilog.trainer.plan.cycles import best_lanes

    steps = _steps(args.simulate)
    if args.place and not args.synth:
        raise FormatError("--place goes with --synth ecp5")
    check_integer("pipeline", args.pipeline, 1, MOST_LOOP)
    trainer = _trainer(args)
    learning = learning_of(trainer, trainer.network.ar.step)
    lanes = best_lanes(learning, args.pipeline) if args.parallel is None else args.parallel
    check_integer("parallel", lanes, 1, max(learning.sizes[1:]), " (the outputs of a layer)")
    name = check_name(args.name) if args.name else _name(trainer, learning, lanes, args.pipeline)
    made = core(name, learning, lanes, args.pipeline)
    folder = Path(args.out or f"rtl/{name}")
    require_free(folder)
    training = Training(trainer, made)
    golden = training.golden()
    measured, model = training.simulated(steps) if steps else ({}, None)
    differ = measured.get("differ", 0)
    proofs = _proved(made, args.seconds) if args.prove else []
    cost = trainer_cost(made, args.place) if args.synth and not differ else None
    files = [] if differ else write_trainer(made, folder, golden, measured, model, cost)
    answer = {"trainer": name, "folder": str(folder) if files else None,
              "recipe": trainer.settings.recipe, "lanes": lanes,
              "loop": args.pipeline, "words": made.geometry.words, **measured, "cost": cost,
              "files": files, **({"proofs": proofs} if args.prove else {})}
    print(json.dumps(answer) if args.json else _told(answer))
    return 1 if differ or not all(p["passed"] for p in proofs) else 0


def _proved(core, seconds: str) -> list[dict]:
    from lnsarith.commands.rtl.core.claims import proved
    from verilog.invariants.trainer import control_of_trainer

    return proved(control_of_trainer(core), seconds)


def _steps(text: str | None) -> int:
    """Return the steps to simulate, 0 for none and -1 for all."""
    from fxp.text.numbers import whole

    if text is None:
        return 0
    if text == "all":
        return -1
    steps = whole("simulate", text)
    check_integer("simulate", steps, 1, 1 << 31, " or all")
    return steps


def _trainer(args: Namespace):
    """Return the engine's trainer, fresh or as a run left it."""
    from lnsarith.commands.networks.eval.model import open_run
    from lnsarith.commands.rtl.learning import demand_made
    from nets.network.model import RunError
    from nets.settings.suited import settings_for, with_recipe
    from nets.train.run import facts
    from nets.train.trainer import Trainer

    given = given_settings(args)
    kept = open_run(args) if args.run_folder else None
    if kept and given:
        raise FormatError(f"{next(iter(given))} is the run's: leave it out, or leave {kept.folder} "
                          "out")
    settings = kept.settings if kept else settings_for(with_recipe(given))
    demand_made(settings)
    if settings.transfer and not kept:
        raise FormatError("the trainer core has no transfer yet; train one epoch and give its run")
    dataset = _dataset(args, settings.dataset, kept)
    if kept and facts(dataset) != kept.data:
        raise RunError(f"{kept.folder} was trained on other images of {settings.dataset} than "
                       "those found now; give the same --data-dir, or --data")
    trainer = Trainer(settings, dataset, 1, "vector")
    if kept:
        trainer.epoch = kept.load(trainer.network)
        if trainer.network.masks:
            raise FormatError("the trainer core has no pruned networks yet; give a run of "
                              "lnsarith train")
    return trainer


def _dataset(args: Namespace, name: str, kept):
    """Return the data set of a name, or of a run the user's own."""
    from nets.data.files import as_dataset, load_own
    from nets.data.own import OWN
    from nets.data.sets import load

    own = kept is not None and name == OWN
    if bool(args.data) != own:
        raise FormatError(f"{kept.folder} was trained on data of its own; give --data" if own else
                          "--data goes with a run that was trained on data of its own")
    return as_dataset(load_own(args.data, tuple(kept.data["shape"][:2]), label=args.label)) \
        if own else load(name, args.data_dir)


def _name(trainer, learning, lanes: int, loop: int) -> str:
    """Return what a trainer is called: its sizes, format, lanes and registers, and a digest of
    all that makes it another one."""
    from lnsarith.host.files.naming import digested

    told = repr((trainer.settings.resolved(), learning.step, lanes, loop))
    sizes = "_".join(map(str, learning.sizes))
    form = "".join(c if c.isalnum() else "_" for c in learning.settings["format"].lower())
    return digested(f"trainer_{sizes}_{form}_p{lanes}_l{loop}", told, LONGEST, "_")


def _told(answer: dict) -> str:
    """Return the answer for people."""
    lines = [f"{answer['trainer']}: recipe {answer['recipe']}, {answer['lanes']} lanes, "
             f"{answer['loop']} registers in the loop, {answer['words']:,} words"]
    if "steps" in answer:
        equal = "all words equal" if not answer["differ"] else (
            f"{answer['differ']:,} words differ, the first in {answer['first']}")
        lines += [f"{answer['steps']:,} steps in Verilator: {equal}; "
                  f"{answer['cycles_a_step']:,.0f} cycles a step, {answer['useful']:.1%} useful, "
                  f"{answer['seconds']:.1f} s and {answer['build_seconds']:.1f} s to build",
                  f"model sha256 {answer['model_sha256']}"]
    if answer["cost"]:
        from verilog.trainer.cost import cost_text

        lines.append(cost_text(answer["cost"]))
    if answer.get("proofs"):
        from lnsarith.commands.rtl.core.claims import told

        lines += told(answer["proofs"])
    if answer["files"]:
        lines.append(f"{answer['folder']}: {', '.join(answer['files'])}")
    return "\n".join(lines)
