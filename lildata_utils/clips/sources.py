"""Which files below a folder are the music of which genre, by whom, and which can be left out."""

import hashlib
import mimetypes
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from lildata_utils.clips.settings import SPLITS
from lildata_utils.errors import LilDataError
from lildata_utils.files import file_size, read_rows, read_table, readable
from lildata_utils.genres import GENRES

# Beside tracks: who made which file, and maybe its split.
# Beside a mix "night.mp3": "night.tracks.csv", who plays when.
TRACKS_TABLE = "tracks.csv"
TRACKS_COLUMNS = ("file", "artist")
SPLIT_COLUMN = "split"  # may stand there, too
MIX_SUFFIX = ".tracks.csv"

SHARDS = "shards"
# A folder of music holds pictures, texts and lists as well. A file that is named is tried anyhow.
MUSIC = {".mp3", ".mp2", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".wma", ".mpc"}
MUSIC |= {".wav", ".flac", ".aif", ".aiff", ".ape", ".wv", ".caf", ".au"}
LONGEST_NAME_BYTES = 150


@dataclass(frozen=True)
class Source:
    """One music file of a genre, before it is read (notebook 01)."""

    # `artist` is empty where neither the file's name nor a ``tracks.csv`` tells it.
    genre: str
    artist: str
    track: str
    path: Path  # The file
    file: str  # The same relative to the source folder, for messages
    shard: str  # Where its images go, relative to the data set's folder
    split: str = ""  # What a ``tracks.csv`` says; `prepare` deals the others
    limit: int | None = None  # At most this many of its clips, spread evenly


@dataclass(frozen=True)
class Skipped:
    """A file, or a clip of it, that was left out, and why, in words (notebook 01)."""

    file: str
    start_s: float | None
    reason: str


@dataclass(frozen=True)
class MixTrack:
    """One track of a mix, from its track list (notebook 01)."""

    start_s: Annotated[float, Meta(ge=0, le=1e7)]
    end_s: Annotated[float, Meta(ge=0, le=1e7)]
    artist: str
    title: str


def find_sources(folder: str | Path) -> tuple[list[Source], list[Skipped]]:
    """List the files below the genre folders of a source folder (notebook 01).

    What lies deeper counts too. Hidden files and track lists don't.

    Returns
    -------
    sources : list of Source
        The course's genres first, in the paper's order; then by name.
    skipped : list of Skipped
        Folders that can't be read or are named like a sound file.

    Raises
    ------
    LilDataError
        If `folder` is missing or holds no genre folders, or splits are given to a part of a genre.
    """
    folder = Path(folder)
    _listed.cache_clear()
    sources: list[Source] = []
    skipped: list[Skipped] = []
    for genre in genre_folders(folder):
        paths = _walk(genre, folder, skipped)
        stems = Counter(path.relative_to(genre).with_suffix("") for path in paths)
        for path in paths:
            inside = path.relative_to(genre)
            artist, split = _about(path, folder)
            # "a.mp3" and "a.ogg" are two tracks.
            name = (
                inside if stems[inside.with_suffix("")] > 1 else inside.with_suffix("")
            ).as_posix()
            sources.append(
                Source(
                    genre=readable(genre.name),
                    artist=readable(artist),
                    track=readable(name),
                    path=path,
                    file=readable(path.relative_to(folder).as_posix()),
                    shard=f"{SHARDS}/{_safe_name(genre.name)}/{_safe_name(name)}.npy",
                    split=split,
                )
            )
        _check_splits(sources[-len(paths) :] if paths else [])
    return sources, skipped


def find_music(paths: Iterable[Path]) -> tuple[list[Path], list[Skipped]]:
    """List files and the music below folders, each once; hidden files are left out (notebook 07).

    Skipped are folders that can't be read, hold no music, or are named like a sound file.
    """
    found: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        if path.is_dir():
            inside = [file for file in _walk(path, path, skipped) if file.suffix.lower() in MUSIC]
            if not inside:
                skipped.append(Skipped(readable(str(path)), None, "holds no music"))
            found += inside
        else:
            found.append(path)
    first: dict[str, Path] = {}
    for path in found:  # by links, or because its folder is named, too, a file may come again
        first.setdefault(os.path.realpath(path), path)
    return list(first.values()), skipped


def genre_folders(folder: Path) -> list[Path]:
    """List the folders of genres, the course's first, in the paper's order (notebook 01)."""
    if not folder.is_dir():
        raise LilDataError(f"{folder} is no folder: expected one that holds a folder per genre")
    genres = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if not genres:
        raise LilDataError(f"{folder} holds no folders: put the music of each genre into its own")
    return sorted(genres, key=lambda path: _genre_order(path.name))


def check_apart(source: Path, out: Path) -> None:
    """Raise a LilDataError if what will be written lies in what is only read (notebook 01)."""
    if out.resolve().is_relative_to(source.resolve()):
        raise LilDataError(f"{out} lies in {source}, which is only read: choose another folder")


