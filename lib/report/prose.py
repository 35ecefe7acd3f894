"""Markdown as HTML that asks nothing of the outside: formulas are drawn, links stay within."""

from __future__ import annotations

import base64
import html as markup
import io
import re
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from matplotlib import mathtext
from matplotlib.font_manager import FontProperties
from mdit_py_plugins.dollarmath import dollarmath_plugin

_NOTEBOOK = re.compile(r"^(?:\./)?(\d[1-9])_\w+\.ipynb(?:#.*)?$")


def render_markdown(text: str, *, html: bool = False) -> str:
    """Markdown with tables and formulas; headings go one level down.

    Parameters
    ----------
    html : whether raw HTML in it passes (it is to be cleaned then) or is shown as text.
    """
    parser = _parser(html)
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    safe = parser.renderer.render(tokens, parser.options, {})
    return safe.replace("<table>", '<div class="wide" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


@cache
def _parser(html: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": html}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, renderer=_formula, double_inline=True)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    return parser


def _formula(tex: str, options: dict) -> str:
    """A formula as a drawing with its TeX as alternative text; TeX that matplotlib cannot set
    stays as code.
    """
    buffer = io.BytesIO()
    try:
        mathtext.math_to_image(
            f"${' '.join(tex.split())}$", buffer, format="svg", prop=FontProperties(size=11)
        )
    except ValueError:
        return f"<code>{markup.escape(tex)}</code>"
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{markup.escape(tex)}" src="data:image/svg+xml;base64,{data}">'


def _link_open(self, tokens, index, options, env) -> str:
    """Links to other notebooks lead to their place in the page; other files are not beside it."""
    href = str(tokens[index].attrGet("href") or "")
    notebook = _NOTEBOOK.match(href)
    if notebook:
        return f'<a href="#notebook-{notebook[1]}">'
    if urlsplit(href).scheme in ("http", "https") or href.startswith("#"):
        return f'<a href="{markup.escape(href)}" rel="noreferrer">'
    return "<a>"


def _image(self, tokens, index, options, env) -> str:
    return f"<em>{markup.escape(tokens[index].content)}</em>"
