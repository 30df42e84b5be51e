"""The genre in a file's tags: written for every format, the old one kept, the sound untouched."""

import shutil
import signal
import subprocess
import sys

import mutagen
import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio, tags

SOUND = 0.3 * np.sin(np.arange(22_050) / 20)
FORMATS = ("mp3", "flac", "ogg", "wav", "m4a", "opus", "aiff")


def write(path):
    """A second of sound in any format."""
    if path.suffix[1:] in ("mp3", "flac", "ogg", "wav"):
        audio.write(path, SOUND)
        return path
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to write this format")
    wav = path.with_name("source.wav")
    audio.write(wav, SOUND)
    subprocess.run(["ffmpeg", "-v", "error", "-i", wav, path], check=True)
    wav.unlink()
    return path


def comments(path):
    file = mutagen.File(path)
    if hasattr(file.tags, "getall"):
        return [text for frame in file.tags.getall("COMM") for text in frame.text]
    return file.tags.get("comment", []) or file.tags.get("\xa9cmt", [])


@pytest.mark.parametrize("kind", FORMATS)
def test_the_first_genre_is_kept_and_the_sound_is_the_same(kind, tmp_path):
    path = write(tmp_path / f"a.{kind}")
    before = audio.read(path)
    assert tags.read_genre(path) == ""
    tags.write_genre(path, "house")
    assert tags.read_genre(str(path)) == "house"
    assert comments(path) == ["genre before lildata: none"]
    tags.write_genre(path, "liquid dnb")
    assert tags.read_genre(path) == "liquid dnb"
    assert comments(path) == ["genre before lildata: none"]
    np.testing.assert_array_equal(audio.read(path), before)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["flac", "m4a"])
def test_comments_and_other_tags_stay(kind, tmp_path):
    path = write(tmp_path / f"a.{kind}")
    genre, comment, title = (
        ("genre", "comment", "title") if kind == "flac" else ("\xa9gen", "\xa9cmt", "\xa9nam")
    )
    file = mutagen.File(path)
    file[genre], file[comment], file[title] = ["Rock", "Pop"], ["mine"], ["Song"]
    file.save()
    tags.write_genre(path, "house")
    file = mutagen.File(path)
    assert (file[genre], file[title]) == (["house"], ["Song"])
    assert file[comment] == ["mine", "genre before lildata: Rock; Pop"]


def test_an_id3_tag_keeps_its_version_and_its_frames(tmp_path):
    from mutagen.id3 import COMM, TCON, TIT2

    path = write(tmp_path / "a.mp3")
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(TIT2(encoding=3, text="Söng"))
    file.tags.add(TCON(encoding=3, text="(17)"))  # Rock, by its number
    file.tags.add(COMM(encoding=3, lang="deu", desc="", text="mine"))
    file.tags.update_to_v23()
    file.save(v2_version=3)
    tags.write_genre(path, "house")
    found = mutagen.File(path).tags
    assert found.version == (2, 3, 0)
    assert tags.read_genre(path) == "house"
    assert found["TIT2"].text == ["Söng"]
    assert sorted(comments(path)) == ["genre before lildata: Rock", "mine"]


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path):
    path = write(tmp_path / "a.flac")
    path.chmod(0o640)
    link = tmp_path / "link.flac"
    link.symlink_to(path)
    tags.write_genre(link, "house")
    assert link.is_symlink()
    assert tags.read_genre(path) == "house"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", [b"", b"no music", b"ID3\x03", b"fLaC" + bytes(99)])
@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a", "txt"])
def test_what_has_no_tags_or_broken_ones_is_one_line_and_stays(content, kind, tmp_path):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(LilDataError, match=f"a.{kind}: ") as error:
        tags.write_genre(path, "house")
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


KILLED = """
import os, sys
from mutagen.flac import FLAC
from lildata_utils.sound import tags
saved = FLAC.save
def save(self, *given, **named):
    saved(self, *given, **named)
    os.kill(os.getpid(), 9)
FLAC.save = save
tags.write_genre(sys.argv[1], "house")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_killed_process_leaves_the_file_as_it_was(tmp_path):
    path = write(tmp_path / "a.flac")
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert all(one == path or one.name[0] == "." for one in tmp_path.iterdir())
    tags.write_genre(path, "house")
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
