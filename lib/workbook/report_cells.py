"""An executed notebook as safe HTML: prose, tables and figures, without code and without anything
that runs.

Text from data files can reach a notebook's output, so nothing is passed on as it is: Markdown is
rendered with raw HTML switched off, HTML tables are cut down to harmless tags, and all the rest is
escaped.
"""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import bleach
from markdown_it import MarkdownIt
from matplotlib import mathtext
from matplotlib.font_manager import FontProperties
from mdit_py_plugins.dollarmath import dollarmath_plugin
from PIL import Image

from lib.storage.alt_text import read_alt_text
from lib.workbook.notebook_files import nbformat
from lib.workbook.report_page import mark_short

TABLE_TAGS = {
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "caption",
    "b",
    "i",
    "em",
    "strong",
    "code",
    "sub",
    "sup",
    "br",
    "p",
    "span",
    "div",
    "ul",
    "ol",
    "li",
}
TABLE_ATTRIBUTES = {"th": ["colspan", "rowspan", "scope"], "td": ["colspan", "rowspan"]}
_SAVED = re.compile(r"save_figure\(.*?f?[\"'](\w+)[\"']", re.S)
PROGRESS = re.compile(r"^[\w ,()-]+: \d+ of \d+(, .* left.*| in .*)\n?", re.M)
_STYLE = re.compile(r"<(style|script)\b.*?</\1>", re.S | re.I)
_TWO_HEADERS = re.compile(
    r"<thead>\s*<tr>((?:\s*<th[^>]*>[^<]*</th>)+)\s*</tr>"
    r"\s*<tr>((?:\s*<th[^>]*>[^<]*</th>)+)\s*</tr>\s*</thead>"
)
_UNDERSCORE = re.compile(
    r"_(?=[^<>]*<)"
)  # in text: a place where a long name may go on in the next line
MANY_COLUMNS = 9  # with more, a page of paper needs small print
_NOTEBOOK = re.compile(r"^(?:\./)?(\d\d)_\w+\.ipynb(?:#.*)?$")


@dataclass(frozen=True)
class Section:
    """One notebook in the report."""

    number: str
    title: str
    body: str  # safe HTML


def render_notebook(path: Path, figures: Path, scale: float = 1.0) -> Section:
    """Render the notebook at ``path``.

    Parameters
    ----------
    figures : folder of ``<NN>_<name>.png``; a figure that a cell saved is shown from there, with
        its description.
    scale : size of embedded figures, where the page would grow too large; 0 to 1.
    """
    notebook, number = nbformat.read(path, as_version=4), path.name[:2]
    body, title, heading = [], path.stem, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ +(.+)$", cell.source, flags=re.M)
            title = headings[0] if headings and title == path.stem else title
            heading = headings[-1] if headings else heading
            body.append(render_markdown(_without_title(cell.source, title)))
        elif cell.cell_type == "code":
            body += _render_outputs(cell, number, figures, heading or title, scale)
    return Section(number, _plain(title), "\n".join(body))


def _without_title(source: str, title: str) -> str:
    return re.sub(rf"^# +{re.escape(title)}$", "", source, count=1, flags=re.M)


def _plain(markdown: str) -> str:
    return re.sub(r"[*_`]|\[([^]]*)\]\([^)]*\)", r"\1", markdown).strip()


def _render_outputs(cell, number: str, figures: Path, heading: str, scale: float) -> list[str]:
    saved = [
        path
        for name in _SAVED.findall(cell.source)
        if (path := figures / f"{number}_{name}.png").is_file()
    ]
    parts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data:
            if saved:
                path = saved.pop(0)
                parts.append(figure_html(path.read_bytes(), read_alt_text(path) or heading, scale))
            else:
                alt = (
                    output.metadata.get("image/png", {}).get("alt")
                    or f"A figure on: {_plain(heading)}"
                )
                parts.append(figure_html(base64.b64decode(data["image/png"]), alt, scale))
        else:
            parts.append(_render_data(output, data))
    # saved and not displayed
    parts += [
        figure_html(path.read_bytes(), read_alt_text(path) or heading, scale) for path in saved
    ]
    return [part for part in parts if part]


def _render_data(output, data) -> str:
    """Everything but pictures; widgets and standard error are left out, for nothing can be
    moved in a report.
    """
    if "application/vnd.jupyter.widget-view+json" in data:
        return ""
    if "text/markdown" in data:
        return render_markdown(data["text/markdown"])
    if "text/html" in data:
        return table_html(data["text/html"])
    if output.output_type == "stream":
        text = PROGRESS.sub("", output.text) if output.name == "stdout" else ""
    elif output.output_type == "error":
        text = f"{output.ename}: {output.evalue}"
    else:
        text = data.get("text/plain", "")
    return f"<pre>{html.escape(text.rstrip())}</pre>" if text.strip() else ""


