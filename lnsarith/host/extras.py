"""Packages that a plain install leaves out: which extra brings them."""

from __future__ import annotations

__all__ = ["EXTRAS", "how_to_get"]

# Module: the package that has it, and the extra of setup.cfg that names the package.
EXTRAS = {
    "bitwuzla": ("bitwuzla", "rtl"),
    "cocotb": ("cocotb", "rtl"),
    "cocotb_tools": ("cocotb", "rtl"),
    "pyverilog": ("pyverilog", "rtl"),
    "z3": ("z3-solver", "rtl"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "test"),
    "distributed": ("distributed", "cluster"),
    "plotly": ("plotly", "report"),
    "hypothesis": ("hypothesis", "test"),
    "argcomplete": ("argcomplete", "shell"),
}


def how_to_get(error: BaseException) -> str | None:
    """Return what to install after a failed import, None for what no extra brings."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    package, extra = EXTRAS.get(error.name.partition(".")[0], ("", ""))
    return f"{package} is not installed: pip install 'lnsarith[{extra}]'" if extra else None
