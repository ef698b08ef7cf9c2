"""The house: no import circle among its files, no folder that one cannot overlook."""

import graphlib
import re
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("fxp", "lnsarith", "nets", "verilog")
# Entries of a folder, __init__.py among them. The root has what tools look for there, and findings/
# one script a finding, which are read as a list: neither is counted, nor is the mark py.typed.
MOST = 14
MADE = {"__pycache__", "_build", "made", "sg_execution_times.rst", "work"}
UNCOUNTED = MADE | {"py.typed"}


def circle(imports):
    """Return the files of an import circle, in order, or nothing."""
    try:
        tuple(graphlib.TopologicalSorter(imports).static_order())
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


def test_no_files_import_each_other_in_a_circle():
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    assert len(imports) > 200 and any(imports.values())
    assert circle(imports) == []


def entries(folder):
    """Return what a folder holds: files, and folders that hold any, but for what is made."""
    return [e for e in folder.iterdir() if e.name not in UNCOUNTED and (e.is_file() or entries(e))]


def test_no_folder_is_a_corridor():
    tops = [ROOT / p for p in (*PACKAGES, "tests", "benchmarks", "docs")]
    crowded = {str(f.relative_to(ROOT)): n for top in tops for f in (top, *top.rglob("*"))
               if f.is_dir() and not MADE & {*f.relative_to(ROOT).parts}
               and (n := len(entries(f))) > MOST}
    assert crowded == {}


def named_in_vain(text):
    """Return the places in the packages (`fxp.arrays.words`, fxp/arrays/words.py) that a text
    names and that are not there."""
    found = []
    for name in re.findall(rf"(?<![\w./-])(?:{'|'.join(PACKAGES)})(?:[./]\w+)+(?![\w(])", text):
        folder, rest = ROOT, re.split(r"[./]", name.removesuffix(".py"))
        while rest and (folder / rest[0]).is_dir():
            folder = folder / rest.pop(0)
        file = folder / "__init__.py"
        if rest and (folder / f"{rest[0]}.py").is_file():
            file = folder / f"{rest.pop(0)}.py"
        if rest and not re.search(rf"\b{rest[0]}\b", file.read_text("utf-8")):
            found.append(name)
    return found


def test_texts_name_places_that_are_there():
    there = "see `fxp.arrays.words.WordArray`, lnsarith/delta/, nets/layers/dense.py"
    assert named_in_vain(there) == []
    gone = ["nets/lns.py", "fxp.arrays.words.Gone", "fxp.trace.gone", "fxp/bits.py"]
    assert named_in_vain(" ".join(gone)) == gone
    files = [ROOT / "README.md", *(f for p in (*PACKAGES, "benchmarks") for f in
                                   (ROOT / p).rglob("*.py"))]
    texts = {str(f.relative_to(ROOT)): named_in_vain(f.read_text("utf-8")) for f in files}
    assert {f: names for f, names in texts.items() if names} == {}
