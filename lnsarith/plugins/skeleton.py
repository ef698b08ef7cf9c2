"""The files with which a Delta method or an operator of one's own begins."""

from __future__ import annotations

from importlib import resources

from lnsarith.plugins.registry import NAME, ROW, PluginError

__all__ = ["KINDS", "skeleton"]

KINDS = ("delta", "operator")
FAMILIES = ("fixed", "lns")


def skeleton(kind: str, name: str) -> dict[str, str]:
    """Return the text of each file, by its name: the plugin, its oracle, a test.

    name is a Delta method's, or an operator's, fixed-... or lns-..., fixed where it says
    neither. FormatError for a name that cannot be.
    """
    family = next((f for f in FAMILIES if name.startswith(f"{f}-")), "fixed")
    plain = name.removeprefix(f"{family}-") if kind == "operator" else name
    full = f"{family}-{plain}" if kind == "operator" else name
    if not (ROW if kind == "operator" else NAME).fullmatch(full) or not plain.isascii():
        raise PluginError(f"the name of {'an operator' if kind == 'operator' else 'a method'} "
                          f"must be small letters such as my-own, got {name!r}")
    function = plain.replace("-", "_")
    words = {"name": full, "plain": plain, "file": function, "function": function,
             "Class": "".join(part.capitalize() for part in function.split("_"))}
    base = "delta" if kind == "delta" else family
    texts = {f"{function}.py": base, f"{function}_oracle.py": f"{base}_oracle",
             f"test_{function}.py": f"{kind}_test"}
    return {file: _filled(text, words) for file, text in texts.items()}


def _filled(template: str, words: dict[str, str]) -> str:
    folder = resources.files("lnsarith.plugins") / "skeletons"
    text = (folder / f"{template}.txt").read_text("utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