def table_html(markup: str) -> str:
    """HTML of unknown origin, reduced to tables and plain text."""
    safe = bleach.clean(
        _STYLE.sub("", markup), TABLE_TAGS, TABLE_ATTRIBUTES, strip=True, strip_comments=True
    )
    head = _TWO_HEADERS.search(safe)
    if head:
        safe = safe[: head.start()] + _one_header(head) + safe[head.end() :]
    columns = max((row.count("<th") + row.count("<td") for row in safe.split("</tr>")), default=0)
    many = " many" if columns > MANY_COLUMNS else ""
    return (
        f'<div class="wide{many}" tabindex="0">{mark_short(_UNDERSCORE.sub("_<wbr>", safe))}</div>'
    )


def _one_header(head: re.Match) -> str:
    """The two header rows of a frame whose index has a name as one row: index names, then columns.

    Columns of several levels stay in several rows.
    """
    columns, index = (
        [
            name.strip()
            for name in re.findall(r"<th\b[^>]*>(.*?)</th>", row.replace("&nbsp;", " "), re.S)
        ]
        for row in head.groups()
    )  # a styled frame has &nbsp; in its empty cells
    levels = len([name for name in index if name])
    if "colspan" in head[0] or len(columns) != len(index) or any(index[levels:]):
        return head[0]
    return (
        "<thead><tr>"
        + "".join(f"<th>{name}</th>" for name in index[:levels] + columns[levels:])
        + "</tr></thead>"
    )


def figure_html(png: bytes, alt: str, scale: float) -> str:
    """A figure at its own size, two thirds of a pixel to a dot, so that letters are equally
    large in all figures.
    """
    kind, small = shrink(png, scale)
    data, width = base64.b64encode(small).decode(), round(Image.open(io.BytesIO(png)).width / 1.5)
    return (
        f'<figure><img src="data:image/{kind};base64,{data}" '
        f'alt="{html.escape(alt)}" width="{width}"'
        f' style="--width:{width}px"></figure>'
    )


@lru_cache(256)
def shrink(png: bytes, scale: float) -> tuple[str, bytes]:
    """A figure as the smaller of PNG and JPEG: drawings stay PNG in 256 colours, pictures of
    faces become JPEG.
    """
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if scale < 1:
        image = image.resize(
            [max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS
        )
    if image.getcolors(20_000) is not None:
        return "png", _encoded(few_colours(image), "PNG")
    return min(
        ("png", _encoded(image, "PNG")),
        ("jpeg", _encoded(image, "JPEG", quality=88)),
        key=lambda pair: len(pair[1]),
    )


def few_colours(image: Image.Image) -> Image.Image:
    """In 256 colours, as near to every one as can be: a median cut gives up thin lines' colours
    for larger areas.
    """
    return image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def render_markdown(text: str) -> str:
    """Markdown with tables and formulas; raw HTML in it is shown as text, headings go one level
    down.
    """
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    safe = _markdown.renderer.render(tokens, _markdown.options, {})
    return safe.replace("<table>", '<div class="wide" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def _formula(tex: str, options: dict) -> str:
    """A formula as a drawing with its TeX as alt text; TeX that matplotlib cannot set stays as
    code.
    """
    buffer = io.BytesIO()
    try:
        depth = mathtext.math_to_image(
            f"${' '.join(tex.split())}$", buffer, format="svg", prop=FontProperties(size=11)
        )
    except ValueError:
        return f"<code>{html.escape(tex)}</code>"
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img class="formula" style="vertical-align:{-depth:.1f}pt" alt="{html.escape(tex)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _link_open(self, tokens, index, options, env) -> str:
    """Links to other notebooks become links within the page; other files of the project are not
    beside the report.
    """
    href = str(tokens[index].attrGet("href") or "")
    notebook = _NOTEBOOK.match(href)
    if notebook:
        return f'<a href="#notebook-{notebook[1]}">'
    if urlsplit(href).scheme in ("http", "https") or href.startswith("#"):
        return f'<a href="{html.escape(href)}" rel="noreferrer">'
    return "<a>"


def _image(self, tokens, index, options, env) -> str:
    return f"<em>{html.escape(tokens[index].content)}</em>"


_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_markdown.use(dollarmath_plugin, renderer=_formula, double_inline=True)
_markdown.add_render_rule("link_open", _link_open)
_markdown.add_render_rule("image", _image)
