"""
Long sums leak or swell
=======================

A random walk in logarithms: the RMS of a sum of N terms of mean zero, by the true one.
"""

import matplotlib.pyplot as plt
import numpy as np

import lnsarith as la
from lnsarith.delta.methods import parse
from lnsarith.host.picture import GREY, INK, LINE, STYLE, WARM

plt.rcParams.update(STYLE)
terms = np.random.default_rng(0).normal(size=(300, 1024))
lengths = [4, 16, 64, 256, 1024]
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for method, ink, style in (("exact", INK, "-"), ("balanced", LINE, "-"), ("lut", WARM, "-"),
                           ("mitchell", GREY, "--"), ("bitshift", GREY, ":")):
    words = la.LnsArray.from_float(terms, "lns12", delta=parse(method))
    ratios = []
    for n in lengths:
        part = words[:, :n]
        sums, true = part.sum(axis=1).to_float(), part.to_float().sum(axis=1)
        ratios.append(np.sqrt(np.mean(sums**2) / np.mean(true**2)))
    axes.plot(lengths, ratios, color=ink, ls=style, marker="o", ms=3, label=method)
axes.set_xscale("log", base=2)
axes.set_xlabel("terms")
axes.set_ylabel("RMS of the sum by the true one")
axes.legend()
figure.savefig("work/leak.png", dpi=140)
