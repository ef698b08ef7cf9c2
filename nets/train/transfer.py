"""Training that starts from the weights of another run, such as an exact net's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nets.network.model import RunError, most_bytes, read_model, restore
from nets.network.network import Network
from nets.train.run import Run
from nets.train.trainer import Trainer, build

__all__ = ["adopt", "transfer"]


def transfer(trainer: Trainer, folder: Path) -> None:
    """Give a fresh trainer the weights of a run, see `adopt`; RunError too if there is no
    trained run."""
    adopt(trainer, _network(trainer, folder), str(folder))


def adopt(trainer: Trainer, source: Network, called: str) -> None:
    """Give a fresh trainer the weights of a network, and statistics of its own arithmetic.

    Weights and all other parameters are copied, rounded where the formats differ. What
    is kept beside them (the running statistics of batch normalisation and the mean sizes
    of min-selectors) is copied where the run has it, then moved as in training by a pass
    over the training images that changes no parameter. RunError if the network
    does not fit: the parameter and both shapes are named.
    """
    target = trainer.network
    _check(source, target, called)
    parameters = source.parameters()
    for name, t in target.parameters().items():
        _copy(source, parameters[name], target, t)
    seen = statistics(source)
    for name, t in statistics(target).items():
        if name in seen and seen[name].columns == t.columns:
            _copy(source, seen[name], target, t)
    trainer.look()


def statistics(network: Network):
    """Return what a model keeps beside parameters and their optimiser, by name."""
    return {f"{i}.{name}": t for i, layer in enumerate(network.layers)
            for name, t in layer.kept().items()}


def _network(trainer: Trainer, folder: Path) -> Network:
    """Return the network of a run, with its words."""
    run = Run.open(folder)
    if not run.model_path.exists():
        raise RunError(f"{folder} has no model yet: train it for an epoch before its transfer")
    own, other = trainer.settings, run.settings
    for name in ("model", "activation", "norm"):
        if getattr(own, name) != getattr(other, name):
            raise RunError(f"{folder} does not fit: its {name} is {getattr(other, name)}, "
                           f"here it is {getattr(own, name)}")
    shape, classes = tuple(run.data["shape"]), run.data["classes"]
    network = build(other, shape, classes, np.random.default_rng(0))
    restore(network, read_model(run.model_path, most_bytes(network)), run.model_path)
    return network


def _check(source: Network, target: Network, called: str) -> None:
    found = {name: _shape(t) for name, t in source.parameters().items()}
    wanted = {name: _shape(t) for name, t in target.parameters().items()}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise RunError(f"{called} does not fit: its {name} is {found.get(name, 'missing')}, "
                           f"here it is {wanted.get(name, 'missing')}")


def _shape(t) -> str:
    return f"{t.rows} x {t.columns}"


def _copy(source: Network, of, target: Network, to) -> None:
    target.ar.set_reals(to, source.ar.reals(of))
