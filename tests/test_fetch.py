import hashlib
import io
import re
import threading
import zipfile
from collections import namedtuple
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest

from lildata_utils.cli.main import main
from lildata_utils.clips import dataset, fetch
from lildata_utils.clips.prepare import prepare
from lildata_utils.errors import LilDataError
from lildata_utils.files import partial_files
from lildata_utils.sound import audio

Usage = namedtuple("Usage", "total used free")

# Number, subset, genre, artist, split, title: FMA's own shape, with text that spans lines.
TRACKS = [
    (2, "small", "Hip-Hop", "AWOL", "training", "Food"),
    (3, "small", "Hip-Hop", "NA", "test", "a, b"),
    (1005, "small", "Hip-Hop", "C", "validation", "two\nlines"),
    (1006, "small", "Soul / R&B", "D", "training", "é"),
    (1007, "medium", "Rock", "E", "training", "not in the small one"),
    (98565, "small", "Rock", "F", "training", "known to be broken"),
]
MUSIC = {fetch._fma_member(row[0]) for row in TRACKS if row[1] == "small"}


def zipped(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tables():
    heads = [("", "")]
    heads += [("set", "split"), ("set", "subset"), ("track", "genre_top"), ("track", "license")]
    heads += [("track", "title"), ("artist", "name"), ("album", "title")]
    table = pd.DataFrame([*zip(*heads, strict=True), ["track_id", *[""] * 7]])
    rows = [
        [str(number), split, subset, genre, "CC BY", title, artist, "album"]
        for number, subset, genre, artist, split, title in TRACKS
    ]
    text = pd.concat([table, pd.DataFrame(rows)]).to_csv(header=False, index=False)
    return zipped({"fma_metadata/tracks.csv": text, "fma_metadata/README.txt": "read me"})


def music(members=MUSIC):
    """Archives hold some bytes a track that don't shrink, so that a cut falls into them."""
    rng = np.random.default_rng(0)
    return zipped({name: rng.bytes(50_000) for name in sorted(members)})


class Server:
    """Answers as told: with ranges or without, and after `cuts` bytes it hangs up, cut by cut."""

    def __init__(self):
        self.files, self.asked, self.cuts, self.ranges = {}, [], [], True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append((self.path, self.headers.get("Range")))
                content = server.files.get(self.path)
                if content is None:
                    return self.send_error(404)
                start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                start = int(start[1]) if start and server.ranges else 0
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                cut = server.cuts.pop(0) if server.cuts else len(content)
                return self.wfile.write(content[start : start + cut])

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def archive(self, name, content):
        self.files[f"/{name}"] = content
        address = f"http://127.0.0.1:{self.http.server_port}/{name}"
        return fetch.Archive(address, len(content), hashlib.sha1(content).hexdigest())


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def collection(server):
    """The small collection of the real registry, with small archives at a server of our own."""
    real = fetch.find_collection("fma-small")
    packed = server.archive("music.zip", music()), server.archive("tables.zip", tables())
    return replace(real, music=packed[0], tables=packed[1])


def fetched(collection, out):
    *_, last = fetch.download(collection, out)
    assert last == (collection.music.size + collection.tables.size,) * 2
    *_, last = fetch.unpack(collection, out)
    return last


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_folders_by_genre_with_the_official_split_and_without_known_bad_files(collection, tmp_path):
    out = tmp_path / "fma"
    assert fetched(collection, out) == (4, 4)
    tracks = ["Hip-Hop/000002.mp3", "Hip-Hop/000003.mp3", "Hip-Hop/001005.mp3"]
    tracks.append("Soul _ R&B/001006.mp3")
    assert files(out) == [*tracks[:3], "SOURCE.txt", tracks[3], "tracks.csv"]
    table = pd.read_csv(out / "tracks.csv", keep_default_na=False)
    assert table["file"].tolist() == tracks
    assert table["artist"].tolist() == ["AWOL", "NA", "C", "D"]
    assert table["split"].tolist() == ["train", "test", "validation", "train"]
    assert table["title"].tolist() == ["Food", "a, b", "two\nlines", "é"]
    assert "Creative Commons" in (out / "SOURCE.txt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["fma"]  # the archives are gone


@pytest.mark.parametrize(("ranges", "begins"), [(True, (1 / 3, 5 / 6)), (False, (1 / 3, 1 / 2))])
def test_a_broken_download_goes_on_where_it_was(collection, server, tmp_path, ranges, begins):
    size = collection.music.size
    # The tables come whole. A server that begins anew sends more each time, else it is given up.
    server.cuts, server.ranges = [10**9, size // 3, size // 2], ranges
    fetched(collection, tmp_path / "fma")
    first, *asked = (begin for path, begin in server.asked if path == "/music.zip")
    assert first is None
    starts = [int(begin.removeprefix("bytes=").removesuffix("-")) for begin in asked]
    assert starts == pytest.approx([size * share for share in begins], abs=fetch.CHUNK_BYTES)
    assert len(files(tmp_path / "fma")) == 6


def test_a_server_that_stops_is_one_line_and_the_same_command_goes_on(collection, server, tmp_path):
    out = tmp_path / "fma"
    server.cuts = [10**9, 2**15, 0]
    with pytest.raises(LilDataError, match=r"32768 of .* are there, and the same command goes"):
        fetched(collection, out)
    assert files(tmp_path) == ["fma-archives/music.zip.part", "fma-archives/tables.zip"]
    server.asked.clear()
    fetched(collection, out)
    assert server.asked == [("/music.zip", "bytes=32768-")]
    assert len(files(out)) == 6


def test_wrong_bytes_are_not_unpacked(collection, server, tmp_path):
    out = tmp_path / "fma"
    server.files["/music.zip"] = b"x" * collection.music.size
    with pytest.raises(LilDataError, match=r"SHA-1 .* expected .* downloads it anew"):
        fetched(collection, out)
    assert files(tmp_path) == ["fma-archives/tables.zip"]
    # One that somebody put there is not ours to delete.
    (tmp_path / "fma-archives/music.zip").write_bytes(b"other")
    with pytest.raises(LilDataError, match=r"SHA-1 .* delete it"):
        fetched(collection, out)
    assert (tmp_path / "fma-archives/music.zip").read_bytes() == b"other"


@pytest.mark.parametrize(
    ("sent", "words"),
    [(None, "404"), (b"<html>log in first</html>", "sends 25 bytes, expected")],
)
def test_what_is_no_archive_does_not_touch_what_is_there(collection, server, tmp_path, sent, words):
    part = tmp_path / "fma-archives/music.zip.part"
    part.parent.mkdir()
    part.write_bytes(music()[:1000])
    server.files["/music.zip"], server.ranges = sent, False
    with pytest.raises(LilDataError, match=words):
        fetched(collection, tmp_path / "fma")
    assert part.read_bytes() == music()[:1000]


def linked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo(min(MUSIC))
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return packed.getvalue()


def damaged():
    content = bytearray(music())
    content[1000] ^= 255  # in the first track's sound
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (music({*MUSIC, "../../up.mp3"}), "leads out of its folder"),
        (music({*MUSIC, "/root.mp3"}), "leads out of its folder"),
        (music({*MUSIC, "..\\up.mp3"}), "leads out of its folder"),
        (music({*MUSIC, "C:\\up.mp3"}), "leads out of its folder"),
        (linked(), "leads out of its folder"),
        (zipped(dict.fromkeys(MUSIC, bytes(30_000_000))), "would unpack to"),
        (damaged(), "is damaged .*CRC"),
        (b"no archive", "can't be read as a ZIP file"),
        (music(sorted(MUSIC)[1:]), "lacks 1 tracks, such as fma_small/000/000002.mp3"),
    ],
    ids=[
        "up",
        "root",
        "up by \\",
        "drive",
        "link",
        "bomb",
        "damaged",
        "no archive",
        "a track less",
    ],
)
def test_archives_that_would_do_harm_leave_nothing(collection, server, tmp_path, content, words):
    evil = replace(collection, music=server.archive("evil.zip", content))
    with pytest.raises(LilDataError, match=words):
        fetched(evil, tmp_path / "a/b/fma")
    assert {path.split("/")[2] for path in files(tmp_path)} == {"fma-archives"}


def test_a_run_killed_while_it_unpacks_leaves_no_half_and_is_completed(collection, tmp_path):
    out, archives = tmp_path / "fma", tmp_path / "fma-archives"
    for _ in fetch.download(collection, out):
        pass
    next(stopped := fetch.unpack(collection, out))
    assert not out.exists()
    (half,) = partial_files(archives)
    stopped.close()
    # What a process left that runs no more: nobody has number 2^22.
    dead = half.with_name(re.sub(r"-\d+\.partial", "-4194304.partial", half.name))
    dead.mkdir()
    next(stopped := fetch.unpack(collection, out))
    assert dead not in partial_files(archives)
    stopped.close()
    fetched(collection, out)
    music = files(out)
    # Killed between the last two steps.
    archives.mkdir()
    out.rename(archives / "music")
    list(fetch.unpack(collection, out))
    assert files(tmp_path) == [f"fma/{name}" for name in music]


def test_tables_of_another_shape_are_one_line(collection, server, tmp_path):
    other = zipped({"fma_metadata/tracks.csv": "a,b\n1,2\n"})
    changed = replace(collection, tables=server.archive("other.zip", other))
    with pytest.raises(LilDataError, match=r"other.zip is damaged"):
        fetched(changed, tmp_path / "fma")


def test_a_disk_that_is_too_small_is_said_before_the_download(
    collection, server, tmp_path, monkeypatch
):
    free = collection.music.size + collection.tables.size
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, free))
    with pytest.raises(LilDataError, match=r"needs .* GB, and its disk has"):
        fetched(collection, tmp_path / "fma")
    assert not server.asked
    assert files(tmp_path) == []


