"""The course as linked pages, with a table of how long each notebook took."""

import csv
import html
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import nbformat

from lildata_utils.errors import LilDataError
from lildata_utils.files import write_text, written_beside
from lildata_utils.machine import usable_cores

# The course's own pages ask nothing of the network; formulas need MathJax, which is a download.
PAGE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}
{%- if resources.has_formulas -%}{{ super() }}{%- endif -%}
{%- endblock -%}
{%- block html_head_css -%}
<style>
  main { max-width: 62rem; margin: 0 auto; }
  nav.course { display: flex; justify-content: space-between; padding: 0.8rem 1rem;
               font-family: sans-serif; font-size: 0.9rem; }
</style>
{%- endblock -%}
{%- block body_header -%}{{ super() }}{{ resources.navigation }}{%- endblock -%}
{%- block body_footer -%}{{ resources.navigation }}{{ super() }}{%- endblock -%}
"""


@dataclass(frozen=True)
class Row:
    """A line of ``times.csv`` (README)."""

    notebook: str
    title: str
    profile: str
    seconds: str
    status: str
    error: str


def write_page(executed: Path, order: Sequence[str]) -> None:
    """Write the page of an executed notebook beside it, with links in `order` (README)."""
    from nbconvert import HTMLExporter

    notebook = read_notebook(executed)
    resources = {
        "metadata": {"name": title_of(executed)},
        "navigation": _navigation(executed.stem, order),
        "has_formulas": any("$" in c.source for c in notebook.cells if c.cell_type == "markdown"),
    }
    page, _ = HTMLExporter(raw_template=PAGE).from_notebook_node(notebook, resources)
    # A link from notebook to notebook becomes a link from page to page.
    page = re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.html', page)
    write_text(executed.with_suffix(".html"), page)


def _navigation(name: str, order: Sequence[str]) -> str:
    place = order.index(name)
    before = order[place - 1] if place > 0 else None
    after = order[place + 1] if place + 1 < len(order) else None
    back = f'<a href="{before}.html">← {_words(before)}</a>' if before else "<span></span>"
    on = f'<a href="{after}.html">{_words(after)} →</a>' if after else "<span></span>"
    return f'<nav class="course">{back}<a href="index.html">The course</a>{on}</nav>'


def _words(name: str) -> str:
    return name.replace("_", " ")


def read_times(out: Path) -> list[Row]:
    """Read the table ``times.csv``; none if there is no such table (README)."""
    try:
        with (out / "times.csv").open(encoding="utf-8", newline="") as file:
            return [Row(**line) for line in csv.DictReader(file)]
    except (OSError, TypeError):  # nothing there, or a table of other columns: begin anew
        return []


def write_times(out: Path, rows: Sequence[Row]) -> None:
    """Write the table ``times.csv``, and with it ``index.html`` (README)."""
    with (
        written_beside(out / "times.csv") as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    write_text(out / "index.html", _index(rows))


def _index(rows: Sequence[Row]) -> str:
    lines = "\n".join(
        f'<tr class="{row.status}"><td><a href="{row.notebook}.html">{html.escape(row.title)}</a>'
        f"</td><td>{row.profile}</td><td>{float(row.seconds):.0f} s</td><td>{row.status}"
        f"{': ' + html.escape(row.error) if row.error else ''}</td></tr>"
        for row in rows
    )
    total = sum(float(row.seconds) for row in rows)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lil Data: the course</title>
<style>
  body {{ font-family: sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
  table {{ border-collapse: collapse; width: 100%; }}
  td, th {{ text-align: left; padding: 0.4rem 0.8rem 0.4rem 0; border-bottom: 1px solid #ddd; }}
  td:nth-child(3), th:nth-child(3) {{ text-align: right; padding-right: 1.6rem; }}
  tr.failed td:last-child {{ color: #b00020; }}
</style>
</head>
<body>
<h1>Lil Data: the course</h1>
<p>{len(rows)} notebooks, {total:.0f} s of running time on {usable_cores()} processor cores.</p>
<table>
<tr><th>notebook</th><th>profile</th><th>time</th><th>status</th></tr>
{lines}
</table>
</body>
</html>
"""


def read_notebook(path: Path) -> Any:
    """Read a notebook (README).

    Raises
    ------
    LilDataError
        If the file is none.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises whatever a broken file makes it stumble over.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LilDataError(f"{path} can't be read as a notebook ({reason})") from None
    return notebook


def title_of(path: Path) -> str:
    """Read a notebook's title, its first heading; its name if there is none (README)."""
    notebook = read_notebook(path)
    for cell in notebook.cells:
        heading = re.search(r"^# (.+)", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1].strip()
    return path.stem
