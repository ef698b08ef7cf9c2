"""What the probe's findings mean for a run, told with the setting that would cure it."""

from __future__ import annotations

from nets.network.probe import Findings
from nets.settings.settings import FLOATS, Settings

__all__ = ["troubles"]

# Of the norm of the first layer's gradient to the last one's: runs that learned had 0.4..9.
VANISHING, EXPLODING = 1e-2, 1e2
LARGEST = 1e2  # norm of a layer's gradient: runs that learned had up to 6
DEAD = 0.5  # of the ReLU units: runs that learned had up to 0.08


def troubles(settings: Settings, classes: int, record, findings: Findings) -> list[str]:
    """Return what ruins a run, each with the setting that would cure it.

    A text starts with its kind: loss, logits, updates, gradients, activations,
    weights, vanishing, exploding, units or chance (told only when nothing else is). The
    limits stand between runs that learned MNIST and runs that did not.
    """
    rules = (_loss, _logits, _updates, _gradients, _activations, _weights, _depth, _units)
    found = [text for rule in rules for text in rule(settings, record, findings)]
    if not found and record.test_accuracy <= 1.5 / classes:
        found = [
            f"chance: the test accuracy is {record.test_accuracy:.1%}, no better than "
            f"guessing; try another lr (now {settings.lr}) or longer words"
        ]
    return found


def _loss(settings, record, findings):
    if record.loss is None or not findings.finite:
        yield (
            "loss: it is not a finite number any more; a smaller lr would cure it "
            f"(now {settings.lr})"
        )


def _logits(settings, record, findings):
    if record.softmax_saturated <= 0.05:
        return
    fixed = settings.arith.startswith(("fixed", "minselect"))
    if findings.gradients_at_limit > 0.05:
        cure = "what cures the gradients would cure it"
    elif fixed and not settings.stochastic:
        cure = "update=stochastic would cure it"
    elif fixed and settings.format("gradients").frac < _usual_gradients(settings):
        cure = "gradients of a format with more fraction bits would cure it"
    elif settings.arith.startswith("fixed") and not settings.logits:
        cure = "logits of a format with more integer bits, pulled back, would cure it"
    elif not fixed and settings.softmax_bits < 4:
        cure = f"a larger softmax_bits would cure it (now {settings.softmax_bits})"
    else:
        other = "activations with more integer" if fixed else "more softmax"
        cure = f"a smaller lr would cure it (now {settings.lr}), or {other} bits"
    mean = "" if record.drift is None else f" and their mean is {record.drift:.4g}"
    yield (
        f"logits: {record.softmax_saturated:.1%} are at the end of the soft-max's "
        f"register{mean}; {cure}"
    )


def _updates(settings, record, findings):
    dead = findings.dead_updates
    if dead is None or dead < (0.9 if record.train_accuracy < 0.5 else 0.98):
        return
    if record.train_accuracy >= 0.9:
        return
    if settings.arith not in FLOATS and not settings.stochastic:
        yield (
            f"updates: {dead:.1%} of the weights with a gradient kept their word; "
            "update=stochastic would cure it, or longer words"
        )


def _gradients(settings, record, findings):
    if findings.gradients_at_limit > 0.05:
        yield (
            f"gradients: {findings.gradients_at_limit:.1%} have the largest magnitude; "
            "gradients of a format with more integer bits would cure it"
        )
    if findings.gradients_zero >= 0.9 and record.train_accuracy < 0.8:
        yield (
            f"gradients: {findings.gradients_zero:.1%} are zero; gradients of a format "
            "with smaller numbers would cure it"
        )


def _activations(settings, record, findings):
    if findings.activations_zero >= 0.9:
        yield (
            f"activations: {findings.activations_zero:.1%} are zero; a larger "
            "init_std, a smaller lr or activations of a format with smaller numbers "
            "would cure it"
        )


def _weights(settings, record, findings):
    if findings.weights_at_limit > 0.01:
        yield (
            f"weights: {findings.weights_at_limit:.1%} have the largest magnitude; "
            f"what cures the logits, or else a smaller lr (now {settings.lr}), would "
            "cure it"
        )


def _depth(settings, record, findings):
    ratio = findings.gradient_ratio
    if ratio is None or record.train_accuracy >= 0.8:
        return
    norms = [norm for norm in findings.gradient_norms.values() if norm]
    if ratio < VANISHING:
        other = "activation=relu with " if settings.activation in ("sigmoid", "tanh") else ""
        yield (
            f"vanishing: the gradient of the first layer has {ratio:.2g} of the norm of the "
            f"last one's; norm=batch or {other}init=he would cure it, or fewer layers"
        )
    elif ratio > EXPLODING or max(norms) > LARGEST:
        clip = "clip" if settings.arith not in FLOATS else "clip_norm"
        init = "" if settings.init == "he" else "init=he, "
        yield (
            f"exploding: the gradients of layers have norms up to {max(norms):.2g}, that of the "
            f"last one {norms[-1]:.2g}; {init}norm=batch or {clip} would cure it"
        )


def _units(settings, record, findings):
    dead = record.dead_units
    if dead is not None and dead > DEAD:
        yield (
            f"units: {dead:.1%} of the ReLU units give zero for every image probed; a smaller "
            f"lr (now {settings.lr}), activation=leaky or norm=batch would cure it"
        )


def _usual_gradients(settings: Settings) -> int:
    """Return the fraction bits that gradients have unless told otherwise."""
    return Settings(arith=settings.arith).format("gradients").frac
