import numpy as np
import pytest

from lildata_utils.sound import measures

RATE = 22_050
TIME_S = np.arange(5 * RATE) / RATE


def notes(*frequencies_hz, detuned_cents=0.0):
    factor = 2 ** (detuned_cents / 1200)
    overtones = [(f * factor * k, 1 / k) for f in frequencies_hz for k in range(1, 7)]
    return sum(a * np.sin(2 * np.pi * f * TIME_S + f) for f, a in overtones)


def melody(order=(0, 1, 2, 3, 4)):
    pitches = [(261.6, 329.6), (293.7, 370.0), (349.2, 440.0), (392.0, 493.9), (415.3, 523.3)]
    parts = [notes(*pitches[place])[: len(TIME_S) // 5] for place in order]
    return np.concatenate(parts)


def clicks(every_s, shift_s=0.0):
    sound = 0.001 * noise()
    for start_s in np.arange(shift_s, 4.9, every_s):
        first = int(start_s * RATE)
        sound[first : first + 200] += noise(1)[:200]
    return sound


def noise(seed=0):
    return np.random.default_rng(seed).standard_normal(len(TIME_S))


@pytest.mark.parametrize(
    "measure",
    [
        measures.mean_level_db,
        measures.spectral_centroid_hz,
        measures.flatness,
        measures.stationary_floor_db,
    ],
)
def test_the_level_does_not_matter_and_silence_is_no_error(measure):
    sound = melody() + 0.1 * noise()
    assert measure(0.01 * sound) == pytest.approx(measure(sound), rel=1e-3)
    assert np.isfinite(measure(np.zeros(RATE)))


def test_brightness_of_known_sounds():
    assert measures.spectral_centroid_hz(np.sin(2 * np.pi * 3000 * TIME_S)) == pytest.approx(
        3000, abs=20
    )
    assert measures.spectral_centroid_hz(noise()) == pytest.approx(RATE / 4, rel=0.02)
    assert measures.mean_level_db(noise()) > measures.mean_level_db(melody()) + 20


def test_flatness_of_known_sounds():
    # For white noise the power is exponentially distributed: exp(-0.5772), Euler's constant.
    assert measures.flatness(noise()) == pytest.approx(np.exp(-0.5772), abs=0.02)
    assert measures.flatness(np.sin(2 * np.pi * 5000 * TIME_S)) < 0.01


def test_a_buzz_raises_the_floor_and_a_beat_does_not():
    beat = melody() * (TIME_S % 0.5 < 0.25) + 0.002 * noise(5)
    plain = measures.stationary_floor_db(beat)
    assert measures.stationary_floor_db(beat + 0.1 * noise()) > plain + 10
    assert measures.stationary_floor_db(beat + clicks(0.5)) < plain + 3


def test_chroma_is_kept_by_noise_and_not_by_other_notes():
    assert measures.chroma_kept(melody(), melody()) == pytest.approx(1, abs=1e-3)
    assert measures.chroma_kept(melody() + 0.3 * noise(), melody()) > 0.8
    assert measures.chroma_kept(melody((3, 4, 0, 1, 2)), melody()) < 0.3
    assert measures.chroma_kept(noise(), melody()) < 0.2


@pytest.mark.parametrize("cents", [-100, -50, 0, 35])
def test_the_key_shift_is_found(cents):
    original = notes(220.0, 277.2, 329.6)
    shifted = notes(220.0, 277.2, 329.6, detuned_cents=cents) + 0.1 * noise()
    found, likeness = measures.key_shift_cents(shifted, original)
    assert found == pytest.approx(cents, abs=5)
    assert likeness > 0.5


def test_noise_has_no_key():
    _, likeness = measures.key_shift_cents(noise(), notes(220.0, 277.2))
    assert likeness < 0.3


def test_onsets_of_the_same_and_of_another_beat():
    assert measures.onset_correlation(clicks(0.5), clicks(0.5)) == pytest.approx(1)
    assert measures.onset_correlation(clicks(0.5) + 0.02 * noise(3), clicks(0.5)) > 0.7
    assert abs(measures.onset_correlation(clicks(0.5, 0.25), clicks(0.5))) < 0.1


def test_the_trivial_rows():
    content, style = melody() + clicks(0.5), notes(150.0) + clicks(0.4, 0.1)
    copy = measures.describe_transfer(content, content, style)
    assert copy["chroma kept"] == pytest.approx(1, abs=1e-3)
    assert copy["key shift (cents)"] == 0
    assert copy["onsets of content"] == pytest.approx(1)
    other = measures.describe_transfer(style, content, style)
    assert other["onsets of style"] == pytest.approx(1)
    assert other["onsets of content"] < 0.5


def test_clarity_falls_from_a_note_to_a_chord_to_noise():
    note, chord = notes(440.0), notes(261.6, 329.6, 392.0)
    clarities = [measures.tonal_clarity(sound) for sound in (note, chord, noise())]
    assert clarities[0] > 2 * clarities[1] > 4 * clarities[2] > 0
    assert measures.tonal_clarity(np.zeros(RATE)) == 0


def test_clicks_have_onsets_and_a_pulse_and_noise_has_none():
    regular, steady = clicks(0.5), noise()
    irregular = sum(clicks(99.0, start_s) for start_s in (0.2, 0.5, 1.4, 1.5, 2.9, 3.3, 4.2))
    assert measures.onset_contrast_db(regular) > 10 > 1 > measures.onset_contrast_db(steady)
    pulses = [measures.pulse_clarity(sound) for sound in (regular, irregular, steady)]
    assert pulses[0] > 0.8
    assert max(pulses[1:]) < 0.5


def test_notes_are_held_in_a_melody_not_in_noise():
    assert measures.notes_held(melody()) > 0.5
    assert abs(measures.notes_held(noise())) < 0.1


def test_a_sounds_description_is_complete_and_finite_for_silence():
    names = {"tonal clarity", "notes held", "onsets (dB)", "pulse", "flatness", "centroid (Hz)"}
    described = measures.describe_sound(np.zeros(2 * RATE))
    assert set(described) == names
    assert np.isfinite(list(described.values())).all()
