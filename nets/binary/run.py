"""A binary network's run on disk: as any other's, with all that training needs kept."""

from __future__ import annotations

import json
import re

from lnsarith.naming import short
from lnsarith.schema import floating
from nets.binary.network import BinaryNetwork
from nets.binary.settings import BinarySettings
from nets.model import read_arrays, write_arrays, write_atomic
from nets.run import Run
from nets.run_forms import BINARY, record_form

__all__ = ["BinaryRun", "binary_settings", "default_name"]

KIND = "lnsarith binary model 1"
# What suits a data set better than the defaults, which are those of MNIST.
SUITED: dict[str, dict] = {"digits": {"val": 200, "batch": 20, "epochs": 30}}


class BinaryRun(Run):
    """A run folder whose model.npz holds latent weights, norms and Adam's moments."""

    settings: BinarySettings  # type: ignore[assignment]
    settings_class = BinarySettings
    kind = BINARY
    record = record_form({"rate": floating(0), "kept": floating(0, 1)})

    def load(self, network) -> int:
        """Give a network the saved arrays and return its epochs, 0 without a model."""
        if not self.model_path.exists():
            self.records = []
            return 0
        assert isinstance(network, BinaryNetwork)

        def made(arrays: dict, meta: dict) -> int:
            network.restore(arrays, int(meta["step"]))
            return int(meta["epoch"])

        most = sum(a.nbytes + 2048 for a in network.state().values()) + (1 << 16)
        epoch = read_arrays(self.model_path, KIND, made, most)
        return self.up_to(epoch)

    def save(self, record: dict, network) -> None:
        """Add an epoch to the log, then write the model."""
        records = [*self.records, record]
        lines = "".join(json.dumps(r, allow_nan=False) + "\n" for r in records)
        write_atomic(self.folder / "log.jsonl", lines.encode())
        meta = {"kind": KIND, "epoch": record["epoch"], "step": network.step}
        write_arrays(self.model_path, network.state(), meta)
        self.records = records


def binary_settings(given: dict) -> BinarySettings:
    """Return the settings given, completed by what suits the data set."""
    return BinarySettings(**{**SUITED.get(given.get("dataset", ""), {}), **given})


def default_name(settings: BinarySettings) -> str:
    """Return what a run is called: mnist-bnn-256-256-256-threshold-s0."""
    parts = (settings.dataset, "bnn", *map(str, settings.hidden), settings.binarize_input,
             f"s{settings.seed}")
    return short(re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(parts)))
