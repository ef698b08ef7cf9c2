"""
4. The same from Python
=======================

Numbers, operators, training and runs as objects: for a notebook. (This page is one: see below.)
"""

import matplotlib.pyplot as plt
import numpy as np

import lnsarith as la

# %%
# Numbers
# -------
# Arrays of words with their format. Sums go from the first to the last; nothing turns silently into
# floats.

x = la.LnsArray.from_float([1.0, 2.0, -3.0], "lns16")
print(repr(x))
print(x * x, x @ x, (x - x).to_float())

# %%
# The format and the method of sums belong to the array:

a = np.random.default_rng(0).normal(size=(50, 785))
for delta in ("exact", "balanced", "lut", "bitshift"):
    words = la.LnsArray.from_float(a, "lns12", delta=la.find("lns-add").settings(
        {"delta": delta})["delta"])
    error = words.sum(axis=1).to_float() - words.to_float().sum(axis=1)
    print(f"{delta:9} RMS error of sums of 785: {np.sqrt(np.mean(error**2)):.2f}")

# %%
# Operators
# ---------

report = la.check("add", "lns8.3", delta="balanced", exhaustive=True)
print(report.max_ulp, report.rms_ulp, report.counts["cancelled"])
print([row.name for row in la.operators("lns")])

# %%
# Training
# --------
# ``train`` takes the settings of the command by name, and your own arrays in the place of a data
# set's name. ``on_epoch`` gets the record of each epoch.

losses = []
run = la.train(dataset="digits", arith="lns12", delta="balanced", epochs=5, out="work/py",
               threads=1, on_epoch=lambda record: losses.append(record["loss"]))
print(np.round(losses, 3), run.evaluate().accuracy, run.model_sha256[:16])

# %%
# What it predicts:

from sklearn.datasets import load_digits  # noqa: E402

images = (load_digits().images[:12] / 16 * 255).round().astype(np.uint8)
predicted = run.predict(images)
figure, all_axes = plt.subplots(1, 12, figsize=(9, 1.2))
for axes, image, digit in zip(all_axes, images, predicted):
    axes.imshow(image, cmap="gray_r")
    axes.set_title(str(digit), fontsize=9)
    axes.axis("off")
figure.savefig("work/digits.png", dpi=120)

# %%
# The run is a folder, opened again by ``la.load``:

print(la.load("work/py").log[-1]["test_accuracy"])
