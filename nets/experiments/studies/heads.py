"""Discriminant heads: linear and quadratic discriminant analysis as LNS neurons.

A network's last layer is replaced by a classifier that scikit-learn fits in closed form to what
flows into it. Both are neurons that LNS units compute without a multiplier:

* linear (LDA): a dense layer, score_k = w_k x + b_k.
* quadratic (QDA): with the principal axes r_ki and variances s_ki of class k,
  score_k = c_k - sum_i z_ki**2, z_ki = (x - mean_k) r_ki / sqrt(2 s_ki): a dense layer for z, a
  square each, which is its log doubled, and a dense layer of weights -1.

The fits are in floats; what is mapped, and all that is computed with it, are words.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from fxp.format import FormatError
from lnsarith.catalogue.array import LnsArray
from lnsarith.lns import spec
from nets.arithmetic.tensor import Tensor
from nets.network.network import Network
from nets.network.probe import plain_layer

__all__ = ["REGULAR", "Dense", "Quadratic", "features", "fit_linear", "fit_quadratic",
           "require_head"]

ROWS = 500  # images at a time
REGULAR = (1e-4, 1e-3, 1e-2, 1e-1)  # of scikit-learn's reg_param, chosen by images held back


@dataclass(frozen=True)
class Dense:
    """Scores x w + b: weights inputs x classes, bias of classes, in reals."""

    weights: np.ndarray
    bias: np.ndarray

    @property
    def products(self) -> int:
        """The products of an image."""
        return self.weights.size

    def reals(self, x: np.ndarray) -> np.ndarray:
        """Return the scores of rows in float64."""
        return x @ self.weights + self.bias

    def words(self, ar, x: Tensor) -> np.ndarray:
        """Return the scores of rows of words, computed in words, as reals."""
        return ar.reals(_affine(ar, x, self))


@dataclass(frozen=True)
class Quadratic:
    """Scores offset_k - sum of the squares of the k-th part of x w + b; regular is the
    reg_param of its fit."""

    axes: Dense
    offset: np.ndarray
    regular: float

    @property
    def products(self) -> int:
        """The products of an image, squares included."""
        return self.axes.products + len(self.axes.bias)

    def reals(self, x: np.ndarray) -> np.ndarray:
        """Return the scores of rows in float64."""
        z = self.axes.reals(x).reshape(len(x), len(self.offset), -1)
        return self.offset - (z * z).sum(axis=2)

    def words(self, ar, x: Tensor) -> np.ndarray:
        """Return the scores of rows of words, computed in words, as reals."""
        z = _affine(ar, x, self.axes)
        f = ar.formats["activations"]
        level, sign = (z.fields[k][:, : z.columns].astype(np.int64) for k in ("level", "sign"))
        square = spec.product(spec.Number(level, sign), spec.Number(level, sign), f,
                              ar.settings.underflow)
        squares = ar.empty(z.rows, z.columns, "activations")
        squares.fields["level"][:, : z.columns] = square.level
        squares.fields["sign"][:, : z.columns] = square.sign
        each = z.columns // len(self.offset)
        sums = Dense(-np.kron(np.eye(len(self.offset)), np.ones((each, 1))), self.offset)
        return ar.reals(_affine(ar, squares, sums))


def _affine(ar, x: Tensor, of: Dense) -> Tensor:
    w, b, y = (ar.empty(*of.weights.shape, "weights"), ar.empty(1, len(of.bias), "weights"),
               ar.empty(x.rows, len(of.bias), "activations"))
    f = ar.formats["weights"]
    ar.set_words(w, LnsArray.from_float(of.weights, f).words)
    ar.set_words(b, LnsArray.from_float(of.bias[None], f).words)
    ar.affine(x, w, b, y)()
    return y


def require_head(network: Network, settings) -> None:
    """Raise FormatError unless a network of LNS words ends in a dense layer after another."""
    from nets.layers.dense import Dense as Layer

    if not settings.arith.startswith("lns"):
        raise FormatError(f"heads are mapped onto LNS neurons: give a run of lns, not of "
                          f"{settings.arith}")
    if len(network.layers) < 2 or not isinstance(plain_layer(network.layers[-1]), Layer):
        raise FormatError("a head takes what flows into the last dense layer, so there must be "
                          "another layer before it")


def features(network: Network, images: np.ndarray) -> tuple[list[Tensor], np.ndarray, np.ndarray]:
    """Return what flows into the last layer for images (rows of pixels): tensors of some hundred
    rows each, the same as reals, and the logits of the network."""
    tensors, reals, logits = [], [], []
    for low in range(0, len(images), ROWS):
        rows = images[low:low + ROWS]
        program = network.program(len(rows), False)
        program.encode(rows)
        for call in program.forward:
            call()
        x = program.values[-2]
        tensors.append(Tensor({k: v.copy() for k, v in x.fields.items()}, x.columns, x.role))
        reals.append(network.ar.reals(x))
        logits.append(network.ar.reals(program.logits))
    return tensors, np.concatenate(reals), np.concatenate(logits)


def fit_linear(x: np.ndarray, labels: np.ndarray) -> Dense:
    """Return the linear discriminant analysis of rows and their classes 0..n-1, n > 2."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that are always zero
        found = LinearDiscriminantAnalysis().fit(x, labels)
    return Dense(found.coef_.T, found.intercept_)


def fit_quadratic(x: np.ndarray, labels: np.ndarray, held: np.ndarray, held_labels: np.ndarray
                  ) -> Quadratic | None:
    """Return the quadratic discriminant analysis whose reg_param of `REGULAR` is best on rows
    held back; None where none can be fitted, as with fewer rows of a class than units."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    best, most = None, -1.0
    for regular in REGULAR:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = QuadraticDiscriminantAnalysis(reg_param=regular).fit(x, labels)
        except (np.linalg.LinAlgError, ValueError):
            continue
        head = _quadratic(found, regular)
        share = float((head.reals(held).argmax(axis=1) == held_labels).mean())
        if share > most:
            best, most = head, share
    return best


def _quadratic(found, regular: float) -> Quadratic:
    axes = [r / np.sqrt(2 * s) for r, s in zip(found.rotations_, found.scalings_)]
    bias = [-(mean @ axis) for mean, axis in zip(found.means_, axes)]
    offset = np.log(found.priors_) - [np.log(s).sum() / 2 for s in found.scalings_]
    return Quadratic(Dense(np.hstack(axes), np.concatenate(bias)), offset - offset.mean(), regular)
