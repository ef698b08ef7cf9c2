"""The formats chosen for each step of a graph, as a TOML file that eval takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lnsarith.host.files.reading import BadFile, read_toml
from lnsarith.host.files.schema import check, mapping, number, table, text
from nets.graph.graph import Graph
from nets.graph.words.arithmetics import Arithmetics
from nets.graph.words.lowering import lowered
from nets.graph.words.network import WordNetwork
from nets.graph.words.placed import Placed
from nets.settings.parsing import parse_format
from nets.settings.settings import Settings

__all__ = ["Choice", "read_choice"]

WORDS = text(most=40)
FORM = table({"arith": WORDS, "input": table({"results": WORDS}, {"shift": number(-64, 64)}),
              "layers": mapping(table({"results": WORDS},
                                      {"weights": WORDS, "shift": number(-64, 64)}))},
             {"delta": text(most=200), "guard": number(0, 12)})


@dataclass
class Choice:
    """An arithmetic; the words of the input and of each step's results, and those of weights,
    by the step's name."""

    settings: Settings
    input: Placed
    results: dict[str, Placed] = field(default_factory=dict)
    weights: dict[str, Placed] = field(default_factory=dict)

    @classmethod
    def of(cls, network: WordNetwork) -> Choice:
        """Return the formats of a network as it stands."""
        made = network.made
        return cls(network.bench.settings, network.placed(made.input),
                   {s.name: network.placed(s.out) for s in made.steps}, dict(network.weights))

    def network(self, graph: Graph, threads: int = 1, backend: str = "vector") -> WordNetwork:
        """Return a graph in these words; ValueError for a step that has none."""
        network = WordNetwork(lowered(graph), Arithmetics(self.settings, threads, backend))
        network.formats[network.made.input] = self.input
        for step in network.made.steps:
            if step.name not in self.results:
                raise ValueError(f"the formats are not those of this network: {step.name} has none")
            network.formats[step.out] = self.results[step.name]
            if step.name in self.weights:
                network.weights[step.name] = self.weights[step.name]
        return network

    def text(self) -> str:
        """Return the TOML of the choice."""
        s = self.settings
        lines = [f'arith = "{s.arith}"']
        if s.arith.startswith("lns"):
            lines += [f'delta = "{s.delta}"', f"guard = {s.guard}"]
        lines += ["", "[input]", *_words("results", self.input)]
        for name, placed in self.results.items():
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            lines += ["", f'[layers."{escaped}"]']
            if name in self.weights:
                lines.append(f'weights = "{self.weights[name].f}"')
            lines += _words("results", placed)
        return "\n".join(lines) + "\n"


def _words(key: str, placed: Placed) -> list[str]:
    lines = [f'{key} = "{placed.f}"']
    return lines + ([f"shift = {placed.shift}"] if placed.shift else [])


def read_choice(path: Path) -> Choice:
    """Return the choice in a TOML file; BadFile, with its path, for anything else."""
    try:
        found = check(read_toml(path), FORM)
        given = {k: found[k] for k in ("arith", "delta", "guard") if k in found}

        def placed(row: dict) -> Placed:
            return Placed(parse_format(row["results"]), row.get("shift", 0))

        layers = found["layers"]
        return Choice(Settings(val=0, **given), placed(found["input"]),
                      {k: placed(row) for k, row in layers.items()},
                      {k: Placed(parse_format(row["weights"])) for k, row in layers.items()
                       if "weights" in row})
    except BadFile:
        raise
    except ValueError as error:
        raise BadFile(f"{path}: {error}") from None