def test_the_command_lists_fetches_once_and_overwrites_nothing(
    collection, server, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(fetch, "COLLECTIONS", (collection,))
    assert main(["fetch", "--list"]) == 0
    assert "licence: for research" in capsys.readouterr().out
    out = tmp_path / "fma"
    assert main(["fetch", "fma-small", str(out)]) == 0
    told = capsys.readouterr().out
    assert told.index("licence") < told.index("is there")
    before = {path: (out / path).stat().st_mtime_ns for path in files(out)}
    server.asked.clear()
    assert main(["fetch", "fma-small", str(out)]) == 0
    assert not server.asked
    assert {path: (out / path).stat().st_mtime_ns for path in files(out)} == before
    (tmp_path / "own").mkdir()
    (tmp_path / "own/diary.txt").touch()
    assert main(["fetch", "fma-small", str(tmp_path / "own")]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert main(["fetch", "gtzan"]) == 1
    assert "expected one of fma-small" in capsys.readouterr().err


def test_prepare_takes_what_was_fetched_with_its_split(collection, server, tmp_path):
    sound = 0.1 * np.random.default_rng(0).standard_normal((5, 6 * 22_050)).astype(np.float32)
    mp3s = {name: audio.encode(one) for name, one in zip(sorted(MUSIC), sound, strict=True)}
    singing = replace(collection, music=server.archive("sound.zip", zipped(mp3s)))
    fetched(singing, tmp_path / "fma")
    *_, last = prepare(tmp_path / "fma", tmp_path / "out", workers=1)
    assert last.left_out == 0
    clips = dataset.load(tmp_path / "out").clips
    splits = dict(zip(clips["id"], clips["split"], strict=True))
    assert splits == {
        "Hip-Hop/000002@0s": "train",
        "Hip-Hop/000003@0s": "test",
        "Hip-Hop/001005@0s": "validation",
        "Soul _ R&B/001006@0s": "train",
    }
    assert set(clips["artist"]) == {"AWOL", "NA", "C", "D"}
