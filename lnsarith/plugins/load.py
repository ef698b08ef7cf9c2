"""Plugins of this process: given as files, or installed as packages.

A package names its module in the entry-point group `lnsarith.plugins`. A run keeps what it was
trained with, and asks for the same bytes when it is opened again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from lnsarith.host.files.reading import read_bytes
from lnsarith.plugins.registry import PluginError, names_of, register

__all__ = ["GROUP", "Plugin", "demand", "kept", "load_installed", "load_plugin", "loaded"]

GROUP = "lnsarith.plugins"
MOST = 1 << 24  # bytes of a plugin

log = logging.getLogger(__name__)
_loaded: list[Plugin] = []
_installed = False


@dataclass(frozen=True)
class Plugin:
    """A plugin that is known: its file, the file's sha256, the names that it brought, and the
    package that brought it, "" of a file that was given."""

    file: Path
    sha256: str
    names: tuple[str, ...]
    package: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what a run keeps of it."""
        return {"file": str(self.file), "sha256": self.sha256, "package": self.package}


def loaded() -> tuple[Plugin, ...]:
    """Return the plugins of this process, in the order in which they came."""
    return tuple(_loaded)


def load_plugin(file) -> Plugin:
    """Return the plugin in a Python file, its Delta methods and operators made known; the same
    file again changes nothing. PluginError for a file that is none."""
    path = Path(file).absolute()
    sha256 = _sha256(path)
    for plugin in _loaded:
        if plugin.sha256 == sha256:
            return plugin
        if plugin.file == path:
            raise PluginError(f"plugin {file} has changed since this process loaded it: start "
                              "another one")
    name = f"lnsarith_plugin_{sha256[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin {file} is no Python file by its name: call it NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # which dataclasses look up
    try:
        _run(lambda: spec.loader.exec_module(module), f"plugin {file}")
        register(module, f"plugin {file}")
    except BaseException:
        del sys.modules[name]
        raise
    return _keep(Plugin(path, sha256, tuple(names_of(module))))


def load_installed() -> None:
    """Make known what installed packages bring, once; one that fails is told in the log."""
    global _installed
    if _installed:
        return
    _installed = True
    for point in metadata.entry_points(group=GROUP):
        where = f"plugin {point.name} of {point.dist.name if point.dist else 'a package'}"
        try:
            module = _run(lambda point=point: point.load(), where)
            if not isinstance(module, ModuleType) or not module.__file__:
                raise PluginError(f"{where} is no module")
            register(module, where)
        except PluginError as error:
            log.warning("%s; it is left out", error)
            continue
        path = Path(module.__file__)
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.name
        _keep(Plugin(path, _sha256(path), tuple(names_of(module)), package))


def kept(settings: Mapping[str, object]) -> list[dict[str, str]]:
    """Return what a run with these settings keeps: every file that was given, and of installed
    packages those that a setting names."""
    words = {part for value in settings.values() if isinstance(value, str)
             for part in (value.partition(":")[0], value.partition(":")[2])}
    rows = {name.partition("-")[2]: name for p in _loaded for name in p.names}
    words |= {rows[word] for word in words if word in rows}
    return [p.as_dict() for p in _loaded if not p.package or words & set(p.names)]


def demand(plugins: list[dict[str, str]], whose: str) -> None:
    """Load the plugins that a run has kept; PluginError, saying whose they are, for one that
    is missing or has changed."""
    for row in plugins:
        if any(p.sha256 == row["sha256"] for p in _loaded):
            continue
        file, package = Path(row["file"]), row.get("package", "")
        if package:
            load_installed()
            if any(p.sha256 == row["sha256"] for p in _loaded):
                continue
            raise PluginError(f"{whose} was trained with the plugin {file.name} of {package}, "
                              "which is not installed as it was; install that version")
        hint = f"give --plugin the file with sha256 {row['sha256'][:16]}..."
        if not file.exists():
            raise PluginError(f"{whose} was trained with the plugin {file}, which is missing; "
                              f"{hint}")
        if _sha256(file) != row["sha256"]:
            raise PluginError(f"{whose} was trained with the plugin {file}, which has changed "
                              f"since; {hint}")
        load_plugin(file)


def _keep(plugin: Plugin) -> Plugin:
    _loaded.append(plugin)
    log.info("plugin %s brings %s", plugin.file, ", ".join(plugin.names))
    return plugin


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(read_bytes(path, MOST)).hexdigest()
    except OSError as error:
        raise PluginError(f"plugin {path}: {error.strerror}") from None


def _run(call, where: str):
    """Return what a call of foreign code returns; PluginError for whatever it raises."""
    try:
        return call()
    except PluginError:
        raise
    except SyntaxError as error:
        raise PluginError(f"{where}, line {error.lineno}: {error.msg}") from None
    except Exception as error:
        raise PluginError(f"{where}{_line(error)}: {type(error).__name__}: {error}") from error


def _line(error: Exception) -> str:
    """Return where in a plugin's file an error was raised."""
    trace, line = error.__traceback__, ""
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("lnsarith_plugin_"):
            line = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return line
