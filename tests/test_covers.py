"""Covers: the same song on the same beats, by another genre's band."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.composing import compose
from lildata_utils.crate.covers import cover, in_reach, perform
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.patterns import SCALES, Chord, Event, Key, Section
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import Score, bent, scale_on, score_of
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.genres import MUSIC
from lildata_utils.sound.measures import chroma_kept, onset_strength
from lildata_utils.sound.spectrogram import SAMPLE_RATE

BEAT_S = 0.5
A_MINOR = Chord(9, "minor")


def song(bars: int = 4, chord: Chord = A_MINOR, beat_s: float = BEAT_S) -> Score:
    beats_s = tuple(beat_s * beat for beat in range(4 * bars + 1))
    sections = (Section("drop", 0, bars),)
    return Score(beats_s, Key(9, "minor"), (chord,) * 4 * bars, sections, beats_s[-1])


# --- what a cover keeps -----------------------------------------------------------------------


@pytest.mark.parametrize(("genre", "other"), [("lofi", "house"), ("hardstyle", "yung_gravy")])
def test_a_cover_keeps_key_chords_form_and_beats(genre: str, other: str) -> None:
    track = compose(genre, 3, seed=5, duration_s=30.0)
    played = cover(track, other)
    assert (played.genre, played.key, played.duration_s) == (other, track.key, track.duration_s)
    assert [s.name for s in played.sections] == [s.name for s in track.sections]
    step = round(track.tempo_bpm / played.tempo_bpm, 6)
    assert step in (0.5, 1, 2)
    for beat, chord in enumerate(track.chords):
        moment = track.seconds(beat)
        assert played.seconds(beat / step) == pytest.approx(moment, abs=1e-6)
        if step != 2 or beat % 2 == 0:
            assert played.chords[int(beat / step)] == chord


def test_a_cover_plays_the_notes_of_its_chords() -> None:
    for genre, other in itertools.permutations(("trap", "liquid_dnb", "house"), 2):
        played = cover(compose(genre, 2, seed=5, duration_s=30.0), other)
        score = score_of(played)
        for layer in played.layers:
            if layer.part not in ("bass", "chords"):
                continue
            for event in layer.events:
                chord = played.chords[min(int(event.beat), len(played.chords) - 1)]
                offset = (event.what - chord.root) % 12
                assert offset in scale_on(score.key, chord), (layer.part, event)


def test_chroma_tells_covers_from_other_songs() -> None:
    tracks = [compose(genre, 1, seed=5, duration_s=12.0) for genre in ("house", "lofi", "trap")]
    originals = [render(track) for track in tracks]
    covers = [render(cover(track, "liquid_dnb")) for track in tracks]
    kept = np.array([[chroma_kept(one, other) for other in originals] for one in covers])
    assert np.diag(kept).mean() > kept[~np.eye(3, dtype=bool)].mean() + 0.1


def test_a_cover_is_heard_on_the_beats_of_its_original() -> None:
    track = compose("house", 0, seed=5, duration_s=12.0)
    attacks = onset_strength(render(cover(track, "hardstyle"), parts=("drums",)))
    moments = np.array([track.seconds(beat) for beat in range(16)])
    frames = np.round(moments * SAMPLE_RATE / 175).astype(int)
    on = np.mean([attacks[frame : frame + 5].max() for frame in frames])
    assert on > 2 * attacks.mean()


def test_a_cover_is_the_same_each_time_and_another_by_another_artist() -> None:
    track = compose("trap", 0, seed=5, duration_s=6.0)
    one = render(cover(track, "lofi"))
    np.testing.assert_array_equal(one, render(cover(track, "lofi")))
    assert one.shape == (6 * SAMPLE_RATE,)
    first, second = (cover(track, "lofi", artist) for artist in (0, 1))
    assert first.artist.name != second.artist.name
    assert not np.array_equal(render(first), render(second))


def test_a_cover_sings_the_melody_of_the_song() -> None:
    notes = tuple(Event(float(beat), 1.0, 60 + beat % 3) for beat in range(16))
    for artist in range(20):
        leads = [
            layer
            for layer in perform(
                replace(song(), melody=notes, beats_s=tuple(np.arange(17) * 60 / 174)),
                "liquid_dnb",
                artist=artist,
            ).layers
            if layer.part == "lead"
        ]
        for layer in leads:
            assert [note.what % 12 for note in layer.events] == [n.what % 12 for n in notes]


# --- scores -----------------------------------------------------------------------------------


@pytest.mark.parametrize("genre", MUSIC)
def test_any_chords_in_any_key_can_be_played(genre: str) -> None:
    chords = tuple(
        Chord(root, quality)
        for root in (0, 3, 6, 10)
        for quality in ("major", "minor", "diminished", "augmented")
    )
    waveform = render(perform(replace(song(), chords=chords), genre))
    assert np.isfinite(waveform).all()
    assert np.abs(waveform).max() > 0.05


def test_a_held_chord_is_struck_again_where_the_harmony_changes() -> None:
    score = replace(song(1), chords=(A_MINOR,) * 2 + (Chord(5, "major"),) * 2)
    track = perform(score, "lofi")
    pad = replace(track.layers[0], part="chords", events=(Event(0.0, 4.0, 69), Event(0.0, 4.0, 72)))
    assert [(e.beat, e.beats, e.what) for e in bent(pad, score).events] == [
        (0.0, 2.0, 69),
        (0.0, 2.0, 72),
        (2.0, 2.0, 65),
        (2.0, 2.0, 69),
    ]


def test_bass_and_melody_keep_their_contour() -> None:
    score = song(1, Chord(2, "minor"))
    track = perform(score, "lofi")
    line = (Event(0.0, 1.0, 33), Event(1.0, 1.0, 40), Event(2.0, 1.0, 45, glide=57))
    bass = replace(track.layers[0], part="bass", events=line)
    assert [e.what for e in bent(bass, score).events] == [38, 45, 50]
    assert bent(bass, score).events[2].glide == 62


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_triads_that_fit_it(scale: str) -> None:
    key = Key(4, scale)
    notes = {(4 + step) % 12 for step in SCALES[scale]}
    for degree in range(7):
        chord = key.triad(degree)
        assert {(chord.root + step) % 12 for step in scale_on(key, chord)} == notes


@pytest.mark.parametrize(
    ("bpm", "range_bpm", "expected"),
    [(75, (130, 160), 150), (174, (70, 90), 87), (125, (170, 178), 125), (80, (70, 90), 80)],
)
def test_the_tempo_is_brought_into_reach(bpm: float, range_bpm: tuple, expected: float) -> None:
    score = song(3, beat_s=60 / bpm)
    reached = in_reach(score, range_bpm)
    assert reached.tempo_bpm == pytest.approx(expected)
    assert len(reached.beats_s) == len(reached.chords) + 1 == 4 * reached.sections[-1].bars + 1
    assert set(reached.beats_s) & set(score.beats_s)


def test_a_band_follows_a_drummer_who_slows_down() -> None:
    beats_s = tuple(np.cumsum([0.0, *np.linspace(0.45, 0.55, 16)]) - 0.3)
    track = perform(replace(song(), beats_s=beats_s, duration_s=7.0), "house")
    assert track.seconds(0) == pytest.approx(-0.3)
    assert track.seconds(8.5) == pytest.approx((beats_s[8] + beats_s[9]) / 2)
    assert len(render(track)) == 7 * SAMPLE_RATE


def test_noise_is_no_song() -> None:
    with pytest.raises(LilDataError, match="no beat and no chords"):
        cover(compose("noise", 0, duration_s=5.0), "house")
    with pytest.raises(LilDataError, match="expected one of trap"):
        cover(compose("house", 0, duration_s=5.0), "noise")
    assert len(MUSIC) == len(RECIPES) - 1


# --- on disk ----------------------------------------------------------------------------------


def test_pairs_on_disk_and_their_table(tmp_path: Path) -> None:
    collection = Collection(2, 4.0, ("lofi", "house", "noise"), covers=True)
    steps = list(write_collection(tmp_path, collection))
    assert len(steps) == 2 * 5
    assert not any(step.rendered for step in write_collection(tmp_path, collection))
    with (tmp_path / "lofi" / "covers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["genre"] for row in rows] == ["house", "house"]
    for row in rows:
        lengths = {
            soundfile.info(tmp_path / "lofi" / row[one]).frames for one in ("original", "cover")
        }
        assert lengths == {4 * SAMPLE_RATE}
    assert not (tmp_path / "noise" / "covers.csv").exists()
    with pytest.raises(LilDataError, match="one of mixes and covers"):
        Collection(mixes=True, covers=True)
