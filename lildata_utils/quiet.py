"""Silence for native libraries that write to the terminal by themselves."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Point file descriptor 2 at the null device while the block runs.

    Python's own settings don't reach what C and C++ code prints: TensorFlow's start-up lines,
    mpg123's notes on damaged MP3 files. Errors still arrive as exceptions.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
