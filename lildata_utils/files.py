"""Files that are either whole or not there, and where the project's folders lie (README)."""

import csv
import errno
import glob
import hashlib
import itertools
import json
import os
import platform
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
import psutil

from lildata_utils.errors import LilDataError
from lildata_utils.schema import FIRST_LINE, checked, checked_rows

Kind = TypeVar("Kind")

# A wheel has what the course ships inside the package, in the folders of the checkout (setup.py).
_INSIDE = Path(__file__).resolve().parent / "shipped"
INSTALLED = _INSIDE.is_dir()
PROJECT_FOLDER = _INSIDE if INSTALLED else _INSIDE.parents[1]

# Only read: notebooks, and trained networks that come with the course.
NOTEBOOKS_FOLDER = PROJECT_FOLDER / "notebooks"
PRETRAINED = PROJECT_FOLDER / "data" / "pretrained"
LIL_DATA_RUN = PRETRAINED / "lil_data"
LISTENER_RUN = PRETRAINED / "listener"
KEPT_LSTMS = PRETRAINED / "lstm"

# What the course makes: never beside an installed package.
DATA_FOLDER = platformdirs.user_data_path("lildata") if INSTALLED else PROJECT_FOLDER / "data"
COURSE_FOLDER = Path("course") if INSTALLED else PROJECT_FOLDER / "course"

# Host, process and a number name the writer, so that any number of them work side by side.
_HOST = re.sub(r"[^A-Za-z0-9]", "_", platform.node())
_NUMBERS = itertools.count()
# What a name beside keeps of a file's own: the whole must fit into 255 bytes.
_KEPT_OF_NAME = 30

# Networks are stored as they are: what unpacks to so many times its size was made to fill a disk.
MOST_UNPACKED, SMALL_BYTES = 20, 2**26


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
    a hidden one, ``.<name>.<number>.<host>-<process>.partial``, and never half of it at `path`;
    the next writer of the same, or `remove_leftovers`, clears it away.

    Raises
    ------
    LilDataError
        If the system refuses something, such as more room on the disk.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "report.txt"
    >>> with written_beside(target) as beside:
    ...     _ = beside.write_text("done")
    >>> target.read_text()
    'done'
    """
    if not path.name or "\0" in str(path):
        raise LilDataError(f"{str(path)!r} can't be written: expected a file's name, without NUL")
    name = f"{path.stem[:_KEPT_OF_NAME]}.{next(_NUMBERS)}.{_HOST}-{os.getpid()}"
    # The suffix stays at the end: libraries choose the format by it (model.keras, sound.flac).
    beside = path.with_name(f".{name}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(path.parent.glob(f".{glob.escape(path.stem[:_KEPT_OF_NAME])}.*.partial*"))
        yield beside
        _reach_the_disk(beside)
        beside.replace(path)
    except OSError as error:
        other = error.filename if error.filename not in (None, str(path), str(beside)) else ""
        reason = f"{error.strerror or error}{other and f': {other}'}"
        raise LilDataError(f"{path} can't be written ({reason})") from None
    finally:
        with suppress(OSError):
            _remove(beside)


def _reach_the_disk(path: Path) -> None:
    """Wait until a file, or those of a folder, are on the disk; a full one may say so only now."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("r+b") as opened:
                try:
                    os.fsync(opened.fileno())
                except OSError as error:
                    # Some shared folders have no such call.
                    if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
                        raise


def file_size(path: Path) -> int:
    """Tell the bytes of a file; 0 if it is not there or can't be looked at (README)."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def partial_files(folder: Path) -> list[Path]:
    """List files below `folder` that are being written, or were when their writer died (README)."""
    return sorted(folder.rglob(".*.partial*"))


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes of this machine left half written (README)."""
    _remove_dead(partial_files(folder))


def _remove_dead(partial: Iterable[Path]) -> None:
    for path in partial:
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


def readable(name: str) -> str:
    r"""Write a file's name so that any text file can hold it: bad bytes as ``\udcff`` (README).

    Examples
    --------
    >>> print(readable("caf\udce9"))
    caf\udce9
    """
    return name.encode(errors="backslashreplace").decode()


