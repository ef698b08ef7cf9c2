"""Bit-accurate fixed-point and logarithmic arithmetic, and networks trained in it.

    import lnsarith as la

    x = la.LnsArray.from_float([1.0, 2.0, -3.0], "lns16")
    run = la.train(dataset="digits", arith="lns12", epochs=3)
    run.predict(images)

What `__all__` names is kept stable; each name is loaded when it is first asked for. All
other names, those of modules included, may change.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxp.arrays.array import FixedArray
    from fxp.arrays.joining import concatenate, stack, where
    from fxp.format import Fixed
    from lnsarith.api import (
        Plugin,
        Run,
        check,
        find,
        from_sklearn,
        load,
        load_plugin,
        operators,
        train,
    )
    from lnsarith.catalogue.array import LnsArray
    from lnsarith.catalogue.operator import Operator, Option
    from lnsarith.delta.method import Delta
    from lnsarith.host.version import __version__
    from lnsarith.lns.format import Lns

__all__ = ["Delta", "Fixed", "FixedArray", "Lns", "LnsArray", "Operator", "Option", "Plugin", "Run",
           "__version__", "check", "concatenate", "find", "from_sklearn", "load", "load_plugin",
           "operators", "stack", "train", "where"]

_HOMES = {
    "fxp.arrays.array": ("FixedArray",), "fxp.format": ("Fixed",),
    "fxp.arrays.joining": ("concatenate", "stack", "where"),
    "lnsarith.api": ("Plugin", "Run", "check", "find", "from_sklearn", "load", "load_plugin",
                     "operators", "train"),
    "lnsarith.catalogue.array": ("LnsArray",), "lnsarith.lns.format": ("Lns",),
    "lnsarith.catalogue.operator": ("Operator", "Option"), "lnsarith.delta.method": ("Delta",),
    "lnsarith.host.version": ("__version__",),
}

if not TYPE_CHECKING:  # which knows the names from above

    def __getattr__(name: str) -> Any:
        for module, names in _HOMES.items():
            if name in names:
                found = globals()[name] = getattr(importlib.import_module(module), name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; there are "
                             f"{', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
