"""What leaves a clip's genre as it is: each change does what it says, and nothing else."""

import numpy as np
import pytest

from lildata_utils.genre import horse
from lildata_utils.sound.spectrogram import SAMPLE_RATE, magnitude, to_image

TIME_S = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
TONE = (0.3 * np.sin(2 * np.pi * 1050 * TIME_S)).astype(np.float32)
TONE_BIN = 60
CLICKS = np.zeros_like(TONE)
CLICKS[SAMPLE_RATE // 4 :: SAMPLE_RATE // 2] = 0.9


def clicks_of(waveform):
    """Where something begins: the samples of the loudest moments, half a second apart at least."""
    loud = np.flatnonzero(np.abs(waveform) > 0.3 * np.abs(waveform).max())
    return loud[np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE // 8]


@pytest.mark.parametrize("name", horse.TESTS)
def test_every_change_keeps_length_and_type_and_its_input(name):
    before = TONE.copy()
    after = horse.TESTS[name](TONE)
    assert (after.shape, after.dtype) == (TONE.shape, np.float32)
    np.testing.assert_array_equal(TONE, before)
    np.testing.assert_array_equal(horse.TESTS[name](TONE), after)


def test_a_quieter_clip_is_the_same_picture():
    assert np.ptp(to_image(horse.quieter(TONE))[0].astype(int) - to_image(TONE)[0]) <= 1


def test_only_what_is_below_30_hz_goes():
    rumble = np.sin(2 * np.pi * 10 * TIME_S).astype(np.float32)
    middle = slice(SAMPLE_RATE, -SAMPLE_RATE)
    assert np.abs(horse.high_pass(rumble)[middle]).max() < 0.02
    kept = magnitude(horse.high_pass(TONE))[TONE_BIN].mean() / magnitude(TONE)[TONE_BIN].mean()
    assert kept == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("change", "rate"), [(horse.faster, 1.06), (horse.slower, 0.94)])
def test_tempo_moves_and_pitch_stays(change, rate):
    spacing = np.median(np.diff(clicks_of(change(CLICKS))))
    assert spacing == pytest.approx(SAMPLE_RATE / 2 / rate, rel=0.025)  # a vocoder's step
    assert magnitude(change(TONE)).mean(axis=1).argmax() == TONE_BIN


def test_a_tone_is_held_and_a_click_is_struck():
    both = TONE + CLICKS
    held, struck = horse.harmonic(both), horse.percussive(both)
    tone = [magnitude(part)[TONE_BIN].mean() for part in (held, struck)]
    assert tone[0] > 10 * tone[1]
    assert np.abs(struck).max() > 4 * np.abs(held - TONE)[SAMPLE_RATE:-SAMPLE_RATE].max()


def test_shuffled_seconds_are_all_there_in_another_order():
    numbers = np.repeat(np.arange(5, dtype=np.float32), SAMPLE_RATE)
    rest = np.full(100, 9, np.float32)
    mixed = horse.shuffled(np.concatenate([numbers, rest]))
    np.testing.assert_array_equal(mixed[-100:], rest)
    seconds = mixed[:-100].reshape(5, SAMPLE_RATE)
    assert (seconds == seconds[:, :1]).all()
    order = seconds[:, 0].tolist()
    assert sorted(order) == [0, 1, 2, 3, 4] != order


def test_mp3_leaves_the_music_and_takes_silence_and_loud_sound():
    decoded = horse.through_mp3(TONE)
    assert magnitude(decoded).mean(axis=1).argmax() == TONE_BIN
    assert not horse.through_mp3(np.zeros_like(TONE)).any()
    assert np.isfinite(horse.through_mp3(5 * TONE)).all()
