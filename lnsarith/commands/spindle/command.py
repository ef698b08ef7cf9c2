"""lnsarith spindle fit|sample: shifted ReLUs or logistic kernels for a function, or for samples."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from fractions import Fraction
from pathlib import Path

from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import add_data
from lnsarith.commands.spindle import sample as spindle_sample

__all__ = ["options", "run"]

IMAGES = 1000


def options(parser: ArgumentParser) -> None:
    """Add the actions fit and sample with their options."""
    actions = parser.add_subparsers(metavar="fit|sample", required=True)
    drawing = actions.add_parser("sample", help="draw numbers or words with a distribution")
    spindle_sample.options(drawing)
    drawing.set_defaults(act=spindle_sample.run)
    fit = actions.add_parser("fit", help="find the fewest shifted ReLUs for a function")
    fit.add_argument("--function", metavar="NAME|FILE|RUN:LAYER", required=True,
                     help="logistic, eq2, eq3, delta-plus, delta-minus; a .csv, .txt, .npy or "
                     ".npz file: samples in one column, or x and the cumulative distribution in "
                     "two; a fit's .json; or a run's folder and a layer: the inputs of the "
                     "activation at or after it")
    fit.add_argument("--error", type=float, metavar="E",
                     help="the largest error that may be (default 0.01, without --units)")
    fit.add_argument("--units", type=int, metavar="N",
                     help="at most so many; without --error, the least error that they can have")
    fit.add_argument("--step", metavar="2^-N", help="how far knees are apart (default: finer "
                     "for smaller errors)")
    fit.add_argument("--finest", metavar="2^-N", help="the smallest gain (default: by the "
                     "function's slope)")
    fit.add_argument("--kernels", type=int, metavar="K", help="logistic kernels instead of "
                     "shifted ReLUs, by least squares: the sum of A g(B x - C)")
    fit.add_argument("--images", type=int, metavar="N", help="training images whose activations "
                     f"are samples, with RUN:LAYER (default {IMAGES})")
    fit.add_argument("--learned", action="store_true", help="with RUN:LAYER, the function that an "
                     "activation spindle has become there, where its inputs are")
    fit.add_argument("--out", metavar="FILE", help="write the fit as JSON, for lnsarith train "
                     "--activation spindle:FILE and lnsarith check spindle --option units=@FILE")
    fit.add_argument("--plot", metavar="FILE", help="draw the function and the fit")
    add_figure(fit)
    fit.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(fit)
    fit.set_defaults(act=_fit)


def run(args: Namespace) -> int:
    """Carry out the action; FormatError, RunError or OSError for what cannot be."""
    return args.act(args)


def _fit(args: Namespace) -> int:
    """Fit, write args.out and args.plot, and print a summary or, with args.json, the file's
    object."""
    from lnsarith.host import picture
    from lnsarith.host.files import whole as files
    from lnsarith.spindle.file import KIND
    from lnsarith.spindle.normal import normality
    from lnsarith.spindle.picture import draw
    from lnsarith.spindle.samples import read_source

    if args.out:
        files.require_writable(args.out)
    if args.plot:
        picture.require_writable(args.plot)
    _check(args)
    source = _of_run(args) or read_source(args.function)
    fit, function, title = _fitted(args, source.target)
    samples = source.samples
    test = normality(samples) if samples is not None and samples.size > 3 else None
    result = {"kind": KIND, **fit.as_dict(), "normality": test.as_dict() if test else None}
    if args.out:
        content = json.dumps(result, indent=1) + "\n"
        files.write_whole(args.out, lambda part: part.write_text(content, "utf-8"))
    if args.plot:
        draw(args.plot, title, source.target, function, fit.error, samples)
    if args.json:
        print(json.dumps({**result, "out": args.out, "plot": args.plot}))
    else:
        written = [f"{what} {path}" for what, path in (("written to", args.out),
                                                       ("drawn in", args.plot)) if path]
        print("\n".join([*fit.lines(), *([test.line()] if test else []), *written]))
    return 0


def _fitted(args: Namespace, target):
    """Return a fit, its function and a title."""
    from lnsarith.spindle import fit as spindle_fit
    from lnsarith.spindle.kde import fit_kernels

    if args.kernels is not None:
        kde = fit_kernels(target, args.kernels)
        return kde, kde.kernels, kde.lines()[0]
    fit = spindle_fit.fit(target, args.error, args.units, _exponent("step", args.step),
                          _exponent("finest", args.finest))
    return fit, fit.spindle, (f"{fit.function}: {len(fit.spindle.units)} shifted ReLUs, error "
                              f"{fit.error:.4g}")


def _check(args: Namespace) -> None:
    from fxp.format import FormatError

    used = [n for n in ("error", "units", "step", "finest") if getattr(args, n) is not None]
    if args.kernels is not None and used:
        raise FormatError(f"--{used[0]} is for shifted ReLUs, and --kernels asks for kernels")


def _of_run(args: Namespace):
    """Return the samples that RUN:LAYER means, None if args.function is no run's folder."""
    from fxp.format import FormatError

    folder, colon, layer = args.function.rpartition(":")
    if not colon or not (Path(folder) / "config.json").exists():
        if (Path(args.function) / "config.json").exists():
            raise FormatError(f"{args.function} is a run: name a layer of it too, "
                              f"{args.function}:0")
        if args.images is not None or args.learned:
            raise FormatError(f"--{'learned' if args.learned else 'images'} goes with RUN:LAYER, "
                              f"and {args.function!r} is no run's folder with a layer")
        return None
    return _layer_samples(args, folder, layer)


