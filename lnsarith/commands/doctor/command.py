"""lnsarith doctor: what is installed, what is missing, and what that would give."""

from __future__ import annotations

import json
import os
import platform
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import add_data, thread_count
from lnsarith.commands.doctor.parts import PACKAGES, PROGRAMS, package, program
from lnsarith.host.version import __version__

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add where data sets are, and --json."""
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Print what is there; 1 where a package that every command needs is missing."""
    found = _found(args)
    print(json.dumps(found) if args.json else "\n".join(_lines(found)))
    core = {name for name, _, _, extra in PACKAGES if not extra}
    return int(any(p["name"] in core and not p["version"] for p in found["packages"]))


def _found(args: Namespace) -> dict:
    return {
        "version": __version__, "python": platform.python_version(),
        "system": platform.platform(), "processor": _processor(),
        "vectors": _vectors(), "threads": thread_count(None),
        "backend": os.environ.get("LNSARITH_BACKEND") or "vector",
        "packages": [package(*row).as_dict() for row in PACKAGES],
        "programs": [program(*row).as_dict() for row in PROGRAMS],
        "caches": [_folder(*row) for row in _caches()],
        "data_sets": _data_sets(args.data_dir),
        "plugins": _plugins(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _vectors() -> dict | None:
    """Return what kernels are compiled for, None where they cannot be."""
    try:
        from fxp.compile.machine.target import target
    except ImportError:
        return None
    return {"level": target().level, "bits": target().register_bits}


def _caches():
    """Yield the name and the folder of every cache, and what chooses another."""
    import platformdirs

    try:
        from fxp.compile.machine.kept import folder

        yield "kernels", folder().parent, "$LNSARITH_CACHE"
    except ImportError:
        pass
    yowasp = os.environ.get("YOWASP_CACHE_DIR")
    yield "YoWASP tools", Path(yowasp or platformdirs.user_cache_path("YoWASP", appauthor=False)), (
        "$YOWASP_CACHE_DIR")


def _folder(name: str, path: Path, chosen_by: str) -> dict:
    """Return where a cache is, its bytes, and whether it can be written."""
    size = 0
    for file in path.rglob("*") if path.is_dir() else ():
        try:
            size += file.stat().st_size
        except OSError:  # another process took it away
            continue
    there = next(p for p in (path, *path.parents) if p.exists())
    return {"name": name, "folder": str(path), "bytes": size, "chosen_by": chosen_by,
            "writable": os.access(there, os.W_OK)}


def _data_sets(data_dir) -> list[dict]:
    try:
        from nets.data.sets import catalogue

        rows = catalogue(data_dir)
    except ImportError:
        return []
    return [{"name": r["name"], "found": r["found"], "bytes": r["download_bytes"]} for r in rows]


def _plugins() -> list[dict]:
    from lnsarith.plugins.load import load_installed, loaded

    load_installed()
    return [{**p.as_dict(), "names": list(p.names)} for p in loaded()]


def _lines(found: dict) -> list[str]:
    vectors = found["vectors"]
    level = f"{vectors['level']}, {vectors['bits']} bits" if vectors else "none: no numba"
    head = [("lnsarith", f"{found['version']}, Python {found['python']}, {found['system']}"),
            ("processor", found["processor"]), ("vectors", level),
            ("threads", str(found["threads"])), ("backend", found["backend"])]
    return [*(f"{name:11}{value}" for name, value in head),
            "", "packages", *map(_part, found["packages"]),
            "", "programs", *map(_part, found["programs"]),
            "", "caches", *map(_cache, found["caches"]),
            "", "data sets", *map(_data_set, found["data_sets"]),
            *(["", "plugins", *map(_plugin, found["plugins"])] if found["plugins"] else [])]


def _part(part: dict) -> str:
    version = part["version"] or "missing"
    get = f"  ({part['get']})" if part["get"] else ""
    return f"  {part['name']:25}{version:19}{part['gives']}{get}"


def _cache(cache: dict) -> str:
    note = "" if cache["writable"] else ", cannot be written: nothing is kept"
    return (f"  {cache['name']:25}{cache['bytes'] / 1e6:.1f} MB in {cache['folder']} "
            f"({cache['chosen_by']}){note}")


def _data_set(row: dict) -> str:
    if row["found"]:
        return f"  {row['name']:25}{row['found']}"
    return (f"  {row['name']:25}missing            lnsarith data get {row['name']} "
            f"({row['bytes'] / 1e6:.0f} MB)")


def _plugin(row: dict) -> str:
    return f"  {', '.join(row['names']):25}{row['file']}"
