"""Run the notebooks one after the other and write the course as linked pages with a table of times.

Every notebook gets a fresh kernel of the Python that runs this, with `notebooks/` as its working
folder. One that fails is reported in a line, and the others still run.
"""

import ast
import csv
import html
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import nbformat

from lildata_utils.course.profiles import get_profile
from lildata_utils.errors import LilDataError
from lildata_utils.files import COURSE_FOLDER, NOTEBOOKS_FOLDER, write_text, written_beside
from lildata_utils.machine import usable_cores

# The wheel of ipykernel brings this kernel along; Jupyter starts it with the running Python.
KERNEL = "python3"
KERNEL_START_S = 180


@dataclass(frozen=True)
class Step:
    """A notebook that begins (`seconds` is None) or has ended.

    Attributes
    ----------
    notebook : str
        Name without ``.ipynb``.
    number, notebooks : int
        This is the number-th of so many, from 1.
    seconds : float or None
        How long it took; None while it runs.
    error : str
        Empty, or one line: where it failed, and the last line of the error.
    """

    notebook: str
    number: int
    notebooks: int
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Row:
    """A line of ``times.csv``."""

    notebook: str
    title: str
    profile: str
    seconds: str
    status: str
    error: str


def run(
    profile: str,
    only: Sequence[str] = (),
    out: Path = COURSE_FOLDER,
    folder: Path = NOTEBOOKS_FOLDER,
    progress: bool = False,
) -> Iterator[Step]:
    """Run notebooks in a profile and write what they give.

    Parameters
    ----------
    profile : str
        ``smoke``, ``quick`` or ``paper``; each notebook gets it as its parameter ``profile``.
    only : sequence of str
        Numbers (``01``) or names of the notebooks to run; all if empty.
    out : Path
        Gets for each notebook the executed copy ``NAME.ipynb`` and the page ``NAME.html``, and for
        all of them ``index.html`` and ``times.csv``. Notebooks that were run before stay there.
    folder : Path
        Where the notebooks are; their working folder.
    progress : bool
        Draw a progress bar of the cells on stderr.

    Yields
    ------
    Step
        Two for each notebook: when it begins and when it has ended.

    Raises
    ------
    LilDataError
        Before anything runs: if the profile or a notebook is unknown, or a notebook can't take the
        parameter.

    Examples
    --------
    >>> for step in run("smoke", only=["00"]):  # doctest: +SKIP
    ...     print(step)
    """
    get_profile(profile)
    paths = find(only, folder)
    for path in paths:
        if "profile" not in parameters(path):
            raise LilDataError(
                f"{path.name} does not set 'profile' in its cell tagged 'parameters': "
                'expected a line profile = "quick" there'
            )
    out.mkdir(parents=True, exist_ok=True)
    rows = {row.notebook: row for row in _read_times(out)}
    order = [path.stem for path in find((), folder)]
    for number, path in enumerate(paths, start=1):
        yield Step(path.stem, number, len(paths))
        executed = out / path.name
        start = time.perf_counter()
        error = _execute(path, executed, profile, progress)
        seconds = time.perf_counter() - start
        status = "failed" if error else "ok"
        rows[path.stem] = Row(path.stem, _title(path), profile, f"{seconds:.1f}", status, error)
        if executed.exists():
            drop_views(executed)
            _write_page(executed, [n for n in order if n in rows or folder / f"{n}.ipynb" in paths])
        _write_times(out, [rows[name] for name in order if name in rows])
        yield Step(path.stem, number, len(paths), seconds, error)


