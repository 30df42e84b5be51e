"""Is everything there that the course needs? `lildata check` and notebook 00 print the answers."""

import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from lildata_utils.files import DATA_FOLDER, PROJECT_FOLDER
from lildata_utils.machine import machine

DISTRIBUTION = "lildata-utils"
MEMORY_GB = 3.0
# The quick data set and its music take under 1 GB, the paper's size about 6 GB.
DISK_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One answer: is it all right, and what was found."""

    ok: bool
    text: str

    def __str__(self) -> str:
        return f"[{'ok' if self.ok else 'fail'}] {self.text}"


def checks() -> Iterator[Check]:
    """Look at Python, packages, decoders, memory, disk, folders and weights.

    Yields
    ------
    Check
        What fails says what to do.

    Examples
    --------
    >>> next(checks()).ok
    True
    """
    yield _python()
    yield _packages()
    yield _mp3()
    yield _ffmpeg()
    yield _memory()
    yield from _folders()
    yield from _pretrained()
    yield Check(True, f"machine: {machine()}")


def _python() -> Check:
    wanted = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    ok = Requirement(f"python{wanted}").specifier.contains(platform.python_version())
    return Check(ok, f"Python {platform.python_version()} (needs {wanted}), {sys.platform}")


def _packages() -> Check:
    wrong = []
    needed = [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires(DISTRIBUTION) or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]
    for requirement in needed:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        return Check(False, f"packages: {'; '.join(wrong)}: install from requirements.lock again")
    return Check(True, f"packages: all {len(needed)} in the versions that pyproject.toml asks for")


def _mp3() -> Check:
    import soundfile

    ok = "MP3" in soundfile.available_formats()
    text = f"libsndfile {soundfile.__libsndfile_version__}"
    if ok:
        return Check(True, f"{text} reads and writes MP3, FLAC, OGG and WAV")
    return Check(False, f"{text} has no MP3: install the package soundfile from requirements.lock")


def _ffmpeg() -> Check:
    found = shutil.which("ffmpeg") and shutil.which("ffprobe")
    if found:
        return Check(True, "ffmpeg: found, so M4A, WMA and video files can be read too")
    return Check(True, "ffmpeg: not installed; needed for M4A, WMA and video files only")


def _memory() -> Check:
    free_gb = psutil.virtual_memory().available / 1e9
    text = f"memory: {free_gb:.1f} GB free (the course needs {MEMORY_GB:.0f} GB)"
    return Check(free_gb >= MEMORY_GB, text + ("" if free_gb >= MEMORY_GB else ": close programs"))


def _folders() -> Iterator[Check]:
    for folder in (DATA_FOLDER, PROJECT_FOLDER / "notebooks"):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Check(False, f"folder {folder} can't be written ({error.strerror})")
            continue
        free_gb = shutil.disk_usage(folder).free / 1e9
        text = f"folder {folder.name}/: writable, {free_gb:.0f} GB free"
        enough = free_gb >= DISK_GB
        yield Check(enough, text if enough else f"{text}, {DISK_GB:.0f} GB needed")


def _pretrained() -> Iterator[Check]:
    runs = sorted(path.parent for path in (DATA_FOLDER / "pretrained").glob("*/run.json"))
    if not runs:
        yield Check(True, "pretrained weights: none; the notebooks train their own")
    for run in runs:
        whole = _is_zip(run / "model.keras")
        text = f"pretrained weights: {run.name}"
        yield Check(whole, text if whole else f"{text} is damaged: check the files out again")


def _is_zip(path: Path) -> bool:
    import zipfile

    return zipfile.is_zipfile(path)
