"""Options of the command line, made from the dataclasses of settings."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin

from lildata_utils.settings import SEEDS, Range, Settings

Chosen = TypeVar("Chosen", bound=Settings)
MOST_WORKERS = 1024


def add_settings(
    parser: argparse.ArgumentParser, kind: type[Settings], leave_out: Sequence[str] = ()
) -> None:
    """Give a command an option for each setting of a kind (README).

    What is not given is not in the parsed arguments, so that defaults stand in the dataclass only.
    """
    for one in fields(kind):
        if not one.metadata or one.name in leave_out:
            continue
        about = one.metadata
        words = about["words"] + _default(one)
        option: dict[str, Any] = {"dest": one.name, "default": argparse.SUPPRESS, "help": words}
        if one.type is bool:
            option["action"] = "store_true"
        else:
            option |= {"type": _reader(one), "metavar": about["metavar"]}
        if about["choices"] and get_origin(one.type) is not tuple:
            option["choices"] = about["choices"]
        name = about["option"] or one.name.replace("_", "-")
        parser.add_argument(f"--{name}", **option)


def chosen(options: argparse.Namespace, kind: type[Chosen], **others: Any) -> Chosen:
    """Make settings of the options that were given; `others` come from elsewhere (README)."""
    given = {f.name: getattr(options, f.name) for f in fields(kind) if hasattr(options, f.name)}
    return kind(**given | others)


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between (README)."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:  # else it would mean all
        raise argparse.ArgumentTypeError(f"must be names with commas between, got {text!r}")
    return found


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a reader of whole numbers from `least` on, up to `most` (README)."""
    return _number(int, Range(least=least, most=most))


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Give a command that has no settings of its own a seed (README)."""
    parser.add_argument(
        "--seed",
        type=_number(int, SEEDS),
        default=0,
        metavar="N",
        help="of all randomness (default 0)",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Let a command work in several processes, or on a cluster (README)."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--workers", type=whole(1, MOST_WORKERS), metavar="N", help="processes (default: cores)"
    )
    add_cluster(either)


def add_cluster(parser: "argparse.ArgumentParser | argparse._MutuallyExclusiveGroup") -> None:
    """Let a command work on the machines of a cluster, as its `workers` (README)."""
    parser.add_argument(
        "--dask",
        dest="workers",
        metavar="ADDRESS",
        help="work on the Dask cluster of the scheduler at HOST:PORT; its machines must share this "
        "folder and all that are named",
    )


def _default(one: "Field[Any]") -> str:
    value = one.default
    if value is None or value is False or value is MISSING:
        return ""
    if value == one.metadata["choices"]:
        return " (default: all)"
    parts = value if isinstance(value, tuple) else (value,)
    written = (f"{part:g}" if isinstance(part, float) else f"{part}" for part in parts)
    return f" (default {','.join(written)})"


def _reader(one: "Field[Any]") -> Callable[[str], Any]:
    """Make what reads an option's text; argparse prints what it raises."""
    kind = next((arg for arg in get_args(one.type) if arg is not NoneType), one.type)
    if get_origin(one.type) is tuple:
        element = _of_kind(get_args(one.type)[0], one.metadata["range"])
        return lambda text: tuple(element(part) for part in names(text))
    return _of_kind(kind, one.metadata["range"])


def _of_kind(kind: Any, allowed: Range | None) -> Callable[[str], Any]:
    return str if kind is str else _number(kind, allowed or Range())


def _number(kind: Any, allowed: Range) -> Callable[[str], Any]:
    what = "a whole number, " if kind is int else ""

    def read(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = float("nan")
        if number not in allowed:
            raise argparse.ArgumentTypeError(f"must be {what}{allowed}, got {text!r}")
        return number

    return read