def _layer_samples(args: Namespace, folder: str, layer: str):
    """Return what flows into the activation after a layer, for the first images that the run
    trained on."""
    import numpy as np

    from fxp.format import check_integer
    from lnsarith.commands.networks.eval.answer import images_for
    from lnsarith.commands.networks.eval.model import open_model
    from lnsarith.spindle.samples import Source, sampled
    from nets.network.spindle_inputs import active_layer, inputs_of, layer_names

    opened = Namespace(run_folder=folder, threads=None, backend="vector", dataset=None,
                       data_dir=args.data_dir)
    kept, network, _ = open_model(opened)
    place = active_layer(network, layer)
    dataset = images_for(opened, kept.folder, kept.settings.dataset, kept.data)
    total = len(dataset.train_images)
    count = check_integer("images", IMAGES if args.images is None else args.images, 1,
                          total - kept.settings.val)
    order = np.random.default_rng(kept.settings.seed).permutation(total)[:count]
    images = dataset.train_images[order].reshape(count, -1)
    name = f"{kept.folder.name} {layer_names(network)[place]}"
    samples = inputs_of(network, place, images)
    if args.learned:
        return Source(_learned(name, network, place, samples))
    return sampled(f"{name}, {count} images", samples)


def _learned(name: str, network, place: int, samples):
    """Return the function of a fitted activation from the least to the largest sample."""
    from fxp.fit.functions import Target
    from fxp.format import FormatError
    from nets.layers.spindle import Fitted
    from nets.network.spindle_inputs import plain_layer

    layer = plain_layer(network.layers[place])
    if not isinstance(layer, Fitted):
        raise FormatError(f"{name} is no activation spindle, so it has learned no function")
    return Target(f"{name}, learned", layer.function_now(network.ar), float(samples.min()),
                  float(samples.max()))


def _exponent(name: str, text: str | None) -> int | None:
    """Return the exponent of a power of two given as 2^-4, 1/16 or 0.0625."""
    from fxp.format import FormatError
    from fxp.text.dyadic import dyadic, power_of_two

    if text is None:
        return None
    value: Fraction = dyadic(name, text)
    log = power_of_two(value)
    if log is None:
        raise FormatError(f"{name} must be a power of two such as 2^-4, got {text}")
    return log
