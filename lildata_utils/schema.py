"""What files say, held against type hints: one line where it does not fit.

msgspec does it: it knows dataclasses, and says where in the file and what was expected.
"""

import re
from typing import Any, TypeVar

from lildata_utils.errors import LilDataError

Kind = TypeVar("Kind")
# Below a table's header and counted from 1, as editors do.
FIRST_LINE = 2


def checked(values: Any, kind: type[Kind], where: str = "") -> Kind:
    """Make a `kind` of what JSON or TOML held; `where` begins the line of an error (README).

    Raises
    ------
    LilDataError
        If something is missing, of another type, or out of range.

    Examples
    --------
    >>> checked([1, 2], tuple[int, ...])
    (1, 2)
    """
    return _converted(values, kind, where, strict=True)


def checked_rows(rows: list[dict[str, str]], kind: type[Kind], where: str) -> list[Kind]:
    """Make a `kind` of each row of a table, whose numbers are still text (README)."""
    return _converted(rows, list[kind], where, strict=False)  # type: ignore[valid-type]


def _converted(values: Any, kind: Any, where: str, strict: bool) -> Any:
    # Imported by nobody else: settings are read by every command, files by few.
    import msgspec

    start = f"{where}: " if where else ""
    try:
        return msgspec.convert(values, kind, strict=strict)
    except msgspec.ValidationError as error:
        words, _, place = str(error).replace("`", "").partition(" - at ")
        place = place.removeprefix("$").removeprefix(".")
        if line := re.match(r"\[(\d+)\]\.?", place) if not strict else None:
            place = f"line {int(line[1]) + FIRST_LINE}, {place[line.end() :]}"
        words = words[:1].lower() + words[1:]
        raise LilDataError(f"{start}{place}: {words}" if place else f"{start}{words}") from None
    except LilDataError as error:  # settings check themselves
        raise LilDataError(f"{start}{error}") from None
