"""
Long sums leak or swell
=======================

A random walk in logarithms: the RMS of a sum of N terms of mean zero, by the true one.
"""

import numpy as np

import lnsarith as la
from lnsarith.delta.methods import parse
from lnsarith.host.picture import SERIES, picture
from lnsarith.host.picture.look import looking

terms = np.random.default_rng(0).normal(size=(300, 1024))
lengths = [4, 16, 64, 256, 1024]
with looking(table="work/leak.csv"), picture("work/leak.png", "", (6, 3.4)) as figure:
    axes = figure.subplots()
    for method, (ink, dash) in zip(("exact", "balanced", "lut", "mitchell", "bitshift"), SERIES):
        words = la.LnsArray.from_float(terms, "lns12", delta=parse(method))
        ratios = []
        for n in lengths:
            part = words[:, :n]
            sums, true = part.sum(axis=1).to_float(), part.to_float().sum(axis=1)
            ratios.append(np.sqrt(np.mean(sums**2) / np.mean(true**2)))
        axes.plot(lengths, ratios, color=ink, ls=dash, marker="o", ms=3, label=method)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("terms")
    axes.set_ylabel("RMS of the sum by the true one")
    axes.legend()
