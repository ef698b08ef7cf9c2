"""The page: its text, script, library and data in one file that opens without a network."""

from __future__ import annotations

import json
from pathlib import Path

from lnsarith.host.picture.page import DARK, LIGHT, series, variables

__all__ = ["page"]

HERE = Path(__file__).parent
SCRIPTS = ("names.js", "page.js")


def page(contents: dict) -> str:
    """Return the HTML of a report's contents (`nets.experiments.report.data`), the library that
    draws (plotly.js) embedded whole."""
    from plotly.offline import get_plotlyjs

    # No text of a setting may end the script that holds the data.
    data = json.dumps(contents, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    text = (HERE / "page.html").read_text("utf-8")
    parts = {"@LIGHT@": variables(LIGHT), "@DARK@": variables(DARK), "@DATA@": data,
             "@LIBRARY@": get_plotlyjs().replace("</script", "<\\/script"),
             "@SCRIPT@": "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS),
             "@SERIES@": json.dumps(series())}
    for mark, part in parts.items():
        before, _, after = text.partition(mark)
        text = before + part + after
    return text
