"""Self-pretraining: each activation becomes the distribution of its own inputs.

Before an epoch, from the first layer to the last, the kernels of each activation are fitted
to the samples that flow into it, sorted and ranked: the i-th of n has the value
(i - 1/2) / n. Then the epoch trains the weights with these functions, and what is judged
at its end is what was trained.
"""

from __future__ import annotations

import numpy as np

from fxp.format import FormatError
from lnsarith.spindle.kde import POINTS, fit_points
from nets.layers.spindle import Refitted
from nets.network.network import Network
from nets.network.spindle_inputs import inputs_of, plain_layer
from nets.settings.spindle import activation_kind, mode_of

__all__ = ["IMAGES", "refit", "refit_due"]

IMAGES = 1000  # whose samples are fitted


def refit_due(settings, epoch: int) -> bool:
    """Whether activations are fitted before an epoch, counted from 0."""
    if activation_kind(settings.activation) != "spindle":
        return False
    return {"first": epoch == 0, "once": epoch == 1, "online": True}.get(mode_of(settings), False)


def refit(network: Network, images: np.ndarray) -> None:
    """Fit each activation to what flows into it for images (uint8 rows).

    One whose inputs are all equal, or no finite numbers, stays as it is.
    """
    ranks = (np.arange(POINTS) + 0.5) / POINTS
    for place, watched in enumerate(network.layers):
        layer = plain_layer(watched)
        if not isinstance(layer, Refitted):
            continue
        samples = inputs_of(network, place, images)
        if not np.isfinite(samples).all():
            continue
        x = np.quantile(samples, ranks, method="hazen")  # (i - 1/2) / n
        try:
            kernels, _ = fit_points(x, ranks, layer.rows.columns)
        except FormatError:
            continue
        layer.put(network.ar, kernels)
