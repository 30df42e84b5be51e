"""Open collections of music: downloaded, checked, laid out as folders that `prepare` takes.

A download that broke off goes on where it was. Nothing is unpacked whose hash is not the one on the
collection's page, and the folder of music is whole or not there.
"""

import hashlib
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

import pandas as pd
import requests

from lildata_utils.clips.settings import TEST, TRAIN, VALIDATION
from lildata_utils.clips.sources import TRACKS_TABLE
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_zip, file_size, remove_leftovers, written_beside
from lildata_utils.machine import check_room

ABOUT = "SOURCE.txt"
SILENT_S = 60  # so long a server may say nothing
CHUNK_BYTES = 2**14  # no more is lost where a connection breaks


@dataclass(frozen=True)
class Archive:
    """A ZIP file on a server, with the SHA-1 that its page has (notebook 01)."""

    address: str
    size: int
    sha1: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True)
class OpenCollection:
    """Music that anybody may download (notebook 01)."""

    name: str
    what: str
    page: str
    licence: str
    music: Archive
    tables: Archive
    # Reads the tables: a row a track, its member in the music's archive and the columns of the
    # `tracks.csv` that `prepare` takes.
    read: Callable[[zipfile.ZipFile], pd.DataFrame]
    # Members that its page says are broken.
    bad: frozenset[str] = frozenset()


def _fma_member(number: int) -> str:
    return f"fma_small/{number // 1000:03}/{number:06}.mp3"


# Lines 1 and 2 of its tracks.csv name the columns.
_FMA_COLUMNS = {
    "subset": ("set", "subset"),
    "split": ("set", "split"),
    "artist": ("artist", "name"),
}
_FMA_COLUMNS |= {key: ("track", key) for key in ("genre_top", "title", "license")}
_FMA_SPLITS = {"training": TRAIN, "validation": VALIDATION, "test": TEST}


def _read_fma_small(tables: zipfile.ZipFile) -> pd.DataFrame:
    name = "fma_metadata/tracks.csv"
    with tables.open(name) as file:
        heads = pd.read_csv(file, header=None, nrows=2, dtype=str).to_numpy()
    named = list(zip(*heads, strict=True))
    places = {named.index(column): word for word, column in _FMA_COLUMNS.items()} | {0: "number"}
    with tables.open(name) as file:
        table = pd.read_csv(
            file, header=None, skiprows=3, usecols=[*places], dtype=str, keep_default_na=False
        ).rename(columns=places)
    table = table[table["subset"] == "small"].copy()
    table["member"] = [_fma_member(int(number)) for number in table["number"]]
    table["split"] = [_FMA_SPLITS[split] for split in table["split"]]
    # Whatever a genre is called, it is one folder.
    folders = [re.sub(r"[^\w &-]+", "_", genre) for genre in table["genre_top"]]
    names = [PurePosixPath(member).name for member in table["member"]]
    table["file"] = [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)]
    return table[["member", "file", "artist", "split", "title", "license"]]


# github.com/mdeff/fma: its README has the hashes, its wiki the files that are empty or too short.
_FMA = "https://os.unil.cloud.switch.ch/fma"
_FMA_BAD = (98565, 98567, 98569, 99134, 108925, 133297)
COLLECTIONS = (
    OpenCollection(
        name="fma-small",
        what="Free Music Archive: 8000 excerpts of 30 s, eight genres (Defferrard et al., 2017)",
        page="https://github.com/mdeff/fma",
        licence="for research; each track under the Creative Commons licence its artist chose "
        f"(see {TRACKS_TABLE}), its tables under CC BY 4.0",
        music=Archive(
            f"{_FMA}/fma_small.zip", 7_679_594_875, "ade154f733639d52e35e32f5593efe5be76c6d70"
        ),
        tables=Archive(
            f"{_FMA}/fma_metadata.zip", 358_412_441, "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"
        ),
        read=_read_fma_small,
        bad=frozenset(map(_fma_member, _FMA_BAD)),
    ),
)


def find_collection(name: str) -> OpenCollection:
    """Look a collection up by its name (notebook 01)."""
    known = {collection.name: collection for collection in COLLECTIONS}
    if name not in known:
        raise LilDataError(f"no collection is called {name!r}: expected one of {', '.join(known)}")
    return known[name]


def is_fetched(out: Path) -> bool:
    """Say whether a collection is there; a LilDataError if something else is (notebook 01)."""
    if (out / ABOUT).is_file():
        return True
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise LilDataError(f"{out} holds something else: expected a folder that is not there yet")
    return False


def _places(archive: Archive, out: Path) -> tuple[Path, Path]:
    """Tell where an archive lies when it is whole, and before: beside the music to be."""
    whole = out.with_name(f"{out.name}-archives") / archive.name
    return whole, whole.with_name(f"{whole.name}.part")