def picture_names(files: Sequence[Path]) -> list[str]:
    """Name a picture for each file: ``a.mp3.png``, with a hash where two would be one (README).

    Examples
    --------
    >>> picture_names([Path("x/a.mp3"), Path("b.mp3")])
    ['a.mp3.png', 'b.mp3.png']
    """
    times = Counter(path.name.casefold() for path in dict.fromkeys(files))

    def mark(path: Path) -> str:
        if times[path.name.casefold()] == 1:
            return ""
        return f".{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:8]}"

    return [f"{path.name}{mark(path)}.png" for path in files]


def check_results(
    files: Sequence[Path], inputs: Sequence[Path], what: str, read: Callable[[], Any]
) -> None:
    """Make sure that nothing is written over but an earlier result of the same kind (README).

    Parameters
    ----------
    files, inputs : sequence of Path
        What will be written, and what is read.
    what : str
        Such as "a transfer".
    read : callable
        Reads the record of an earlier result; a LilDataError if there is none.

    Raises
    ------
    LilDataError
        If a file is an input, or something else than such a result.
    """
    taken = {path.resolve() for path in inputs}
    for file in files:
        if file.resolve() in taken:
            raise LilDataError(f"{file} is also an input: choose another name for the result")
    there = [file for file in files if file.exists()]
    try:
        if there:
            read()
    except LilDataError as error:
        raise LilDataError(
            f"{there[0]} is there and no result of {what}: choose another name ({error})"
        ) from None


def check_made_by(
    command: str, out: Path, others: Sequence[Path] = (), inputs: Sequence[Path] = ()
) -> None:
    """See `check_results`: a command's record, ``.json`` beside `out`, bears its name (README)."""
    record = out.with_suffix(".json")

    def read() -> None:
        if read_as(record, dict).get("command") != command:
            raise LilDataError(f"{record} does not name `lildata {command}`")

    check_results([out, *others, record], inputs, f"`lildata {command}`", read)


def check_zip(path: Path) -> None:
    """Make sure that a ZIP file (a network's) does not unpack to many times its size (README).

    Raises
    ------
    LilDataError
        If it does, or is no ZIP file.
    """
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(member.file_size for member in file.infolist())
    # Whatever is wrong in a broken one (NotImplementedError, struct.error ...).
    except Exception as error:
        raise LilDataError(f"{path} can't be read as a ZIP file ({error})") from None
    if size > MOST_UNPACKED * path.stat().st_size + SMALL_BYTES:
        raise LilDataError(
            f"{path} would unpack to {size / 1e9:.1f} GB from {path.stat().st_size / 1e6:.1f} MB: "
            "no network does that, so it is not opened"
        )


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; what is no Unicode is written `readable` (README)."""
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")


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
    except (OSError, ValueError, RecursionError) as error:
        raise LilDataError(f"{path} can't be read as JSON ({error})") from None


def read_as(path: Path, kind: type[Kind]) -> Kind:
    """Read a JSON file as what type hints say; see `schema.checked` (README)."""
    return checked(read_json(path), kind, str(path))


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file with a header line, row by row, as text (README).

    Raises
    ------
    LilDataError
        If it can't be read, lacks one of `columns`, or has a row that is longer than its header.
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
    for line, row in enumerate(rows, FIRST_LINE):
        if None in row:
            raise LilDataError(
                f"{path}, line {line}: {len(names) + len(row[None])} fields, expected {len(names)} "
                "(text with commas must stand in quotes)"
            )
    return rows


def read_rows(path: Path, kind: type[Kind]) -> list[Kind]:
    """Read a CSV file as dataclasses, a column a field; see `schema.checked_rows` (README)."""
    columns = fields(kind)  # type: ignore[arg-type]
    rows = read_table(path, [column.name for column in columns])
    numbers = [column.name for column in columns if column.type is not str]
    for row in rows:
        for name in numbers:
            row[name] = row[name].strip()
    return checked_rows(rows, kind, str(path))
