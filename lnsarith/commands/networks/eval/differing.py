"""Where words and floats differ: ranges, saturations, classes, told in lines."""

from __future__ import annotations

import numpy as np

__all__ = ["differing", "lines", "ranges"]

SHOWN = 10  # tensors whose ranges are told


def ranges(network, reach) -> dict | None:
    """Return of each tensor its largest magnitude and its words, where it was calibrated."""
    if reach is None:
        return None
    return {name: {"reach": reach[name], "words": str(network.placed(name))}
            for name in (network.made.input, *(s.out for s in network.made.steps))
            if name in reach}


def differing(right: np.ndarray, predicted: np.ndarray, names: list[str]) -> list[dict]:
    """Return where words give another class than floats, most frequent first."""
    wrong = right != predicted
    pairs, counts = np.unique(np.stack([right[wrong], predicted[wrong]], 1), axis=0,
                              return_counts=True)
    order = np.argsort(-counts, kind="stable")[:5]
    return [{"float": names[pairs[i][0]], "words": names[pairs[i][1]], "count": int(counts[i])}
            for i in order]


def lines(result: dict) -> list[str]:
    """Return what is told of words."""
    if "float_accuracy" not in result:
        return []
    told = [f"in {result['arith']}; float32 {result['float_accuracy']:.2%}, "
             f"{result['differ_from_float']} classes differ"]
    if result["differing"]:
        told[0] += ": " + ", ".join(f"{d['float']} to {d['words']} ({d['count']})"
                                     for d in result["differing"])
    if result["saturated"]:
        worst = sorted(result["saturated"].items(), key=lambda row: -row[1])[:3]
        told.append("words at the end of their range: " + ", ".join(
            f"{name} {count:,}" for name, count in worst))
    rows = list((result["ranges"] or {}).items())
    told += [f"  {name:<24.24} up to {row['reach']:<10.4g} {row['words']}"
              for name, row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        told.append(f"  and {len(rows) - SHOWN} more tensors (--json has all)")
    return told
