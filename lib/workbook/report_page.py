"""The page of report.html: one template and one style sheet, no script and nothing from outside."""

from __future__ import annotations

import re

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

STYLE = """
:root { --ink: #1a1a1a; --soft: #555; --line: #d0d0d0; --paper: #fff; --shade: #f5f5f2; --link: #00598c; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: break-word; }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 .5em; }
h1 { font-size: 1.8rem; margin-top: .5em; } h2 { font-size: 1.45rem; border-top: 1px solid var(--line);
  padding-top: 1em; } h3 { font-size: 1.15rem; } h4 { font-size: 1rem; }
a { color: var(--link); } a:focus-visible, .wide:focus-visible { outline: 3px solid #e69f00; }
figure { margin: 1.2em 0; overflow-x: auto; } img { max-width: 100%; height: auto; } .formula { max-width: 100%; }
pre { background: var(--shade); padding: .7em; overflow-x: auto; font-size: .85rem; white-space: pre-wrap; }
code { font-size: .9em; background: var(--shade); overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1em 0; }
table { border-collapse: collapse; font-size: .88rem; }
th, td { padding: .3em .7em; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: normal; }
thead th { border-bottom: 2px solid var(--ink); }
.note { border-left: .35rem solid #d55e00; padding: .6em 1em; background: var(--shade); }
.soft { color: var(--soft); font-size: .9rem; }
.verdict { display: inline-block; padding: .1em .6em; border-radius: .3em; border: 2px solid var(--ink);
  font-weight: 600; white-space: nowrap; }
.supported { background: #d7efe4; border-color: #00704f; } .partly { background: #fdf0d0; border-color: #9a6b00; }
.not-supported { background: #f9dccc; border-color: #a84a00; } .not-testable-here { border-style: dashed; }
.claim { border: 1px solid var(--line); border-radius: .4em; padding: .2em 1em .6em; margin: 1em 0; }
.claim h3 { margin-top: .6em; } .claim ul { list-style: none; padding: 0; } .claim li { margin: .5em 0; }
.claim p { margin: .4em 0; }
.hash { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
@media (max-width: 36rem) { body { padding: .6rem; font-size: .95rem; } h1 { font-size: 1.4rem; }
  figure img { max-width: none; width: max(100%, calc(var(--width) * .6)); } } /* letters stay readable: swipe */
@media print { body { max-width: none; padding: 0; font-size: 10pt; } a { color: inherit; text-decoration: none; }
  nav, .screen { display: none; } .wide { overflow: visible; } table { font-size: 8pt; }
  h2 { break-before: page; } h2.first { break-before: auto; } figure, tr, .claim { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; } th, td { padding: .2em .4em; } td:not(.short) { overflow-wrap: anywhere; }
  figure img { max-height: 9cm; width: auto; }
  .many table { font-size: 5.5pt; } .many th, .many td { padding: 1pt 2pt; } }
"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{{ name }}: do these networks see emotion as people do?</title>
<style>{{ style | safe }}</style>
</head>
<body>
<header>
<h1>Do these networks see emotion as people do?</h1>
<p>Run <strong>{{ name }}</strong>. {{ about }}</p>
{% if simulated %}<p class="note"><strong>The people in this report are simulated.</strong> Their answers were drawn
from published group figures, not collected. No sentence here is about real people.</p>{% endif %}
{% if status != "complete" %}<p class="note">Not every notebook of this run has been executed ({{ status }}).</p>
{% endif %}
</header>
<nav aria-label="Contents">
<h2 class="first" id="contents">Contents</h2>
<ul>
<li><a href="#verdicts">Verdicts</a></li>
{% for section in sections %}<li><a href="#notebook-{{ section.number }}">{{ section.title }}</a></li>
{% endfor %}<li><a href="#tables">Tables</a></li>
<li><a href="#settings">Settings</a></li>
<li><a href="#origin">Versions, data and weights</a></li>
</ul>
</nav>
<main>
<h2 class="first" id="verdicts">Verdicts</h2>
{% if not claims %}<p>This run has no table of claims yet; notebook 04 makes it.</p>{% endif %}
{% for claim in claims %}
<section class="claim">
<h3>{{ claim.id }}. {{ claim.claim[0] | upper }}{{ claim.claim[1:] }}</h3>
<ul>
{% for row in claim.rows %}<li><span class="verdict {{ row.verdict | replace(" ", "-") }}">{{ row.verdict }}</span>
{% if row.value %}deciding number {{ row.value }}{% endif -%}
{% if row.simulated %} <em>(simulated people)</em>{% endif %}

<p>{{ row.evidence }}</p></li>
{% endfor %}</ul>
</section>
{% endfor %}
{% for section in sections %}
<section>
<h2 id="notebook-{{ section.number }}">{{ section.title }}</h2>
{{ section.body | safe }}
<p class="soft screen"><a href="#contents">Contents</a></p>
</section>
{% endfor %}
<h2 id="tables">Tables</h2>
<p>Each with its first rows; a link saves the whole. All of them in one Excel file: <code>tables.xlsx</code>, beside
this report in the run's folder.</p>
{% for table in tables %}
<section>
<h3 id="table-{{ table.name }}">{{ table.name }}</h3>
<p>{{ table.rows }} row{{ "" if table.rows == 1 else "s" }}, {{ table.columns | length }} columns.
{% if table.link %}<a class="screen" href="{{ table.link }}" download="{{ table.file }}">Save {{ table.file }}</a>
{% elif table.private %}Single answers of people are not part of this report: they are in the run's folder, in \
<code>tables/{{ table.name }}.csv</code> and <code>tables.xlsx</code>.
{% else %}Too large to attach: see <code>tables/{{ table.name }}.csv</code> in the run's folder.{% endif %}</p>
{% if table.private %}{% elif table.columns | length > 9 %}<div class="wide" tabindex="0"><table>
<thead><tr><th scope="col">column</th>{% for row in table.preview[:3] %}<th scope="col">row {{ loop.index }}</th>\
{% endfor %}</tr></thead>
<tbody>
{% for column in table.columns %}{% set place = loop.index0 %}<tr><th scope="row">{{ column | breakable }}</th>\
{% for row in table.preview[:3] %}{{ row[place] | cell }}{% endfor %}</tr>
{% endfor %}</tbody>
</table></div>
{% else %}<div class="wide" tabindex="0"><table>
<thead><tr>{% for column in table.columns %}<th scope="col">{{ column | breakable }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.preview %}<tr>{% for cell in row %}{{ cell | cell }}{% endfor %}</tr>
{% endfor %}</tbody>
</table></div>
{% endif %}</section>
{% endfor %}
<h2 id="settings">Settings</h2>
<p>Study file <code>{{ study_file }}</code>{% if overrides %}, with <code>{{ overrides }}</code>{% endif %}. All
settings as they were used:</p>
<pre>{{ settings }}</pre>
<h2 id="origin">Versions, data and weights</h2>
<div class="wide" tabindex="0"><table>
<tbody>
{% for key, value in origin %}<tr><th scope="row">{{ key }}</th><td class="hash">{{ value }}</td></tr>
{% endfor %}</tbody>
</table></div>
<h3>Time and memory</h3>
<div class="wide" tabindex="0"><table>
<thead><tr><th scope="col">notebook</th><th scope="col">time</th><th scope="col">peak memory</th></tr></thead>
<tbody>
{% for row in costs %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody>
</table></div>
<h3>Packages</h3>
<p class="hash">{{ packages }}</p>
</main>
</body>
</html>
"""


_SHORT = re.compile("<td>(?=[^<]{1,6}</td>)")  # these are not broken between letters on paper


def mark_short(html: str) -> Markup:
    """Cells of up to six letters with the class ``short``; ``html`` is safe already."""
    return Markup(_SHORT.sub('<td class="short">', html))


def page(**content) -> str:
    """Fill the template; everything is escaped but ``Section.body``, which is safe HTML already."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["breakable"] = lambda name: escape(name).replace("_", Markup("_<wbr>"))
    environment.filters["cell"] = lambda text: mark_short(Markup("<td>{}</td>").format(text))
    return environment.from_string(TEMPLATE).render(style=STYLE, **content)
