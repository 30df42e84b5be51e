"""What this machine has: its cores, its processor, and native libraries that talk."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from lildata_utils.errors import LilDataError


def usable_cores() -> int:
    """Count the cores that this process may use (README), not those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def crowd() -> float:
    """Tell how many times longer things take, as there is more to do than cores (README)."""
    return max(1.0, psutil.getloadavg()[0] / (os.cpu_count() or 1))


def machine() -> str:
    """Describe this machine in a line, for reports: processor, cores, memory (README).

    Examples
    --------
    >>> machine()  # doctest: +SKIP
    'AMD EPYC, 2 cores, 24 GB'
    """
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="ascii", errors="ignore").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    memory_gb = psutil.virtual_memory().total / 1e9
    return f"{name}, {usable_cores()} cores, {memory_gb:.0f} GB"


def has_bfloat16() -> bool:
    """Say whether the processor multiplies bfloat16 natively (AVX-512 BF16 or AMX; README).

    Elsewhere bfloat16 is emulated, and slower than float32. Only Linux tells; other systems
    are taken to have none.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def free_bytes(path: Path) -> int:
    """Tell how much more fits on the disk that a path lies on, or will (README)."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def check_room(path: Path, needed: int, what: str) -> None:
    """Raise a LilDataError if a disk has no room for what is about to be made (README)."""
    free = free_bytes(path)
    if needed > free:
        raise LilDataError(
            f"{path}: {what} needs {needed / 1e9:.1f} GB, and its disk has {free / 1e9:.1f} GB "
            "free: make room or choose another place"
        )


def require_tensorflow() -> None:
    """Raise a LilDataError without TensorFlow: which build of it is the user's choice (README)."""
    if find_spec("tensorflow") is None:
        raise LilDataError(
            "TensorFlow is not installed: install lildata-utils[cpu], or lildata-utils[gpu] for an "
            "NVIDIA GPU under Linux"
        )


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Point file descriptor 2 at the null device while the block runs (README).

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
