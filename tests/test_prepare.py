import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from lildata_utils.clips import dataset
from lildata_utils.clips.prepare import prepare
from lildata_utils.errors import LilDataError
from lildata_utils.files import partial_files
from lildata_utils.sound import audio, spectrogram


def music(seconds, seed=0, rate=22_050):
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (200 + 50 * seed) * time_s)
    return (0.3 * tone + 0.01 * rng.standard_normal(len(time_s))).astype(np.float32)


def add_track(source, name, seconds=20.0, seed=0, rate=22_050):
    path = source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, music(seconds, seed, rate), rate)
    return path


@pytest.fixture
def source(tmp_path):
    """Two genres of four tracks, four clips each."""
    for genre in ("house", "lofi"):
        for number in range(4):
            add_track(
                tmp_path / "music",
                f"{genre}/track {number}.flac",
                seed=2 * number + (genre == "lofi"),
            )
    return tmp_path / "music"


def run(source, out, **options):
    *_, last = prepare(source, out, **{"workers": 1, **options})
    return last


def skipped(out):
    return pd.read_csv(out / "skipped.csv", keep_default_na=False)


def content(folder):
    """All files below a folder with their bytes; half-written leftovers count too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_is_on_disk_is_what_spectrogram_draws(source, tmp_path):
    last = run(source, tmp_path / "out")
    assert (last.clips, last.clips_in_all, last.files, last.left_out) == (32, 32, 8, 0)
    data = dataset.load(tmp_path / "out")
    assert data.genres == ("lofi", "house")  # the paper's order, not the alphabet's
    assert list(data.clips.columns) == list(dataset.COLUMNS)
    row = data.clips.index[data.clips["id"] == "house/track 2@10s"].item()
    clip = audio.read(source / "house/track 2.flac")[2 * 110_250 : 3 * 110_250]
    image, peak = spectrogram.to_image(clip)
    np.testing.assert_array_equal(data.images([row])[0], image)
    assert data.clips.loc[row, "peak_db"] == pytest.approx(20 * np.log10(peak), abs=1e-3)
    shard = np.load(tmp_path / "out" / data.clips.loc[row, "shard"])
    np.testing.assert_array_equal(shard[data.clips.loc[row, "index"]], image)


def test_description_counts_what_is_there(source, tmp_path):
    run(source, tmp_path / "out", seed=3)
    description = json.loads((tmp_path / "out/dataset.json").read_text())
    assert description["n_fft"] == 1260
    assert description["seed"] == 3
    assert sum(sum(counts.values()) for counts in description["counts"].values()) == 32


def test_several_processes_write_the_same_bytes(source, tmp_path):
    run(source, tmp_path / "one", workers=1)
    run(source, tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_second_run_reads_nothing_again_unless_a_file_changed(source, tmp_path):
    run(source, tmp_path / "out")
    before = content(tmp_path / "out")
    assert run(source, tmp_path / "out").files_reused == 8
    assert content(tmp_path / "out") == before
    add_track(source, "house/track 2.flac", seconds=30, seed=99)
    last = run(source, tmp_path / "out")
    assert (last.files_reused, last.clips) == (7, 34)
    (tmp_path / "out/shards/lofi/track 1.npy").write_bytes(b"damaged")
    assert run(source, tmp_path / "out").files_reused == 7
    (source / "house/track 2.flac").unlink()
    assert run(source, tmp_path / "out").clips == 28


def test_another_seed_or_split_deals_anew_without_reading(source, tmp_path):
    run(source, tmp_path / "out")
    first = dataset.load(tmp_path / "out").clips
    assert run(source, tmp_path / "out", split="clip", seed=5).files_reused == 8
    assert not first["split"].equals(dataset.load(tmp_path / "out").clips["split"])


@pytest.mark.slow
def test_kill_9_then_the_same_command_equals_an_undisturbed_run(tmp_path):
    source = tmp_path / "music"
    for number in range(12):
        add_track(source, f"house/{number}.wav", seconds=120, seed=number, rate=44_100)
    command = [sys.executable, "-m", "lildata_utils", "prepare", str(source)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    out = tmp_path / "killed"
    kills = 0
    for _ in range(20):
        # A session of its own, so that its workers can be watched after it.
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and not partial_files(out) and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        assert not (out / "dataset.json").exists()
        with pytest.raises(LilDataError, match="no finished data set"):
            dataset.load(out)
    assert kills >= 2
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    assert content(out) == content(tmp_path / "whole")


def test_bad_files_get_a_line_each_and_good_ones_are_prepared(source, tmp_path):
    folder = source / "house"
    (folder / "text.mp3").write_text("not music " * 500)
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 no music")
    (folder / "empty.wav").touch()
    (folder / "dir.wav").mkdir()
    (folder / "gone.flac").symlink_to(folder / "nowhere")
    add_track(source, "house/short.wav", seconds=0.3)
    soundfile.write(folder / "silent.wav", np.zeros(11 * 22_050), 22_050)
    bad = music(12)
    bad[6 * 22_050] = np.nan
    soundfile.write(folder / "nan.wav", bad, 22_050, "FLOAT")
    mp3 = audio.encode(music(30, seed=3))
    (folder / "cut.mp3").write_bytes(mp3[: len(mp3) // 2])
    shutil.copy(folder / "track 0.flac", folder / "z copy.flac")
    soundfile.write(folder / "8 bit.wav", music(10, 4, 8_000), 8_000, "PCM_U8")
    soundfile.write(folder / "six.wav", np.tile(music(10, 5, 96_000)[:, None], 6), 96_000)
    add_track(source, "house/sun ☀️ set  .wav", seconds=10, seed=6)
    (folder / ".hidden.mp3").write_text("ignored")

    last = run(source, tmp_path / "out", workers=2)
    reasons = skipped(tmp_path / "out").groupby("file")["reason"].agg(" | ".join).to_dict()
    expected = {
        "house/text.mp3": "corrupt",
        "house/cover.jpg": "not audio",
        "house/empty.wav": "empty",
        "house/dir.wav": "a folder",
        "house/gone.flac": "unreadable",
        "house/short.wav": "too short: 0.3 s",
        "house/silent.wav": "silent | silent",
        "house/nan.wav": "at 6.00 s",
        "house/cut.mp3": "ends early",
        "house/z copy.flac": "duplicate of house/track 0.flac",
    }
    assert set(reasons) == set(expected)
    for file, words in expected.items():
        assert words in reasons[file]
    clips = dataset.load(tmp_path / "out").clips.groupby("track").size()
    assert clips[["8 bit", "six", "sun ☀️ set  "]].tolist() == [2, 2, 2]
    assert 2 <= clips["cut"] <= 3
    assert last.clips >= 32 + 6 + 2
    # And it is complete: nothing is tried again that gave clips, and the result is the same.
    before = content(tmp_path / "out")
    # That of nan.wav before its damage, too.
    assert run(source, tmp_path / "out").files_reused == 8 + 5
    assert content(tmp_path / "out") == before


def test_inputs_are_never_changed(source, tmp_path):
    before = content(source)
    run(source, tmp_path / "out", workers=2)
    assert content(source) == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "is no folder"),
        (lambda folder: folder.mkdir(), "holds no folders"),
        (lambda folder: add_track(folder, "loose.wav"), "holds no folders"),
        (lambda folder: (folder / "house").mkdir(parents=True), "no clip of 5 s in 0 files"),
        (lambda folder: add_track(folder, "house/a.wav", seconds=2), "no clip of 5 s in 1 files"),
    ],
)
def test_nothing_to_prepare_is_one_clear_error(tmp_path, make, words):
    make(tmp_path / "music")
    with pytest.raises(LilDataError, match=words) as error:
        run(tmp_path / "music", tmp_path / "out")
    assert "\n" not in str(error.value)


def test_one_genre_and_one_short_track_are_prepared_with_a_note(tmp_path):
    add_track(tmp_path / "music", "house/only.wav", seconds=16)
    assert run(tmp_path / "music", tmp_path / "out").clips == 3
    notes = json.loads((tmp_path / "out/dataset.json").read_text())["notes"]
    few, alone = notes
    assert "too few clips" in few
    assert "house is alone" in alone


def test_limit_is_spread_over_tracks_and_time(source, tmp_path):
    run(source, tmp_path / "out", limit=6)
    clips = dataset.load(tmp_path / "out").clips
    assert clips.groupby("genre").size().to_dict() == {"house": 6, "lofi": 6}
    assert sorted(clips.groupby(["genre", "track"]).size()) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert sorted(clips.loc[clips["id"].str.startswith("lofi/track 0@"), "start_s"]) == [5.0, 15.0]
    # Without the limit the rest is added.
    assert run(source, tmp_path / "out").clips == 32


def test_artists_come_from_names_and_tables(tmp_path):
    source = tmp_path / "music"
    for seed, name in enumerate(
        ["Ann - One.wav", "03 - Bob - Two.wav", "07 - Three.wav", "Four.wav"]
    ):
        add_track(source, f"house/{name}", seconds=6, seed=seed)
    add_track(source, "house/album/Five.wav", seconds=6, seed=9)
    (source / "house/tracks.csv").write_text("file,artist\nFour.wav,Cid\nalbum/Five.wav,NA\n")
    run(source, tmp_path / "out")
    clips = dataset.load(tmp_path / "out").clips
    assert dict(zip(clips["track"], clips["artist"], strict=True)) == {
        "Ann - One": "Ann",
        "03 - Bob - Two": "Bob",
        "07 - Three": "",
        "Four": "Cid",
        "album/Five": "NA",
    }


def test_same_name_in_two_formats_makes_two_tracks(tmp_path):
    add_track(tmp_path / "music", "house/a.wav", seed=1)
    add_track(tmp_path / "music", "house/a.flac", seed=2)
    run(tmp_path / "music", tmp_path / "out")
    assert set(dataset.load(tmp_path / "out").clips["track"]) == {"a.wav", "a.flac"}


def test_very_long_and_odd_names_are_kept_apart(tmp_path):
    names = ["x" * 240 + "1.wav", "x" * 240 + "2.wav", "a:b?.wav"]
    for seed, name in enumerate(names):
        add_track(tmp_path / "music", f"house/{name}", seconds=6, seed=seed)
    assert run(tmp_path / "music", tmp_path / "out").clips == 3


def test_a_mix_with_a_track_list_is_split_by_its_artists(tmp_path):
    source = tmp_path / "music"
    add_track(source, "house/mix.wav", seconds=100)
    lines = ["start_s,end_s,artist,title"]
    lines += [f"{20 * n},{20 * n + 22},Artist {n},Title {n}" for n in range(5)]
    (source / "house/mix.tracks.csv").write_text("\n".join(lines))
    run(source, tmp_path / "out")
    clips = dataset.load(tmp_path / "out").clips
    # The first clip of every track but the first lies in a crossfade with the one before.
    assert len(clips) == 20 - 4
    assert clips.groupby("artist")["split"].nunique().max() == 1
    assert set(clips["split"]) == {"train", "validation", "test"}
    row = clips[clips["start_s"] == 45].iloc[0]
    assert (row["artist"], row["track"]) == ("Artist 2", "mix/Title 2")


def test_a_broken_track_list_is_one_clear_error(source, tmp_path):
    (source / "house/tracks.csv").write_text("name\nx\n")
    with pytest.raises(LilDataError, match=r"tracks\.csv lacks the column"):
        run(source, tmp_path / "out")
