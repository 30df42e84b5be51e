"""Files that are either whole or not there, and where the project's folders lie (README)."""

import csv
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from lildata_utils.errors import LilDataError

# A wheel has what the course ships inside the package, in the folders of the checkout (setup.py).
_INSIDE = Path(__file__).resolve().parent / "shipped"
INSTALLED = _INSIDE.is_dir()
PROJECT_FOLDER = _INSIDE if INSTALLED else _INSIDE.parents[1]

# Only read: notebooks, and trained networks that come with the course.
NOTEBOOKS_FOLDER = PROJECT_FOLDER / "notebooks"
PRETRAINED = PROJECT_FOLDER / "data" / "pretrained"
LIL_DATA_RUN = PRETRAINED / "lil_data"
KEPT_LSTMS = PRETRAINED / "lstm"

# What the course makes: never beside an installed package.
DATA_FOLDER = platformdirs.user_data_path("lildata") if INSTALLED else PROJECT_FOLDER / "data"
COURSE_FOLDER = Path("course") if INSTALLED else PROJECT_FOLDER / "course"

# Host and process name the writer, so that any number of them work side by side.
_HOST = re.sub(r"[^A-Za-z0-9]", "_", platform.node())


def shown(path: Path) -> str:
    """Write a path as seen from the project's folder, for outputs that others will read (README).

    A path elsewhere is shown in full.
    """
    whole = path.resolve()
    inside = whole.is_relative_to(PROJECT_FOLDER)
    return (whole.relative_to(PROJECT_FOLDER) if inside else whole).as_posix()


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; rename it if the block ends without error (README).

    A file or a folder may be written there; missing folders above are made. A killed process leaves
    a hidden one, ``.<name>.<host>-<process>.partial``, and never half of it at `path`;
    `remove_leftovers` clears it away.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "report.txt"
    >>> with written_beside(target) as beside:
    ...     _ = beside.write_text("done")
    >>> target.read_text()
    'done'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays at the end: libraries choose the format by it (model.keras, sound.flac).
    beside = path.with_name(f".{path.stem}.{_HOST}-{os.getpid()}.partial{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        _remove(beside)


def file_size(path: Path) -> int:
    """Tell the bytes of a file; 0 if it is not there or can't be looked at (README)."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def partial_files(folder: Path) -> list[Path]:
    """List files below `folder` that are being written, or were when their writer died (README)."""
    return sorted(folder.rglob(".*.partial*"))


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes of this machine left half written (README)."""
    for path in partial_files(folder):
        writer = re.search(rf"\.{re.escape(_HOST)}-(\d+)\.partial", path.name)
        if writer and not _is_running(int(writer[1])):
            _remove(path)


def _remove(path: Path) -> None:
    """Delete a file, or a folder with what it holds, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Tell whether a process can still write: in many containers nobody reaps the dead."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all (README)."""
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all (README)."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file (README).

    Raises
    ------
    LilDataError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LilDataError(f"{path} is missing: expected a JSON file there") from None
    except (OSError, ValueError) as error:
        raise LilDataError(f"{path} can't be read as JSON ({error})") from None


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file with a header line, row by row, as text (README).

    Raises
    ------
    LilDataError
        If it can't be read, or lacks one of `columns`.
    """
    try:
        # "utf-8-sig" drops the mark that spreadsheets put in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
            names = reader.fieldnames or ()
    except (OSError, ValueError, csv.Error) as error:
        raise LilDataError(f"{path} can't be read as a CSV table ({error})") from None
    missing = [column for column in columns if column not in names]
    if missing:
        raise LilDataError(
            f"{path} lacks the column(s) {', '.join(missing)}: expected {', '.join(columns)}"
        )
    return rows