def find(only: Sequence[str] = (), folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """List the course's notebooks in their order.

    Parameters
    ----------
    only : sequence of str
        Numbers or names to choose; all if empty.
    folder : Path
        Where they are.

    Raises
    ------
    LilDataError
        If there are none, or one of `only` is not among them.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise LilDataError(
            f"{folder} has no notebooks: expected files such as 00_start_here.ipynb; "
            "run this from a checkout of the project, installed with `pip install -e .`"
        )
    chosen = set()
    for name in only:
        matches = [p for p in paths if name in (p.stem[:2], p.stem, p.name)]
        if not matches:
            raise LilDataError(
                f"there is no notebook {name!r}: expected one of "
                f"{', '.join(path.stem[:2] for path in paths)}"
            )
        chosen.update(matches)
    return [path for path in paths if not only or path in chosen]


def parameters(path: Path) -> dict[str, Any]:
    """Read what a notebook sets in its cell tagged ``parameters``.

    papermill only warns when that cell is missing or lacks a name; here it is an error.

    Parameters
    ----------
    path : Path
        A notebook.

    Returns
    -------
    dict of str to value
        The names in the order of the cell.

    Raises
    ------
    LilDataError
        If there is not exactly one such cell, or it does more than setting names to literals.
    """
    notebook = nbformat.read(path, as_version=4)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    if len(tagged) != 1:
        raise LilDataError(
            f"{path.name} has {len(tagged)} cells tagged 'parameters', expected one: "
            "tag the cell that sets them (in JupyterLab: property inspector, cell tags)"
        )
    found = {}
    for line in ast.parse(tagged[0].source).body:
        try:
            [target] = line.targets
            found[target.id] = ast.literal_eval(line.value)
        except (AttributeError, ValueError):
            raise LilDataError(
                f"{path.name}: {ast.unparse(line)!r} can't stand in the cell tagged 'parameters': "
                'expected lines such as profile = "quick"'
            ) from None
    return found


def drop_views(path: Path) -> None:
    """Make a notebook's outputs independent of the kernel that made them.

    A widget's view is empty without its kernel, and JupyterLab prefers it to the page that the same
    output may hold. So the view goes where there is such a page.

    Parameters
    ----------
    path : Path
        An executed notebook; it is written anew.

    Examples
    --------
    >>> drop_views(Path("notebooks/06_audio_inversion.ipynb"))  # doctest: +SKIP
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", ()):
                output.data.pop("application/vnd.jupyter.widget-view+json", None)
    write_text(path, nbformat.writes(notebook) + "\n")


def _execute(path: Path, executed: Path, profile: str, progress: bool) -> str:
    """Run one notebook in a kernel of its own; give the error in one line, or an empty string."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    # Without this a kernel named python3 in the user's folder could stand before that of .venv.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    executed.unlink(missing_ok=True)
    try:
        papermill.execute_notebook(
            str(path),
            str(executed),
            parameters={"profile": profile},
            kernel_name=KERNEL,
            language="python",
            cwd=str(path.parent),
            start_timeout=KERNEL_START_S,
            # The kernel would warn that it talks over local TCP, as all do, and log a Ctrl+C.
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
            progress_bar={"leave": False} if progress else False,
            # Stored, it would double the files, and the pages would ask the network for a viewer.
            store_widget_state=False,
        )
    except PapermillExecutionError as error:
        last = f"{error.ename}: {error.evalue}".strip().splitlines()[-1]
        first_line = error.source.strip().splitlines()[0]
        return f"{path.name}, cell In [{error.exec_count}] ({first_line}): {last}"
    except KeyboardInterrupt:
        # The cell's own task fails too, after nobody waits for it any more: asyncio would print it.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    # Whatever befell this notebook (a kernel that died or did not start) must not stop the others.
    except Exception as error:
        last = (str(error).strip().splitlines() or ["no message"])[-1]
        return f"{path.name}: {type(error).__name__}: {last}"
    return ""


def _title(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        heading = re.search(r"^# (.+)", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1].strip()
    return path.stem


# Pages

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


def _write_page(executed: Path, order: Sequence[str]) -> None:
    from nbconvert import HTMLExporter

    notebook: Any = nbformat.read(executed, as_version=4)
    resources = {
        "metadata": {"name": _title(executed)},
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


def _read_times(out: Path) -> list[Row]:
    try:
        with (out / "times.csv").open(encoding="utf-8", newline="") as file:
            return [Row(**line) for line in csv.DictReader(file)]
    except (OSError, TypeError):  # nothing there, or a table of other columns: begin anew
        return []


def _write_times(out: Path, rows: Sequence[Row]) -> None:
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
