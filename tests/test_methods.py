"""Ways into another genre: what each keeps, and playing a song again from file to file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.cli.main import main
from lildata_utils.crate.composing import compose
from lildata_utils.crate.patterns import Chord
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import score_of
from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio
from lildata_utils.sound.measures import chroma_kept, rhythm_likeness, spectral_centroid_hz
from lildata_utils.sound.spectrogram import SAMPLE_RATE
from lildata_utils.transfer.methods import CHEATS, harmonic_part, play_again
from lildata_utils.transfer.playing import read_score, write_down
from lildata_utils.transfer.settings import Playing


@pytest.fixture(scope="module")
def content():
    return render(compose("house", 3, seed=304, duration_s=12.0))[6 * SAMPLE_RATE :][:110_250]


@pytest.fixture(scope="module")
def style():
    return render(compose("lofi", 3, seed=304, duration_s=12.0))[6 * SAMPLE_RATE :][:110_250]


def last(steps):
    *_, step = steps
    assert step.number == step.steps
    return step


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_keep_length_and_level(name, content, style):
    step = last(CHEATS[name](content, style))
    assert step.waveform.shape == content.shape
    assert step.waveform.dtype == np.float32
    assert np.std(step.waveform) == pytest.approx(np.std(content), rel=0.02)


def test_cheats_do_what_they_say(content, style):
    sounds = {name: last(cheat(content, style)).waveform for name, cheat in CHEATS.items()}
    np.testing.assert_array_equal(sounds["content"], content)
    assert chroma_kept(sounds["style"], style) == pytest.approx(1, abs=1e-3)
    assert chroma_kept(sounds["crossfade"], content) > chroma_kept(sounds["style"], content)
    bright, dull = spectral_centroid_hz(content), spectral_centroid_hz(style)
    matched = spectral_centroid_hz(sounds["equaliser match"])
    assert abs(matched - dull) < 0.5 * abs(bright - dull)
    assert chroma_kept(sounds["drum swap"], content) > 0.5


def test_rhythms_are_like_themselves_wherever_they_begin(content, style):
    assert rhythm_likeness(content, content) == pytest.approx(1)
    assert rhythm_likeness(content, np.roll(content, 5000)) > 0.8
    assert rhythm_likeness(content, style) < 0.8


def test_a_song_is_played_again_by_another_band(content):
    settings = Playing(to="lofi")
    steps = list(play_again(content, settings))
    assert [(step.number, step.steps) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(steps[0].waveform, content)
    assert steps[2].waveform.shape == content.shape
    np.testing.assert_array_equal(steps[2].waveform, last(play_again(content, settings)).waveform)
    other = last(play_again(content, replace(settings, artist=5))).waveform
    assert not np.array_equal(other, steps[2].waveform)
    with pytest.raises(LilDataError, match="which genre"):
        next(play_again(content, Playing()))


def test_as_much_stays_as_is_wanted(content):
    score = last(play_again(content, Playing(to="lofi"))).score
    kept = [
        chroma_kept(
            last(play_again(content, Playing(to="lofi", stays=stays), score)).waveform, content
        )
        for stays in (0.0, 0.5, 1.0)
    ]
    assert kept[0] < kept[1] < kept[2]
    everything = last(play_again(content, Playing(to="lofi", stays=1.0), score)).waveform
    assert np.corrcoef(everything, harmonic_part(content))[0, 1] > 0.99


def test_a_score_is_written_and_read(tmp_path):
    score = replace(score_of(compose("trap", 0, seed=304, duration_s=20.0)), melody=())
    path = tmp_path / "score.json"

    def write(**changed):
        sheet = {**vars(write_down(score)), **changed}
        path.write_text(json.dumps({"content": "x", "score": sheet}))

    write()
    again = read_score(path)
    assert (again.chords, again.key, again.sections) == (score.chords, score.key, score.sections)
    np.testing.assert_allclose(again.beats_s, score.beats_s, atol=1e-3)
    for wrong, says in (
        ({"key": "H minor"}, "'H minor': expected one of C"),
        ({"bars": [["C major"] * 4]}, "expected four chords a bar"),
        ({"beats_s": [0.0] * len(score.beats_s)}, "later than the one before"),
        ({"sections": "drop"}, "sections"),
    ):
        write(**wrong)
        with pytest.raises(LilDataError, match=says):
            read_score(path)


def test_the_command_plays_a_song_and_what_was_corrected(tmp_path, capsys, content):
    song, out = tmp_path / "song.wav", tmp_path / "out.wav"
    audio.write(song, content)
    command = ["transfer", str(song), str(out), "--to", "house", "--artist", "2"]
    assert main(command) == 0
    assert "played as house" in capsys.readouterr().out
    first, record = audio.read(out), json.loads(out.with_suffix(".json").read_text())
    assert record["settings"]["to"] == "house"
    assert first.shape == content.shape
    record["score"]["bars"] = [["C major"] * 4 for _ in record["score"]["bars"]]
    out.with_suffix(".json").write_text(json.dumps(record))
    assert main(command) == 0
    assert not np.array_equal(audio.read(out), first)
    assert set(read_score(out.with_suffix(".json")).chords) == {Chord(0, "major")}
    assert main(["transfer", str(song), str(song), "--to", "house"]) == 1
    assert "also an input" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--to", "noise"], ["--stays", "0.5"], ["--to", "house", "--alpha", "1"], ["--stays", "2"]],
)
def test_options_that_do_not_go_together(options, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["transfer", "a.wav", "b.wav", *options])
    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err
