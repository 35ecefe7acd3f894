"""An executed notebook as safe HTML: prose, tables and figures, without code.

nbconvert renders it with the template in ``templates/notebook``. Text from data files can reach a
notebook's output, so nothing is passed on as it is: raw HTML in outputs is shown as text, HTML
tables are cut down to harmless tags, and all the rest is escaped.
"""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import bleach
import numpy as np
from PIL import Image
from traitlets.config import Config

from lib.report.notebook_files import HTMLExporter, nbformat
from lib.report.prose import render_markdown

KEPT = 64  # of a picture's 256 colours that are its commonest, unchanged
TEMPLATES = Path(__file__).parent / "templates"
PROGRESS = re.compile(r"^[\w ,()-]+: \d+ of \d+(, .* left.*| in .*)\n?", re.M)
TABLE_TAGS = {
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "b", "i", "em", "strong"),
    *("code", "sub", "sup", "br", "p", "span", "div", "ul", "ol", "li"),
}
PROSE_TAGS = TABLE_TAGS | {
    *("h1", "h2", "h3", "h4", "h5", "h6", "a", "img", "pre", "blockquote", "hr", "del"),
    *("details", "summary"),
}
ATTRIBUTES = {"th": ["colspan", "rowspan", "scope"], "td": ["colspan", "rowspan"]}
PROSE_ATTRIBUTES = ATTRIBUTES | {
    "a": ["href", "rel"],
    "img": ["src", "alt", "class"],
    "div": ["class", "tabindex"],
}
# the first of these that an output has is shown
SHOWN = ("text/html", "text/markdown", "image/png", "text/plain")
RUNS = ("application/vnd.jupyter.widget-view+json", "application/javascript")
_STYLE = re.compile(r"<(style|script)\b.*?</\1>", re.S | re.I)


@dataclass(frozen=True)
class Section:
    """One notebook in the report."""

    number: str
    title: str
    body: str  # safe HTML


def render_notebook(path: Path, scale: float = 1.0) -> Section:
    """Render the executed notebook at ``path``.

    Parameters
    ----------
    scale : size of its figures, where the page would grow too large; 0 to 1.
    """
    notebook = nbformat.read(path, as_version=4)
    headings = re.findall(
        r"^# +(.+)$",
        "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"),
        flags=re.M,
    )
    title = headings[0] if headings else path.stem
    if headings:
        notebook.cells[0].source = notebook.cells[0].source.replace(f"# {title}", "", 1)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if not set(o.get("data", {})) & set(RUNS)]
    body, _ = _exporter(scale).from_notebook_node(notebook)
    return Section(path.name[:2], re.sub(r"[*_`]", "", title).strip(), body)


@cache
def _exporter(scale: float) -> HTMLExporter:
    exporter = HTMLExporter(
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        config=Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}),
    )
    filters = {
        "prose": prose_html,
        "sentence": render_markdown,
        "frame": table_html,
        "printed": printed_html,
        "picture": lambda output: picture_html(output, scale),
    }
    for name, function in filters.items():
        exporter.register_filter(name, function)
    return exporter


def prose_html(markdown: str) -> str:
    """A Markdown cell, which may hold folded parts (details, summary) besides Markdown."""
    return bleach.clean(
        render_markdown(markdown, html=True),
        PROSE_TAGS,
        PROSE_ATTRIBUTES,
        protocols=["http", "https", "data"],
        strip=True,
    )


def printed_html(text: str) -> str:
    """What a cell printed, without lines of progress."""
    text = PROGRESS.sub("", text).rstrip()
    return f"<pre>{html.escape(text)}</pre>" if text else ""


def table_html(markup: str) -> str:
    """HTML of unknown origin, reduced to tables and plain text."""
    safe = bleach.clean(
        _STYLE.sub("", markup), TABLE_TAGS, ATTRIBUTES, strip=True, strip_comments=True
    )
    return f'<div class="wide" tabindex="0">{safe}</div>'


def picture_html(output: nbformat.NotebookNode, scale: float = 1.0) -> str:
    """A figure of a notebook, with its description as alternative text."""
    shown = output.metadata.get("image/png", {})
    return figure_html(
        base64.b64decode(output.data["image/png"]),
        shown.get("alt") or "A figure",
        shown.get("width"),
        scale,
    )


def figure_html(png: bytes, alt: str, width: int | None = None, scale: float = 1.0) -> str:
    """A figure at its own size, two thirds of a pixel to a dot unless ``width`` says otherwise."""
    kind, small = shrink(png, scale)
    width = width or round(Image.open(io.BytesIO(png)).width / 1.5)
    data = base64.b64encode(small).decode()
    return (
        f'<figure><img src="data:image/{kind};base64,{data}" alt="{html.escape(alt)}" '
        f'width="{width}" style="--width:{width}px"></figure>'
    )


@lru_cache(256)
def shrink(png: bytes, scale: float) -> tuple[str, bytes]:
    """A figure as the smaller of PNG in 256 colours (drawings) and JPEG (faces)."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.size]
        image = image.resize(size, Image.Resampling.LANCZOS)
    kinds = {
        "png": _encoded(few_colours(image), "PNG", optimize=True),
        "jpeg": _encoded(image, "JPEG", quality=85),
    }
    return min(kinds.items(), key=lambda item: len(item[1]))


def few_colours(image: Image.Image) -> Image.Image:
    """At most 256 colours: the commonest as they are, so that no area changes its colour, the
    others by the coverage method, which keeps the colours of thin lines.
    """
    left = 256 - KEPT
    rest = image.quantize(left, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    pixels = np.asarray(image).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, counts = np.unique(pixels, return_counts=True)
    common = np.sort(colours[np.argsort(-counts, kind="stable")[:KEPT]])
    place = np.minimum(np.searchsorted(common, pixels), len(common) - 1)
    few = Image.fromarray(np.where(common[place] == pixels, place + left, rest).astype(np.uint8))
    known = (rest.getpalette() + [0] * 3 * left)[: 3 * left]
    exact = [(colour >> shift) & 255 for colour in common.tolist() for shift in (16, 8, 0)]
    few.putpalette(known + exact)
    return few


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
