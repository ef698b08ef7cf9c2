"""lnsarith data list, get and show: which data sets are here, fetch one, look at one."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from lnsarith.commands.common.figure import add_figure
from nets.data import sets as data

__all__ = ["options", "run_get", "run_list", "run_show"]

HEADER = ("name", "images", "classes", "train", "test", "download", "where")

SHOWN = 16  # images of a class that a picture has room for


def options(parser: ArgumentParser) -> None:
    """Add the actions list, get and show."""
    actions = parser.add_subparsers(metavar="list|get|show", required=True)
    for name, summary, function in (
            ("list", "show the data sets and where they are", run_list),
            ("get", "download a data set", run_get),
            ("show", "count a data set's images by class, and draw some", run_show)):
        action = actions.add_parser(name, help=summary)
        if name != "list":
            action.add_argument("name", help="a data set's name, see lnsarith data list")
        if name == "show":
            action.add_argument("--plot", metavar="FILE",
                                help=f"draw the first {SHOWN} training images of each class")
            add_figure(action)
        action.add_argument("--data-dir", metavar="DIR", help="folder of the data sets "
                            "(default $LNSARITH_DATA, else the user's cache)")
        action.add_argument("--json", action="store_true", help="print one JSON object")
        action.set_defaults(run=function)


def run_list(args: Namespace) -> int:
    """Print a line for each data set, or with args.json {"data_sets": [rows]}."""
    rows = data.catalogue(args.data_dir)
    if args.json:
        print(json.dumps({"data_sets": rows}))
    else:
        _print_table([HEADER, *map(_cells, rows)])
    return 0


def run_get(args: Namespace) -> int:
    """Download args.name where needed and print its line, or with args.json its row."""
    row = data.get(args.name, args.data_dir)
    if args.json:
        print(json.dumps(row))
    else:
        _print_table([HEADER, _cells(row)])
    return 0


def run_show(args: Namespace) -> int:
    """Print how many images each class has; with args.plot draw some of each."""
    import numpy as np

    from lnsarith.commands.networks.eval.answer import class_names
    from lnsarith.host import picture

    if args.plot:
        picture.require_writable(args.plot)
    dataset = data.load(args.name, args.data_dir)
    names = class_names(args.name, dataset.classes)
    counts = {part: np.bincount(labels, minlength=dataset.classes).tolist() for part, labels in
              (("train", dataset.train_labels), ("test", dataset.test_labels))}
    row = next(row for row in data.catalogue(args.data_dir) if row["name"] == args.name)
    result = {"name": args.name, "shape": list(dataset.train_images.shape[1:]),
              "note": row.get("note"), "classes": names, **counts, "plot": args.plot}
    if args.plot:
        _draw(args.plot, dataset, names, row.get("note"))
    if args.json:
        print(json.dumps(result))
        return 0
    print(f"{args.name}: {len(dataset.train_labels):,} training and {len(dataset.test_labels):,} "
          f"test images of {'x'.join(map(str, result['shape']))}")
    if row.get("note"):
        print(row["note"])
    for name, train, test in zip(names, counts["train"], counts["test"]):
        print(f"  {name:>10}  {train:6,}  {test:6,}")
    if args.plot:
        print(f"drawn in {args.plot}")
    return 0


def _draw(path: str, dataset: data.Dataset, names: list[str], note: str | None) -> None:
    """Draw a row of training images for each class."""
    import numpy as np

    from lnsarith.host.picture import picture

    title = f"{dataset.name}: training images" + (f" ({note})" if note else "")
    height, width, *_ = dataset.train_images.shape[1:]
    sheet = np.full((dataset.classes * (height + 1), SHOWN * (width + 1),
                     *dataset.train_images.shape[3:]), 255, np.uint8)
    for k in range(dataset.classes):
        found = dataset.train_images[np.flatnonzero(dataset.train_labels == k)[:SHOWN]]
        for i, image in enumerate(found):
            top, left = k * (height + 1), i * (width + 1)
            sheet[top : top + height, left : left + width] = image
    size = (9, 0.6 + 9 * len(sheet) / sheet.shape[1])
    with picture(path, title, size) as figure:
        axes = figure.subplots()
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        axes.set_yticks([(k + 0.5) * (height + 1) for k in range(dataset.classes)], names)


def _cells(row: dict) -> tuple[str, ...]:
    size = row["download_bytes"]
    return (
        row["name"],
        "x".join(map(str, row["shape"])),
        str(row["classes"]),
        f"{row['train']:,}",
        f"{row['test']:,}",
        f"{size / 1e6:.1f} MB" if size else "-",
        (row["found"] or "not here") + (f" ({row['note']})" if "note" in row else ""),
    )


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *numbers, where in lines:
        cells = map(str.rjust, numbers, widths[1:])
        print("  ".join([name.ljust(widths[0]), *cells, where]))
