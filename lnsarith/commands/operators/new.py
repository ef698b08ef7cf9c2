"""lnsarith new: the files with which a Delta method or an operator of one's own begins."""

from __future__ import annotations

import json
import keyword
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from fxp.format import FormatError
from lnsarith.host.files.whole import write_whole
from lnsarith.plugins.skeleton import KINDS, skeleton

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add what is begun, its name and the folder."""
    parser.add_argument("kind", choices=KINDS, metavar="delta|operator", help="what is begun")
    parser.add_argument("name", metavar="NAME", help="what it is called: my-method; an operator "
                        "is fixed-NAME or lns-NAME, fixed unless said")
    parser.add_argument("--out", metavar="DIR", default=".",
                        help="folder of the files (default: this one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Write a plugin, its oracle and a test, all of which work; print what to do with them."""
    texts, folder = skeleton(args.kind, args.name), Path(args.out)
    if keyword.iskeyword(stem := next(iter(texts)).removesuffix(".py")):
        raise FormatError(f"{stem} is a word of Python; choose another name")
    if there := [name for name in texts if (folder / name).exists()]:
        raise FormatError(f"{folder / there[0]} is there already; choose another --out or name")
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in texts]
    for file, text in zip(files, texts.values()):
        write_whole(file, partial(Path.write_text, data=text, encoding="utf-8"))
    if args.json:
        print(json.dumps({"kind": args.kind, "files": [str(f) for f in files]}))
        return 0
    print("\n".join([*map(str, files), "", *_next(args.kind, files)]))
    return 0


def _next(kind: str, files: list[Path]) -> list[str]:
    """Return what a person can do with the files now."""
    plugin, _, test = files
    from lnsarith.plugins.load import load_plugin

    name = load_plugin(plugin).names[0]
    family, _, plain = name.partition("-")
    of = f"add --delta {name} --arith lns12" if kind == "delta" else f"{name} --arith {family}12"
    trained = (f"--delta {name}" if kind == "delta" else
               f"--arith {family}12 --activation op:{plain}")
    return [f"python -m pytest {test}", *(f"lnsarith {line} --plugin {plugin}" for line in (
        f"check {of}", f"train --dataset digits {trained}", f"rtl gen {of}", f"rtl prove {of}",
        f"rtl synth {of}"))]
