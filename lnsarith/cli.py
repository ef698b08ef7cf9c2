"""The front door: lnsarith train|eval|predict|quantize|prune|study|sweep|..., see COMMANDS.

A command's module is loaded only when the command runs. Answers go to stdout,
progress and complaints to stderr. Exit 0 done, 1 checked and found wrong, 2 wrong
usage or input, or an answer that cannot be written; 130 interrupted, 141 the reader left.
What stderr cannot take is dropped. LNSARITH_DEBUG=1 shows where an error came from.
"""

from __future__ import annotations

import argparse
import atexit
import difflib
import importlib
import os
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

from lnsarith.commands.common.figure import add_figure, figures
from lnsarith.host import streams
from lnsarith.host.extras import how_to_get

__all__ = ["main"]

DEBUG = "LNSARITH_DEBUG"
PLUGIN = "plugin of "
LONGEST = 900  # characters of a complaint
# One thread for libraries that bring their own: they fight over the cores with ours.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


_CHOICE = r"argument (\S+): invalid choice: '(.*?)' \(choose from (.*)\)"


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, with a near match; all of them know --verbose and
    --plugin."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS,
                          help="tell on stderr what else happens")
        self.add_argument("--plugin", metavar="FILE.py", action="append", default=[],
                          dest=f"{PLUGIN}{self.prog}",  # commands and actions have their own
                          help="Delta methods and operators of your own; may be repeated")

    def _print_message(self, message, file=None):
        """Write; unlike argparse's own, raise OSError if that fails."""
        (file or sys.stderr).write(message)
        self.register("type", int, _reader("whole"))
        self.register("type", float, _reader("real"))

    def parse_known_args(self, args=None, namespace=None):
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [s for action in self._actions for s in action.option_strings]
            self.error(f"there is no {unknown[0]}{_near(unknown[0], known)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        message = _short(message)
        if choice := re.match(_CHOICE, message):
            name, given, names = choice[1], choice[2], choice[3].replace("'", "")
            message = f"{name} must be one of {names}, got {given}"
            if not name.startswith("-"):
                hint = _near(given, names.split(", ")) or f"; there are {names}"
                message = f"there is no {self.prog} {given}{hint}"
        self.exit(2, f"lnsarith: {message} (see {self.prog} --help)\n")


def _reader(kind: str) -> Callable[[str], int | float]:
    """Return what reads the number of an option, as all numbers are read."""

    def read(text: str):
        numbers = importlib.import_module("fxp.text.numbers")
        try:
            return getattr(numbers, kind)("it", text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


class Version(argparse.Action):
    """Prints the version, looked up only now."""

    def __init__(self, option_strings, dest, **kwargs):
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser, namespace, values, option_string=None):
        from lnsarith.host.version import __version__

        print(f"lnsarith {__version__}")
        parser.exit(0)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    if argv is not None:
        return _run(argv)
    if "_ARGCOMPLETE" in os.environ:
        return _complete()
    streams.prepare()
    codes: list[int] = []
    # Python by itself would die of a SIGINT that it once saw inside exec().
    atexit.register(lambda: 130 in codes and os._exit(130))
    codes.append(_run(sys.argv[1:]))
    return codes[0]


def _complete() -> int:
    """Tell the shell what can come next, where its completion calls."""
    import argcomplete

    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT") or 0) or None]
    argcomplete.autocomplete(_parser(line.split()[1:]), print_suppressed=True)
    return 0


def _run(argv: list[str]) -> int:
    try:
        code = _command_run(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as end:
        _forget_unwritten()
        _say("interrupted" + "".join(map(str, end.args)))
        return 130
    except BrokenPipeError:
        _forget_unwritten()
        return 141
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        _forget_unwritten()
        _say(_one_line(error))
        return 2


def _command_run(argv: list[str]) -> int:
    """Run the command and return its exit code; what it answers may not be written yet."""
    try:
        args = _parser(argv).parse_args(argv)
        with streams.telling("verbose" in args):
            _load_plugins(args)
            with figures(args):
                return args.run(args)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2


def _load_plugins(args: argparse.Namespace) -> None:
    """Make known what the files of --plugin bring, and what installed packages do."""
    files = [f for name, given in vars(args).items() if name.startswith(PLUGIN) for f in given]
    if files or _any_installed(tuple(sys.path)):
        load = importlib.import_module("lnsarith.plugins.load")
        load.load_installed()
        for file in files:
            load.load_plugin(file)


@lru_cache
def _any_installed(places: tuple[str, ...]) -> bool:
    """Return whether a package in one of these places brings plugins."""
    from importlib import metadata

    return bool(metadata.entry_points(group="lnsarith.plugins"))


def _forget_unwritten() -> None:
    """Empty stdout's buffer, into nowhere if it cannot be written: Python would try
    again when it ends, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _say(text: str) -> None:
    print(f"lnsarith: {text}", file=sys.stderr)


def _parser(argv: list[str]) -> Parser:
    """Return the parser; only the command that argv names gets one of its own: argparse takes
    longer over those of all than most commands over their work."""
    parser = Parser(
        prog="lnsarith",
        description="Bit-true training of networks in "
        "fixed-point and logarithmic arithmetic.",
    )
    parser.add_argument("--version", action=Version)
    named = next((a for i, a in enumerate(argv) if not a.startswith("-")
                  and argv[i - 1:i] != ["--plugin"]), None)

    def made(prog: str, **given) -> Parser:
        return Parser(prog=prog, **given) if prog == f"{parser.prog} {named}" else parser

    commands = parser.add_subparsers(metavar="COMMAND", required=True,
                                     parser_class=made)  # type: ignore[call-overload]
    for name, (summary, fill) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if command is not parser:
            fill(command)
    return parser


def _command(module: str) -> Callable[[argparse.ArgumentParser], None]:
    """Return what fills a parser with the options that a command's module has."""

    def fill(parser: argparse.ArgumentParser) -> None:
        command = importlib.import_module(f"lnsarith.commands.{module}")
        command.options(parser)
        parser.set_defaults(run=command.run)

    return fill


def _lazily(module: str, function: str = "run") -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        return getattr(
            importlib.import_module(f"lnsarith.commands.{module}"), function
        )(args)

    return run


def _ops(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("op", nargs="?", help="one operator alone")
    parser.add_argument("--c", action="store_true", help="print OP as a function of C99")
    parser.add_argument("--arith", metavar="FORMAT", help="of OP in C, such as lns16")
    parser.add_argument("--delta", metavar="METHOD", help="short for --option delta=METHOD")
    parser.add_argument("--option", metavar="NAME=VALUE", action="append", default=[],
                        help="an option of OP in C; may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_lazily("operators.ops"))


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("op", help="an operator's name, see lnsarith ops")
    parser.add_argument("--arith", metavar="FORMAT", help="such as lns16 or fixed12.7")
    parser.add_argument(
        "--delta", metavar="METHOD", help="short for --option delta=METHOD"
    )
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an option of the operator; may be repeated",
    )
    parser.add_argument(
        "--samples", type=int, metavar="N", help="how many operands to try"
    )
    parser.add_argument("--exhaustive", action="store_true", help="try all operands")
    parser.add_argument(
        "--correlation",
        action="store_true",
        help="of minselect: how like a product it is, on real numbers",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random operands"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw the errors into an image")
    add_figure(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_lazily("operators.check"))


def _actions(module: str) -> Callable[[argparse.ArgumentParser], None]:
    """Return what fills a parser with the actions of a command, each with its own run."""
    return lambda parser: importlib.import_module(f"lnsarith.commands.{module}").options(parser)


COMMANDS = {
    "train": ("train a network", _command("networks.train.command")),
    "eval": ("tell how well a trained network does on test images",
             _command("networks.eval.command")),
    "predict": ("tell what a trained network sees in an image", _command("networks.predict")),
    "quantize": ("make a trained network one of 8-bit integers", _command("networks.quantize")),
    "prune": ("make the smallest weights of a trained network zero", _command("networks.prune")),
    "import": ("take over a network from an ONNX file", _command("networks.onnx.importing")),
    "export": ("write a network as an ONNX file", _command("networks.onnx.exporting")),
    "formats": ("find the smallest formats for each layer", _command("networks.onnx.formats")),
    "study": ("vary one setting of a network's training", _actions("networks.study.command")),
    "sweep": ("train all runs that a file asks for, and keep them in a store",
              _command("networks.experiments.sweep")),
    "runs": ("list, show and compare the runs of a store", _actions("networks.experiments.runs")),
    "recipes": ("tell what each recipe sets, its accuracy and its gates",
                _command("networks.experiments.recipes")),
    "paper": ("make published tables anew, measured beside published",
              _actions("networks.experiments.paper")),
    "front": ("draw accuracy against gates", _command("networks.experiments.front")),
    "report": ("make one page of all that a store knows", _command("networks.experiments.report")),
    "data": ("list data sets, download and show them", _actions("networks.data")),
    "ops": ("list the operators", _ops),
    "check": ("compare an operator with real arithmetic", _check),
    "spindle": ("fit activations to functions and samples", _command("spindle.command")),
    "lab": ("labs: custom function units on a RISC-V in simulation", _actions("lab.command")),
    "design": ("find the best Delta method at a budget of gates",
               _actions("networks.experiments.design")),
    "rtl": ("generate, simulate, prove and cost Verilog", _actions("rtl.command")),
    "new": ("begin a Delta method or an operator of your own", _command("operators.new")),
    "doctor": ("tell what is installed and what is missing", _command("doctor.command")),
}


def _near(name: str, known) -> str:
    near = difflib.get_close_matches(name.partition("=")[0], known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _one_line(error: Exception) -> str:
    """Return what a person needs to know of an error."""
    if missing := how_to_get(error):
        return missing
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        text = where + error.strerror
    else:
        text = " ".join(str(error).split())
    text = _short(text)
    expected = (
        isinstance(error, (ValueError, OSError)) or type(error).__name__ == "DataError"
    )
    if expected and text:
        return text
    return f"{type(error).__name__}: {text} (a fault of ours; {DEBUG}=1 shows where)"


def _short(text: str) -> str:
    """Return a complaint, its middle left out where somebody gave us pages."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 100]} ... {text[-95:]}"
