"""What the benchmarks share: the report of a run, from which `make tables` fills docs/results/."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from lildata_utils.files import write_json
from lildata_utils.machine import machine

OPTION = "--report"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark take the file of its report."""
    parser.add_argument(
        OPTION, type=Path, metavar="FILE", help="write the figures to docs/results/reports/..., too"
    )


def write(path: Path | None, rows: list[dict[str, Any]], **about: Any) -> None:
    """Write a report, if one is wanted: the command, the machine, what is known, the rows."""
    if path is not None:
        write_json(path, {"command": command(), "machine": machine(), **about, "rows": rows})


def command() -> str:
    """Give the command that was run, without the report's file."""
    words = ["python", *sys.argv]
    if OPTION in words:
        place = words.index(OPTION)
        del words[place : place + 2]
    return shlex.join(words)


def compared(name: str, usual: float, here: float, ratio: float) -> dict[str, Any]:
    """Make a row of two ways of the same work; four digits are more than it is worth."""
    figures = {"usual": usual, "here": here, "ratio": ratio}
    return {"name": name} | {part: rounded(figure) for part, figure in figures.items()}


def rounded(figure: float) -> float:
    """Keep four digits."""
    return float(f"{figure:.4g}")
