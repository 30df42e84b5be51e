import json
from collections import namedtuple

import numpy as np
import pytest
import soundfile

from lildata_utils.cli.main import main
from lildata_utils.clips import dataset
from lildata_utils.clips.forecast import CLIPS_A_SECOND, Expected, forecast
from lildata_utils.clips.prepare import prepare
from lildata_utils.clips.shards import IMAGE_BYTES
from lildata_utils.errors import LilDataError

RATE = 8_000


def add(source, name, seconds, seed=0):
    path = source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * RATE))
    soundfile.write(path, noise, RATE)


@pytest.fixture
def source(tmp_path):
    """Two uneven genres, one without a file, one without sound, and a file twice."""
    music = tmp_path / "music"
    for number in range(3):
        add(music, f"house/{number}.wav", 21, seed=number)
    add(music, "lofi/a.wav", 11, seed=9)
    (music / "lofi/b.wav").write_bytes((music / "lofi/a.wav").read_bytes())
    add(music, "trap/short.wav", 2)
    (music / "trap/text.mp3").write_text("not music " * 100)
    (music / "empty").mkdir()
    return music


def content(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_forecast_counts_writes_nothing_and_is_what_prepare_then_does(source, tmp_path):
    before = content(tmp_path)
    seen = forecast(source, tmp_path / "out", workers=2)
    assert content(tmp_path) == before
    house, lofi, trap = Expected(3, 60 / 3600, 12), Expected(2, 10 / 3600, 2), Expected(2, 0, 0)
    assert seen.genres == {"lofi": lofi, "house": house, "trap": trap}
    assert (seen.clips_there, seen.bytes_needed) == (0, 14 * IMAGE_BYTES)
    assert seen.seconds == pytest.approx(14 / CLIPS_A_SECOND / 2)
    assert seen.notes == [
        "genre empty: its folder is empty",
        "genre trap: no usable clip",
        "uneven: house has 6.0 times the clips of lofi; --limit 2 would take as many of each",
    ]
    reasons = {left.file: left.reason for left in seen.left_out}
    assert set(reasons) == {"lofi/b.wav", "trap/short.wav", "trap/text.mp3"}
    assert reasons["lofi/b.wav"] == "duplicate of lofi/a.wav"
    assert reasons["trap/short.wav"] == "too short: 2.0 s, a clip needs 5 s"

    *_, last = prepare(source, tmp_path / "out", workers=1)
    assert last.clips == 14
    notes = json.loads((tmp_path / "out" / dataset.DESCRIPTION).read_text())["notes"]
    assert set(seen.notes[:2]) < set(notes)
    after = forecast(source, tmp_path / "out")
    assert (after.clips_there, after.bytes_needed, after.genres) == (14, 0, seen.genres)


def test_a_limit_counts_for_each_genre_and_hours_stay(source, tmp_path):
    seen = forecast(source, tmp_path / "out", limit=4)
    assert {genre: one.clips for genre, one in seen.genres.items()} == {
        "house": 4,
        "lofi": 2,
        "trap": 0,
    }
    assert seen.genres["house"].hours == pytest.approx(60 / 3600)


def test_a_lone_genre_is_mentioned(tmp_path):
    add(tmp_path / "music", "lofi/a.wav", 11)
    seen = forecast(tmp_path / "music", tmp_path / "out")
    assert seen.notes == ["genre lofi is alone: there is nothing to tell it from"]


def test_the_dry_run_tells_and_too_little_disk_is_said_before_the_first_clip(
    source, tmp_path, monkeypatch, capsys
):
    command = ["prepare", str(source), str(tmp_path / "out")]
    assert main([*command, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "left out: trap/short.wav: too short" in told
    assert "14 clips" in told
    assert told.endswith("nothing was written\n")
    assert main([*command, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["genres"]["house"]["clips"] == 12
    usage = namedtuple("Usage", "total used free")(0, 0, 13 * IMAGE_BYTES)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    for arguments in ([*command, "--dry-run"], command):
        assert main(arguments) == 1
        assert "its disk has" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_the_dry_run_refuses_what_prepare_refuses(source):
    with pytest.raises(LilDataError, match="only read"):
        forecast(source, source / "out")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("house/0.wav,A,train\nhouse/1.wav,B,test\n", "house/2.wav has no split"),
        ("house/0.wav,A,learn\n", "house/0.wav has the split 'learn', expected one of train"),
    ],
)
def test_splits_that_are_half_given_or_unknown_stop_it_early(source, tmp_path, rows, words):
    (source / "tracks.csv").write_text("file,artist,split\n" + rows)
    with pytest.raises(LilDataError, match=words):
        forecast(source, tmp_path / "out")


def test_a_given_split_is_kept_by_track_not_by_clip(source, tmp_path):
    rows = "".join(f"house/{n}.wav,A,{s}\n" for n, s in enumerate(("test", "train", "validation")))
    (source / "tracks.csv").write_text("file,artist,split\n" + rows)
    list(prepare(source, tmp_path / "out", workers=1))
    clips = dataset.load(tmp_path / "out").clips
    house = clips[clips["genre"] == "house"].drop_duplicates("track").set_index("track")["split"]
    assert house.to_dict() == {"0": "test", "1": "train", "2": "validation"}
    list(prepare(source, tmp_path / "out", workers=1, split="clip"))
    by_clip = dataset.load(tmp_path / "out").clips
    assert (by_clip.groupby("track")["split"].nunique()["0"]) > 1
