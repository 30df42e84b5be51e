"""The genre in a music file's tags: read, and written so that the old one is not lost.

How tags lie around the sound differs from format to format; mutagen knows them all. The file is
copied beside its place, changed there and renamed, so that a killed process leaves the old one.
"""

import shutil
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TCON
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside

# In front of the genre that a file had, in a comment.
KEPT = "genre before lildata: "
# Where tags have genres and comments; ID3 (MP3, WAV, AIFF) has frames instead.
PLACES = dict.fromkeys((FLAC, OggVorbis, OggOpus, OggFLAC), ("genre", "comment"))
PLACES[MP4] = ("\xa9gen", "\xa9cmt")


def read_genre(path: str | Path) -> str:
    """Read the genre in a file's tags; empty if there is none (notebook 07).

    Raises
    ------
    LilDataError
        If the tags are broken, or such a file can't have any.
    """
    return _genre(_open(Path(path)))


def write_genre(path: str | Path, genre: str) -> None:
    """Write a genre into a file's tags; a comment keeps the one it came with (notebook 07).

    Raises
    ------
    LilDataError
        As `read_genre`, or if the file can't be written; it is then as it was.
    """
    path = Path(path).resolve()  # a link stays one
    with written_beside(path) as beside:
        shutil.copy2(path, beside)
        file = _open(beside, path)
        kept = KEPT + (_genre(file) or "none")
        try:
            (_change_id3 if isinstance(file.tags, ID3) else _change)(file, genre, kept)
        except OSError:
            raise
        except Exception as error:
            raise LilDataError(f"{path}: its tags can't be written ({error})") from None


def _open(path: Path, shown: Path | None = None) -> Any:
    """Open a file for its tags; it gets empty ones where it has none."""
    try:
        file: Any = mutagen.File(path)
        if file is not None and file.tags is None:
            file.add_tags()
    # Strangers' files: mutagen raises whatever its parts raise.
    except Exception as error:
        reason = str(error).replace(str(path), "") or repr(error)
        raise LilDataError(f"{shown or path}: its tags can't be read ({reason})") from None
    if file is None or not (isinstance(file.tags, ID3) or type(file) in PLACES):
        raise LilDataError(
            f"{shown or path}: such a file has no place for a genre: expected MP3, FLAC, OGG, M4A "
            "or WAV"
        )
    return file


def _genre(file: Any) -> str:
    if isinstance(file.tags, ID3):
        found = [genre for frame in file.tags.getall("TCON") for genre in frame.genres]
    else:
        found = file.tags.get(PLACES[type(file)][0], [])
    return "; ".join(found)


def _change(file: Any, genre: str, kept: str) -> None:
    genres, comments = PLACES[type(file)]
    there = file.tags.get(comments, [])
    file.tags[genres] = [genre]
    if not any(text.startswith(KEPT) for text in there):
        file.tags[comments] = [*there, kept]
    file.save()


def _change_id3(file: Any, genre: str, kept: str) -> None:
    tags = file.tags
    there = [text for frame in tags.getall("COMM") for text in frame.text]
    tags.setall("TCON", [TCON(encoding=3, text=[genre])])
    if not any(text.startswith(KEPT) for text in there):
        tags.add(COMM(encoding=3, lang="eng", desc="lildata", text=[kept]))
    if tags.version[:2] == (2, 3):  # Not all players know the later one.
        tags.update_to_v23()
        file.save(v2_version=3)
    else:
        file.save()
