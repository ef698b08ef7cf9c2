"""The rows of a duel: what runs on which side, and what the ratio should be."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.common.rows import Mark

__all__ = ["HASWELL", "Row", "Work", "rows"]

HASWELL = " on haswell"  # behind a side's name: compiled for a processor with AVX2 alone
LARGE, SMALL = [512, 784, 512], [128, 784, 100]
LENET = {"model": "lenet5", "batch": 64}


class Work(NamedTuple):
    """What a side is told to make."""

    side: str
    order: dict


class Row(NamedTuple):
    """ours against theirs; as a ratio of speeds or of times."""

    name: str
    ours: Work
    theirs: Work
    ratio: str
    mark: Mark

    @property
    def same(self) -> bool:
        """Whether both sides write the same words."""
        kinds = self.ours.order["make"], self.theirs.order["make"]
        alike = {**self.ours.order, "threads": 1} == {**self.theirs.order, "threads": 1}
        return kinds[0] == kinds[1] and kinds[0] != "start" and alike


def rows(images: int, data_dir: str | None) -> list[Row]:
    """Return every row, for epochs of so many images."""
    found = []
    for delta, guard, times, limit in (("exact", 4, 4, 0.4), ("interp:r=1/4", 2, 4, None),
                                       ("lut", 0, 3, None)):
        given = {"arith": "lns12", "delta": delta, "guard": guard, "update": "stochastic",
                 "batch": 5}
        name = f"lns12 {delta}, guard {guard}, stochastic, epoch of batches of 5"
        epoch = _epoch(given, images, data_dir)
        found.append(_builds(name, epoch, times))
        if limit:
            found.append(_torch(name, epoch, "mlp", 5, images, data_dir, limit))
    for arith, size, times in (("lns12", LARGE, 1.5), ("lns16", LARGE, 1.25),
                               ("lns16", SMALL, 1.6)):
        for reach in (0, 2):
            found.append(_builds(_named(arith, size, reach), _product(arith, size, reach), times))
    for narrow, wide in (("lns8.3", "lns16"), ("fixed8.4", "fixed16")):
        ours, theirs = (Work("new", _product(a, LARGE, 0)) for a in (narrow, wide))
        found.append(Row(f"{narrow} against {wide}, 512x784x512", ours, theirs, "speed",
                         Mark(">=", 1.8)))
    found.append(_builds(_named("lns16", LARGE, 0), _product("lns16", LARGE, 0), 1.8, HASWELL))
    step = _epoch(LENET, images // 4, data_dir)
    found.append(Row("LeNet-5, batches of 64, 2 threads against 1",
                     Work("new", {**step, "threads": 2}),
                     Work("new", {**step, "threads": 1}), "speed", Mark(">=", 1.8)))
    for name, model, given, limit in (("LeNet-5 epoch lns16, batches of 64", "lenet5", LENET, 1.0),
                                      ("MLP epoch lns16, batches of 64", "mlp",
                                       {"batch": 64}, 0.65)):
        epoch = _epoch(given, images, data_dir)
        found += [_torch(name, epoch, model, 64, images, data_dir, limit)]
    for kept, name in ((False, "first step of a fresh installation"), (True, "of later runs")):
        order = {"make": "start", "kept": kept, "data_dir": data_dir}
        found.append(Row(name, Work("new", order), Work("old", order), "time", Mark("<=", 1.0)))
    return found


def _named(arith: str, size: list[int], reach: int) -> str:
    return f"{arith} lut {'x'.join(map(str, size))}, numbers up to {1 << reach}"


def _epoch(given: dict, images: int, data_dir: str | None) -> dict:
    return {"make": "epoch", "settings": {"dataset": "mnist", **given}, "images": images,
            "data_dir": data_dir}


def _product(arith: str, size: list[int], reach: int) -> dict:
    return {"make": "product", "arith": arith, "size": size, "reach": reach}


def _builds(name: str, order: dict, times: float, on: str = "") -> Row:
    return Row(name + on, Work("new" + on, order), Work("old" + on, order), "speed",
               Mark(">=", times))


def _torch(name: str, order: dict, model: str, batch: int, images: int, data_dir: str | None,
           limit: float) -> Row:
    theirs = {"make": "torch", "model": model, "batch": batch, "images": images,
              "data_dir": data_dir}
    return Row(f"{name}, against PyTorch", Work("new", order), Work("torch", theirs), "time",
               Mark("<=", limit))
