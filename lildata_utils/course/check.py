"""Is everything there that the course needs? `lildata check` and notebook 00 print the answers."""

import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import psutil
from packaging.requirements import Requirement

from lildata_utils.errors import LilDataError
from lildata_utils.files import DATA_FOLDER, INSTALLED, NOTEBOOKS_FOLDER, PRETRAINED, shown
from lildata_utils.machine import machine, require_tensorflow

DISTRIBUTION = "lildata-utils"
MEMORY_GB = 3.0
# The quick data set and its music take under 1 GB, the paper's size about 6 GB.
DISK_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One answer: is it all right, and what was found (notebook 00)."""

    ok: bool
    text: str

    def __str__(self) -> str:
        return f"[{'ok' if self.ok else 'fail'}] {self.text}"


def checks() -> Iterator[Check]:
    """Look at Python, packages, decoders, memory, disk, folders and weights (notebook 00).

    Yields
    ------
    Check
        What fails says what to do.
    """
    yield _python()
    yield _packages()
    yield _tensorflow()
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
    needed = _requirements("")
    if wrong := list(filter(None, map(_fault, needed))):
        return Check(False, f"packages: {'; '.join(wrong)}: install from requirements.lock again")
    return Check(True, f"packages: all {len(needed)} in the versions that pyproject.toml asks for")


def _tensorflow() -> Check:
    try:
        require_tensorflow()
    except LilDataError as error:
        return Check(False, str(error))
    builds = [
        build
        for extra in ("cpu", "gpu")
        for build in _requirements(extra)
        if build.name.startswith("tensorflow")
    ]
    for build in builds:
        if not _fault(build):
            return Check(True, f"{build.name} {importlib.metadata.version(build.name)}")
    return Check(False, f"TensorFlow: {'; '.join(map(_fault, builds))}: install it again")


def _requirements(extra: str) -> list[Requirement]:
    """List what an extra of this package needs on this machine; "" is the package alone."""
    return [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires(DISTRIBUTION) or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    ]


def _fault(requirement: Requirement) -> str:
    """Say what is wrong with an installed package; nothing if it is as required."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} {version} is not {requirement.specifier}"


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
    # What comes with an installed package is only read: the notebooks run in the working folder.
    for folder in (DATA_FOLDER, Path.cwd() if INSTALLED else NOTEBOOKS_FOLDER):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            yield Check(False, f"folder {folder} can't be written ({error.strerror})")
            continue
        free_gb = shutil.disk_usage(there).free / 1e9
        text = f"folder {shown(folder)}/: writable, {free_gb:.0f} GB free"
        enough = free_gb >= DISK_GB
        yield Check(enough, text if enough else f"{text}, {DISK_GB:.0f} GB needed")


def _pretrained() -> Iterator[Check]:
    runs = sorted(path.parent for path in PRETRAINED.rglob("run.json"))
    damaged = [run for run in runs if not _is_whole(run / "model.keras")]
    for run in damaged:
        name = run.relative_to(PRETRAINED).as_posix()
        yield Check(False, f"pretrained weights: {name} is damaged: check out or install again")
    if not runs:
        yield Check(True, "pretrained weights: none; the notebooks train their own")
    elif not damaged:
        yield Check(True, f"pretrained weights: all {len(runs)} whole")


def _is_whole(path: Path) -> bool:
    try:
        with ZipFile(path) as file:
            return file.testzip() is None
    except (OSError, BadZipFile):
        return False
