"""Run the notebooks one after the other, each in a fresh kernel of the Python that runs this.

One that fails is reported in a line, and the others still run.
"""

import ast
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from lildata_utils.course.pages import (
    Row,
    read_notebook,
    read_times,
    title_of,
    write_page,
    write_times,
)
from lildata_utils.course.profiles import get_profile
from lildata_utils.errors import LilDataError
from lildata_utils.files import COURSE_FOLDER, INSTALLED, NOTEBOOKS_FOLDER, write_text

# The wheel of ipykernel brings this kernel along; Jupyter starts it with the running Python.
KERNEL = "python3"
KERNEL_START_S = 180


@dataclass(frozen=True)
class Step:
    """A notebook that begins (`seconds` is None) or has ended (README)."""

    notebook: str  # Name without ``.ipynb``
    # This is the number-th of so many, from 1.
    number: int
    notebooks: int
    seconds: float | None = None  # How long it took; None while it runs
    error: str = ""  # Empty, or one line: where it failed, and the last line of the error


def run(
    profile: str,
    only: Sequence[str] = (),
    out: Path = COURSE_FOLDER,
    folder: Path = NOTEBOOKS_FOLDER,
    progress: bool = False,
) -> Iterator[Step]:
    """Run notebooks in a profile and write what they give (README).

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        Each notebook gets it as its parameter ``profile``.
    only : sequence of str
        Numbers (``01``) or names of the notebooks to run; all if empty.
    out : Path
        Gets for each notebook the executed copy ``NAME.ipynb`` and the page ``NAME.html``, and for
        all of them ``index.html`` and ``times.csv``. Notebooks that were run before stay there.
    folder : Path
        Where the notebooks are, and their working folder; that is `out` if the package is installed
        without a checkout.
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
    working_folder = out.resolve() if INSTALLED else folder
    rows = {row.notebook: row for row in read_times(out)}
    order = [path.stem for path in find((), folder)]
    for number, path in enumerate(paths, start=1):
        yield Step(path.stem, number, len(paths))
        executed = out / path.name
        start = time.perf_counter()
        error = _execute(path, executed, profile, working_folder, progress)
        seconds = time.perf_counter() - start
        status = "failed" if error else "ok"
        rows[path.stem] = Row(path.stem, title_of(path), profile, f"{seconds:.1f}", status, error)
        if executed.exists():
            drop_views(executed)
            write_page(executed, [n for n in order if n in rows or folder / f"{n}.ipynb" in paths])
        write_times(out, [rows[name] for name in order if name in rows])
        yield Step(path.stem, number, len(paths), seconds, error)


def find(only: Sequence[str] = (), folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """List the course's notebooks in their order (README).

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
            "check the project out or install it again"
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
    """Read what a notebook sets in its cell tagged ``parameters``, in that order (README).

    papermill only warns when that cell is missing or lacks a name; here it is an error.

    Raises
    ------
    LilDataError
        If there is not exactly one such cell, or it does more than setting names to literals.
    """
    notebook = read_notebook(path)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    if len(tagged) != 1:
        raise LilDataError(
            f"{path.name} has {len(tagged)} cells tagged 'parameters', expected one: "
            "tag the cell that sets them (in JupyterLab: property inspector, cell tags)"
        )
    try:
        lines = ast.parse(tagged[0].source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise LilDataError(
            f"{path.name}: the cell tagged 'parameters' is no Python ({type(error).__name__}): "
            'expected lines such as profile = "quick"'
        ) from None
    found = {}
    for line in lines:
        try:
            [target] = line.targets
            found[target.id] = ast.literal_eval(line.value)
        except (AttributeError, ValueError, TypeError, RecursionError):
            raise LilDataError(
                f"{path.name}: {ast.unparse(line)!r} can't stand in the cell tagged 'parameters': "
                'expected lines such as profile = "quick"'
            ) from None
    return found


def drop_views(path: Path) -> None:
    """Make an executed notebook's outputs independent of the kernel that made them (README).

    A widget's view is empty without its kernel, and JupyterLab prefers it to the page that the same
    output may hold. So the view goes where there is such a page.
    """
    notebook = read_notebook(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", ()):
                output.data.pop("application/vnd.jupyter.widget-view+json", None)
    write_text(path, nbformat.writes(notebook) + "\n")


def _execute(path: Path, executed: Path, profile: str, working_folder: Path, progress: bool) -> str:
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
            cwd=str(working_folder),
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
