"""Formulas as MathML, which browsers draw by themselves: no script, no network."""

from docutils.nodes import SkipNode
from docutils.utils.math import latex2mathml


def inline(self, node):
    """Write a formula in a line of text."""
    self.body.append(_markup(node.astext(), False))
    raise SkipNode


def block(self, node):
    """Write a formula on a line of its own."""
    self.body.append(f'<div class="math">{_markup(node.astext(), True)}</div>')
    raise SkipNode


def _markup(text: str, as_block: bool) -> str:
    return latex2mathml.tex2mathml(text, as_block=as_block)


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
