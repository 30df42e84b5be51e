"""Hearing a score: what must hold for any sound, and how well it goes on the crate."""

from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.crate.composing import compose
from lildata_utils.crate.patterns import Chord, Key, Section
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import score_of
from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import FRAME_S, SAMPLE_RATE
from lildata_utils.transfer import ears, hearing

A_MINOR, F_MAJOR = Chord(9, "minor"), Chord(5, "major")


def clicks(bpm: float, seconds: float, first_s: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    waveform = 1e-4 * rng.standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32)
    for moment in np.arange(first_s, seconds - 0.02, 60 / bpm):
        start = round(moment * SAMPLE_RATE)
        waveform[start : start + 300] += 0.5 * rng.standard_normal(300).astype(np.float32)
    return waveform


@pytest.mark.parametrize("bpm", [75.0, 97.3, 128.0, 174.0])
def test_the_tempo_of_clicks_is_among_the_candidates(bpm: float) -> None:
    salience = ears.tempo_salience(ears.attacks(clicks(bpm, 6.0)))
    octaves = np.log2(ears.tempo_candidates(salience) / bpm)
    assert np.abs(octaves - np.round(octaves)).min() < np.log2(1.01)


def test_silence_has_some_tempo() -> None:
    salience = ears.tempo_salience(ears.attacks(np.zeros(4 * SAMPLE_RATE, np.float32)))
    assert len(ears.tempo_candidates(salience)) >= 1


def test_bars_fold_onto_one_another() -> None:
    bar_frames = 240
    rises = np.zeros((2, 5 * bar_frames), np.float32)
    rises[0, 60::bar_frames] = 1
    folded = ears.fold(rises, bar_frames * FRAME_S)
    assert folded.shape == (2, ears.STEPS)
    assert folded[0].argmax() == ears.STEPS // 4
    assert not folded[1].any()


def test_a_bar_that_begins_later_is_heard_later() -> None:
    folded = np.random.default_rng(0).random((1, 6, ears.STEPS)).astype(np.float32)
    own = ears.load_ears()
    now, later = own.bar(folded), own.bar(np.roll(folded, 5, axis=2))
    np.testing.assert_allclose(np.roll(now, 5, axis=1), later, atol=1e-4)


def test_a_chord_that_is_played_higher_is_heard_higher() -> None:
    levels = np.zeros((3, ears.NOTES), np.float32)
    for note in (12, 24, 28, 31):
        levels[:, note] = 3
    own = ears.load_ears()
    labels = [int(own.chords(np.roll(levels, up, axis=1)).argmax(axis=1)[1]) for up in range(6)]
    roots = [ears.CHORDS[label].root for label in labels]
    assert [(root - roots[0]) % 12 for root in roots] == list(range(6))


def test_probabilities_of_chords_sum_to_one() -> None:
    levels = np.random.default_rng(0).random((5, ears.NOTES)).astype(np.float32)
    np.testing.assert_allclose(np.exp(ears.load_ears().chords(levels)).sum(axis=1), 1, rtol=1e-4)


def test_a_doubtful_beat_does_not_change_the_chord() -> None:
    labels = [ears.CHORDS.index(chord) for chord in (A_MINOR, F_MAJOR)]
    sure = np.full((8, len(ears.CHORDS)), -6.0, np.float32)
    sure[:4, labels[0]], sure[4:, labels[1]] = -0.1, -0.1
    assert hearing.likeliest_chords(sure) == (A_MINOR,) * 4 + (F_MAJOR,) * 4
    sure[1, labels[0]], sure[1, labels[1]] = -1.2, -0.4
    assert hearing.likeliest_chords(sure)[:4] == (A_MINOR,) * 4


@pytest.mark.parametrize("key", [Key(0, "major"), Key(9, "minor"), Key(2, "dorian")])
def test_the_key_of_its_own_chords(key: Key) -> None:
    chords = tuple(key.triad(degree) for degree in (0, 3, 4, 0, 5, 3, 6, 0))
    assert hearing.likeliest_key(chords) == key


@pytest.mark.parametrize("genre", ["house", "lofi", "liquid_dnb"])
def test_a_score_of_the_crate_is_heard(genre: str) -> None:
    track = compose(genre, 2, seed=304, duration_s=30.0)
    waveform, true = render(track), score_of(track)
    heard = hearing.hear_score(waveform)
    octaves = np.log2(heard.tempo_bpm / true.tempo_bpm)
    assert abs(octaves - round(octaves)) < np.log2(1.02)
    assert (
        len(heard.beats_s) == len(heard.chords) + 1 == 4 * sum(s.bars for s in heard.sections) + 1
    )
    assert heard.beats_s[0] <= 0.0
    assert heard.beats_s[-1] >= 30.0
    moments = np.arange(2, 28, 0.5)
    right = [chord_at(heard, moment) == chord_at(true, moment) for moment in moments]
    assert np.mean(right) > 0.6
    assert hearing.hear_score(np.float32(0.1) * waveform).chords == heard.chords


def chord_at(score, moment_s: float) -> Chord:
    return score.chords[int(np.searchsorted(score.beats_s, moment_s, side="right")) - 1]


def test_a_beat_goes_on_over_the_windows() -> None:
    """Beats of a minute of house lie where they are, from its first bar to its last."""
    track = compose("house", 2, seed=304, duration_s=60.0)
    heard = np.array(hearing.hear_score(render(track)).beats_s)
    true = np.array([track.seconds(beat) for beat in range(len(track.chords))])
    away = np.abs(true[:, None] - heard).min(axis=1)
    assert np.mean(away < 0.07) > 0.9


def test_a_drummer_who_drifts_is_followed() -> None:
    middle_s = np.arange(6, 60, 6.0)
    position = np.cumsum([3.0, *np.linspace(2.9, 3.1, len(middle_s) - 1)])
    beats_s = hearing._beats(middle_s, position, np.full(len(middle_s), 2.0), 62.0)
    np.testing.assert_allclose(
        np.interp(position[1:-1] * 4, _counts(beats_s, middle_s, position), beats_s),
        middle_s[1:-1],
        atol=2e-3,
    )
    clock = hearing._beats(middle_s, 3 + (middle_s - 6) / 2, np.full(len(middle_s), 2.0), 62.0)
    np.testing.assert_allclose(np.diff(clock), 0.5)


def _counts(beats_s, middle_s, position):
    at = np.interp(middle_s[3], beats_s, np.arange(len(beats_s)))
    return np.arange(len(beats_s)) - at + 4 * position[3]


def test_loud_and_soft_parts_become_sections() -> None:
    beats_s = np.arange(0, 64.5, 0.5)
    level = np.repeat([0.02, 1, 0.4, 0.02], 16 * SAMPLE_RATE).astype(np.float32)
    assert hearing.hear_sections(level, beats_s) == (
        Section("intro", 0, 8),
        Section("drop", 8, 8),
        Section("verse", 16, 8),
        Section("outro", 24, 8),
    )
    assert hearing.hear_sections(level[: 5 * SAMPLE_RATE], beats_s[:13]) == (Section("drop", 0, 3),)


def test_too_short_and_no_ears(tmp_path) -> None:
    with pytest.raises(LilDataError, match="needs 2 s or more"):
        hearing.hear_score(np.zeros(SAMPLE_RATE, np.float32))
    with pytest.raises(LilDataError, match="is missing"):
        ears.load_ears(tmp_path / "none.npz")
    own = ears.load_ears()
    assert replace(own).bar_kernel.shape[0] == ears.STEPS