def download(collection: OpenCollection, out: Path) -> Iterator[tuple[int, int]]:
    """Download what is missing of a collection's archives, and check them (notebook 01).

    Yields the bytes that are there, and those of all archives. A connection that breaks is tried
    again as long as something comes.
    """
    archives = collection.tables, collection.music
    in_all = sum(archive.size for archive in archives)
    there = sum(max(map(file_size, _places(archive, out))) for archive in archives)
    # MP3 files hardly shrink in an archive.
    needed = in_all - there + collection.music.size
    check_room(out, needed, f"{collection.name} with its archives")
    before = 0
    for archive in archives:
        whole, part = _places(archive, out)
        try:
            if whole.is_file():
                _check_hash(archive, whole, "delete it, and the same command downloads it")
            else:
                part.parent.mkdir(parents=True, exist_ok=True)
                part.touch()
                for done in _complete(archive, part):
                    yield before + done, in_all
                try:
                    _check_hash(archive, part, "it is deleted, the same command downloads it anew")
                except LilDataError:
                    part.unlink()
                    raise
                part.replace(whole)
        except OSError as error:
            raise LilDataError(f"{whole} can't be written ({error.strerror or error})") from None
        before += archive.size
        yield before, in_all


def _complete(archive: Archive, part: Path) -> Iterator[int]:
    while (done := file_size(part)) < archive.size:
        reason = "it sent nothing"
        try:
            with part.open("r+b") as file:
                yield from _transfer(archive, file)
        except requests.HTTPError as error:
            reason = str(error)
        except requests.RequestException as error:
            reason = f"no connection ({type(error).__name__})"
        if file_size(part) <= done:
            raise LilDataError(
                f"{archive.address}: {reason}; {done} of {archive.size} bytes are there, and the "
                "same command goes on from here"
            )


def _transfer(archive: Archive, file: BinaryIO) -> Iterator[int]:
    """Download what a file lacks; from its beginning, where a server can't go on."""
    done = file.seek(0, os.SEEK_END)
    asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(archive.address, headers=asked, stream=True, timeout=SILENT_S) as answer:
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            done = 0
        # A page to log in at a hotel also comes with status 200.
        length = answer.headers.get("Content-Length", "an unknown number of")
        if length != f"{archive.size - done}":
            raise LilDataError(
                f"{archive.address} sends {length} bytes, expected {archive.size - done}: "
                "it has moved or changed, or something on the way answers in its place"
            )
        file.seek(done)
        file.truncate()
        for chunk in answer.iter_content(CHUNK_BYTES):
            file.write(chunk)
            yield file.tell()


def _check_hash(archive: Archive, path: Path, do: str) -> None:
    with path.open("rb") as file:
        sha1 = hashlib.file_digest(file, "sha1").hexdigest()
    if sha1 != archive.sha1:
        raise LilDataError(f"{path} has the SHA-1 {sha1}, expected {archive.sha1}: {do}")


def unpack(collection: OpenCollection, out: Path) -> Iterator[tuple[int, int]]:
    """Lay the music out as a folder per genre, with a table; delete the archives (notebook 01).

    Yields the number of tracks that are done, and of all.
    """
    path, _ = _places(collection.music, out)
    # Beside the archives, where a killed run's half is known as ours.
    remove_leftovers(path.parent)
    whole = path.parent / "music"
    if not whole.is_dir():
        yield from _unpack(collection, out, whole)
    whole.replace(out)
    shutil.rmtree(path.parent, ignore_errors=True)


def _unpack(collection: OpenCollection, out: Path, whole: Path) -> Iterator[tuple[int, int]]:
    (path, _), (tables_path, _) = (_places(a, out) for a in (collection.music, collection.tables))
    with _opened(tables_path) as tables:
        rows = collection.read(tables)
    rows = rows[~rows["member"].isin(collection.bad)]
    with written_beside(whole) as beside, _opened(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        if missing := set(rows["member"]) - set(sizes):
            raise LilDataError(f"{path} lacks {len(missing)} tracks, such as {min(missing)}")
        check_room(out, sum(sizes[member] for member in rows["member"]), collection.name)
        for done, (member, name) in enumerate(zip(rows["member"], rows["file"], strict=True), 1):
            target = beside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file)
            yield done, len(rows)
        rows.drop(columns="member").to_csv(beside / TRACKS_TABLE, index=False)
        about = (collection.name, collection.what, collection.page, collection.licence)
        (beside / ABOUT).write_text("\n".join(about) + "\n", encoding="utf-8")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive in which nothing would leave its folder or fill the disk."""
    check_zip(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PureWindowsPath(member.filename)  # knows both kinds of slashes
                link = stat.S_ISLNK(member.external_attr >> 16)
                if link or name.anchor or ".." in name.parts:
                    raise LilDataError(
                        f"{path} holds {member.filename!r}, which leads out of its folder: "
                        "nothing of it is unpacked"
                    )
            yield archive
    except (LilDataError, OSError):
        raise
    except Exception as error:  # whatever a broken archive or table makes of itself
        raise LilDataError(f"{path} is damaged ({type(error).__name__}: {error})") from None
