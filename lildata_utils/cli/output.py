"""What commands print, and how a new command joins."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

# What a command does with its arguments; it gives the exit status.
Command = Callable[[argparse.Namespace], int]
# Makes a command's parser: of its name, the command, what it does, and what is there after a stop.
Add = Callable[..., argparse.ArgumentParser]


def fail(reason: str) -> int:
    """Say on stderr in one line why something failed; give the exit status 1 (README)."""
    # A file's name may hold what clears a terminal, or moves its cursor.
    line = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in " ".join(reason.split())
    )
    print(f"lildata: {line}", file=sys.stderr)
    return 1


def bar(unit: str) -> Any:
    """Make a progress bar; it shows nothing where the output is no terminal (README)."""
    from tqdm import tqdm

    return tqdm(unit=unit, disable=None, dynamic_ncols=True, smoothing=0.1)


def follow(bar: Any, done: int, total: int) -> None:
    """Move a bar to where the work stands (README)."""
    bar.total = total
    bar.update(done - bar.n)
