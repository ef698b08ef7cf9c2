"""
Where the numbers are
=====================

The positive words of a logarithmic and a fixed-point format of eight bits, on a log scale.
"""

import matplotlib.pyplot as plt
import numpy as np

import lnsarith as la
from lnsarith.host.picture import LINE, STYLE, WARM

plt.rcParams.update(STYLE)
figure, axes = plt.subplots(figsize=(7, 2), layout="constrained")
for y, (name, kind, ink) in enumerate((("fixed8.3", la.FixedArray, WARM),
                                       ("lns8.3", la.LnsArray, LINE))):
    f = (la.Fixed if kind is la.FixedArray else la.Lns).parse(name)
    values = kind(np.arange(f.words[0], f.words[1] + 1), f).to_float()
    axes.plot(values[values > 0], np.full((values > 0).sum(), y), "|", color=ink, ms=18)
axes.set_xscale("log", base=2)
axes.set_yticks([0, 1], ["fixed8.3", "lns8.3"])
axes.set_ylim(-0.6, 1.6)
axes.grid(visible=False)
figure.savefig("work/words.png", dpi=140)
