"""A row of the front: its network trained, its core mapped, placed, counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from lnsarith.commands.rtl.front.asked import LANES, TRAINER, Asked
from lnsarith.commands.rtl.front.kept import Kept, digest_of

if TYPE_CHECKING:
    from nets.data.sets import Dataset

__all__ = ["Measuring", "seeds_of"]

STEPS = 5  # of a trainer that are simulated for its cycles
SECONDS = 7200.0  # of one run of a tool


def seeds_of(row: dict) -> str:
    """Return with which seeds a row was placed, in words."""
    seeds = ", ".join(map(str, row["mhz_by_seed"]))
    return f"median of seeds {seeds}" if len(row["mhz_by_seed"]) > 1 else f"seed {seeds}"


@dataclass(frozen=True)
class Measuring:
    """What all rows share: the data, how long networks train, where answers are kept, with
    which seeds cores are placed, whether now or only what was placed before, whom to tell what
    begins, and whether nothing begins: all is what was found before."""

    data: Dataset
    epochs: int
    seed: int
    kept: Kept
    place_seeds: tuple[int, ...]
    places: bool
    say: Callable[[str], object]
    only_kept: bool = False

    def row(self, asked: Asked) -> dict:
        """Return a row's numbers; FormatError or ToolError where it cannot be."""
        from lnsarith.commands.rtl.front.networks import accuracy_of, network_folder

        self.say(f"{asked.name}: network")
        folder = network_folder(asked, self.data, self.epochs, self.seed,
                                self.kept.folder / "runs", not self.only_kept)
        found = {"name": asked.name, "arith": asked.arith, "kind": asked.kind, "lanes": LANES,
                 "pipeline": asked.pipeline, "epochs": self.epochs,
                 "test_accuracy": accuracy_of(asked, folder, self.data)}
        return found | (self._trainer(asked) if asked.kind == TRAINER
                        else self._core(asked, folder))

    def _core(self, asked: Asked, folder: Path) -> dict:
        from lnsarith.commands.rtl.core.source import open_source
        from lnsarith.commands.rtl.net import core_for
        from verilog.cost.cores import GOAL, map_core

        core = core_for(open_source(str(folder)), asked.pipeline, LANES, name="core")
        s = core.schedule
        clocks = max(s.clocks / s.batch, s.pixels)
        return self._cost(
            asked, core.files, clocks, GOAL,
            lambda place, multipliers: map_core(core, place, lambda text: None, SECONDS,
                                                multipliers))

    def _trainer(self, asked: Asked) -> dict:
        from lnsarith.commands.rtl.front.networks import trainer_of
        from lnsarith.commands.rtl.learning import learning_of
        from lnsarith.commands.rtl.training import Training
        from verilog.cost.ecp5 import counts
        from verilog.trainer.core import core
        from verilog.trainer.cost import GOAL, map_trainer

        trainer = trainer_of(asked, self.data, self.epochs, self.seed)
        made = core("core", learning_of(trainer), LANES, asked.pipeline)
        simulated = digest_of(made.files, "simulated", STEPS)
        told = self.kept.answer(simulated)
        if told is None or told["differ"]:  # from an engine that has been mended since
            self._begins(f"{asked.name}: {STEPS} steps simulated")
            told = self.kept.keep(simulated, Training(trainer, made).simulated(STEPS)[0])
        if told["differ"]:
            raise AssertionError(f"{told['differ']} words of the {asked.name} differ from the "
                                 "engine's")
        cost = self._cost(
            asked, made.files, told["cycles_a_step"] / made.geometry.learning.batch, GOAL,
            lambda place, multipliers: counts(map_trainer(made, place, SECONDS, multipliers)))
        return {**cost, "batch": made.geometry.learning.batch}

    def _cost(self, asked: Asked, files, clocks: float, goal: int, mapped: Callable) -> dict:
        """Return cells, MHz and images/s of a core."""
        from verilog.prove.netlist import yosys_version

        with_them = self._mapped(asked, files, True, mapped)
        placed = self._placed(asked, files, clocks, goal)
        without = (self._mapped(asked, files, False, mapped) if with_them["multipliers"]
                   else with_them)
        found = {**{k: with_them[k] for k in ("lut4", "flip_flops", "block_memories",
                                              "lut_memories", "multipliers")},
                 "lut4_without_multipliers": without["lut4"], "clocks_image": clocks,
                 "tools": yosys_version()}
        return found | placed

    def _begins(self, what: str) -> None:
        """Tell what begins; FormatError where nothing shall."""
        from fxp.format import FormatError

        if self.only_kept:
            raise FormatError(f"not found yet ({what})")
        self.say(what)

    def _mapped(self, asked: Asked, files, multipliers: bool, mapped: Callable) -> dict:
        from lnsarith.host.files.whole import scratch
        from verilog.cost.ecp5 import NETLIST
        from verilog.prove.netlist import yosys_version

        digest = digest_of(files, "mapped", multipliers, yosys_version())
        found = self.kept.answer(digest)
        if found is None:
            self._begins(f"{asked.name}: mapped to ECP5"
                         f"{'' if multipliers else ', no multipliers'}")
            with scratch() as name:
                found = mapped(Path(name), multipliers)
                if multipliers:
                    self.kept.keep_netlist(digest, Path(name) / NETLIST)
            found = self.kept.keep(digest, found)
        return found

    def _placed(self, asked: Asked, files, clocks: float, goal: int) -> dict:
        """Return MHz, images/s and cells of logic, of several seeds the medians; nothing where
        it was not placed and shall not be."""
        from verilog.cost.ecp5 import placer

        every = {seed: found for seed in self.place_seeds
                 if (found := self._placed_with(asked, files, seed, goal)) is not None}
        if not every:
            return {}
        mhz = median(found["mhz"] for found in every.values())
        return {"mhz": mhz, "mhz_by_seed": {k: v["mhz"] for k, v in every.items()},
                "comb": round(median(found["comb"] for found in every.values())),
                "placer": placer(), "images_per_second": round(mhz * 1e6 / clocks)}

    def _placed_with(self, asked: Asked, files, seed: int, goal: int) -> dict | None:
        """Return MHz and cells of logic with one seed, None where it was not placed and shall
        not be."""
        from fxp.format import FormatError
        from lnsarith.host.files.whole import scratch
        from verilog.cost.ecp5 import NETLIST, place, placer
        from verilog.prove.netlist import yosys_version

        digest = digest_of(files, "placed", seed, goal, yosys_version(), placer())
        found = self.kept.answer(digest)
        if found is not None or not self.places:
            return found
        self.say(f"{asked.name}: placed with seed {seed}")
        with scratch() as name:
            source = digest_of(files, "mapped", True, yosys_version())
            if not self.kept.netlist(source, Path(name) / NETLIST):
                raise FormatError(f"the netlist of {asked.name} is gone from "
                                  f"{self.kept.folder}: remove {source}.json there")
            mhz, used = place(Path(name), seed, goal, SECONDS)
        return self.kept.keep(digest, {"mhz": mhz, "comb": used.get("TRELLIS_COMB", 0)})