def _check_splits(sources: list[Source]) -> None:
    without = [source.file for source in sources if not source.split]
    if 0 < len(without) < len(sources):
        raise LilDataError(
            f"{without[0]} has no split in a {TRACKS_TABLE}, other files of its genre have one: "
            f"give all of them one of {', '.join(SPLITS)}, or none"
        )


def drop_duplicates(sources: list[Source]) -> tuple[list[Source], list[Skipped]]:
    """Keep the first of files with the same bytes; equal sizes are read (notebook 01)."""
    sizes = Counter(file_size(source.path) for source in sources)
    kept: list[Source] = []
    skipped: list[Skipped] = []
    first: dict[str, Source] = {}
    for source in sources:
        size = file_size(source.path)
        digest = _digest(source.path) if size and sizes[size] > 1 else None
        original = first.setdefault(digest, source) if digest else source
        if original is source:
            kept.append(source)
        else:
            skipped.append(Skipped(source.file, None, f"duplicate of {original.file}"))
    return kept, skipped


def share_limit(sources: list[Source], limit: int) -> list[Source]:
    """Give each file of a genre its share of at most `limit` clips (notebook 01).

    Files without a share drop out.

    Examples
    --------
    >>> song = Source("house", "", "a", Path("a"), "a", "a")
    >>> [source.limit for source in share_limit([song, replace(song, track="b")], 5)]
    [3, 2]
    """
    files = Counter(source.genre for source in sources)
    seen: Counter[str] = Counter()
    shared = []
    for source in sources:
        share, rest = divmod(limit, files[source.genre])
        share += seen[source.genre] < rest
        seen[source.genre] += 1
        if share:
            shared.append(replace(source, limit=share))
    return shared


def read_mix_list(mix: str | Path) -> list[MixTrack]:
    """Read the track list beside a mix; empty if there is none (notebook 01).

    Raises
    ------
    LilDataError
        If there is a list that can't be read, lacks a column or holds no numbers.
    """
    path = Path(mix).with_name(Path(mix).stem + MIX_SUFFIX)
    if not path.is_file():
        return []
    return read_rows(path, MixTrack)


def _genre_order(name: str) -> tuple[int, str]:
    return (GENRES.index(name) if name in GENRES else len(GENRES), name)


def _walk(genre: Path, folder: Path, skipped: list[Skipped]) -> list[Path]:
    """List a genre's files in order; note the folders that are unreadable or oddly named."""

    def unreadable(error: OSError) -> None:
        file = readable(Path(str(error.filename)).relative_to(folder).as_posix())
        skipped.append(Skipped(file, None, f"unreadable ({error.strerror})"))

    paths = []
    for root, folders, names in os.walk(genre, onerror=unreadable, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            kind, _ = mimetypes.guess_type(name)
            if kind is not None and kind.startswith("audio/"):
                file = readable((Path(root) / name).relative_to(folder).as_posix())
                skipped.append(Skipped(file, None, "a folder, though named like a sound file"))
        paths += [Path(root) / name for name in names if not name.startswith(".")]
    return sorted(p for p in paths if p.name != TRACKS_TABLE and not p.name.endswith(MIX_SUFFIX))


def _about(path: Path, top: Path) -> tuple[str, str]:
    """Tell artist and split by a ``tracks.csv`` between file and `top`, else "Artist - Title"."""
    for folder in path.parents:
        listed = _listed(folder).get(path.relative_to(folder).as_posix())
        if listed is not None:
            return listed
        if folder == top:
            break
    # A track number in front ("07 - Title") is no artist.
    artist, dash, _ = re.sub(r"^\d+[\s._-]+", "", path.stem).partition(" - ")
    return artist.strip() if dash else "", ""


@cache
def _listed(folder: Path) -> dict[str, tuple[str, str]]:
    path = folder / TRACKS_TABLE
    if not path.is_file():
        return {}
    rows = read_table(path, TRACKS_COLUMNS)
    listed = {row["file"]: (row["artist"], row.get(SPLIT_COLUMN, "").strip()) for row in rows}
    for file, (_, split) in listed.items():
        if split not in ("", *SPLITS):
            raise LilDataError(
                f"{path}: {file} has the split {split!r}, expected one of {', '.join(SPLITS)}"
            )
    return listed


def _safe_name(name: str) -> str:
    """Make one file name of a track's name: any language, no folders, not too long."""
    name = readable(name)
    safe = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", name)
    if safe == name and len(safe.encode()) <= LONGEST_NAME_BYTES:
        return safe
    # The hash keeps apart what looks the same after the change.
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe.encode()[: LONGEST_NAME_BYTES - 9].decode(errors='ignore')}-{digest}"


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # reading it for its sound will say why
