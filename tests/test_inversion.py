import librosa
import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.sound import phases
from lildata_utils.sound import spectrogram as sg
from lildata_utils.sound.inversion import (
    invert,
    log_spectral_distance_db,
    spectral_convergence_db,
)
from lildata_utils.sound.settings import METHODS, STARTS

SAMPLES = 60 * sg.HOP_LENGTH
MIDDLE = slice(20, 40)


def last(picture, **options):
    *_, step = invert(picture, **options)
    return step


def chord(samples=SAMPLES, frequencies_hz=(220, 277.2, 329.6, 1661.2)):
    time_s = np.arange(samples) / sg.SAMPLE_RATE
    return sum(np.sin(2 * np.pi * f * time_s + f) for f in frequencies_hz).astype(np.float32) / 8


def noise(samples=SAMPLES, seed=0):
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32) / 10


def wrapped(radians):
    return (np.asarray(radians) + np.pi) % (2 * np.pi) - np.pi


# Phase from magnitude


@pytest.mark.parametrize("frequency_hz", [440.0, 1006.0, 3003.3])
def test_a_sinusoids_phase_turns_at_its_own_frequency(frequency_hz):
    tone = np.sin(2 * np.pi * frequency_hz * np.arange(SAMPLES) / sg.SAMPLE_RATE)
    per_frame, per_bin = phases.phase_derivatives(sg.magnitude(tone))
    loudest = round(frequency_hz / sg.BIN_HZ)
    turn = 2 * np.pi * frequency_hz * sg.FRAME_S
    np.testing.assert_allclose(per_frame[loudest, MIDDLE], turn, atol=0.02)
    np.testing.assert_allclose(per_bin[loudest, MIDDLE], np.pi, atol=0.02)
    # A bin beside it turns at the tone's frequency, not at its own.
    beside = loudest + (1 if frequency_hz > loudest * sg.BIN_HZ else -1)
    np.testing.assert_allclose(per_frame[beside, MIDDLE], turn, atol=0.25)


@pytest.mark.parametrize("late", [-60, 0, 40])
def test_a_clicks_phase_tells_its_place(late):
    click = np.zeros(SAMPLES)
    click[30 * sg.HOP_LENGTH + late] = 1.0
    true = np.angle(sg.stft(click))
    _, per_bin = phases.phase_derivatives(sg.magnitude(click))
    steps = np.diff(true[100:500, 30])
    np.testing.assert_allclose(wrapped(per_bin[100:499, 30] - steps), 0, atol=0.05)


def test_pghi_gives_a_sinusoid_back_up_to_one_angle():
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLES) / sg.SAMPLE_RATE)
    spectrum = sg.stft(tone)
    guess = phases.start_phase(np.abs(spectrum), "pghi")
    row = round(1000 / sg.BIN_HZ)
    turned = wrapped(guess - np.angle(spectrum))[row, MIDDLE]
    assert np.ptp(np.unwrap(turned)) < 0.3


def test_pghi_gives_a_click_back():
    click = np.zeros(SAMPLES, np.float32)
    click[30 * sg.HOP_LENGTH + 11] = 1.0
    sound = last(sg.magnitude(click), iterations=0, phase="pghi").waveform
    assert np.abs(sound).argmax() == pytest.approx(30 * sg.HOP_LENGTH + 11, abs=3)


def test_signs_of_the_lowest_bin_of_a_subsonic_tone():
    time_s = np.arange(SAMPLES) / sg.SAMPLE_RATE
    rumble = np.sin(2 * np.pi * 9 * time_s) + 0.3 * np.sin(2 * np.pi * 4 * time_s + 1)
    lowest = sg.stft(rumble)[0].real
    signs = phases._signs(np.abs(lowest))
    # All signs turned round is the same sound turned round.
    agreement = np.average(signs == np.sign(lowest), weights=np.abs(lowest))
    assert max(agreement, 1 - agreement) > 0.99


# Iterations


def test_a_consistent_spectrogram_with_its_own_phase_comes_back():
    for waveform in (noise(), chord(), noise(sg.CLIP_SAMPLES)):
        spectrum = sg.stft(waveform)
        for iterations in (0, 5):
            step = last(np.abs(spectrum), phase=np.angle(spectrum), iterations=iterations)
            np.testing.assert_allclose(step.waveform, waveform, atol=1e-5)
            assert step.convergence_db() < -90


def test_griffin_lim_equals_librosas():
    rng = np.random.default_rng(0)
    magnitude = sg.magnitude(chord() + noise())
    phase = 2 * np.pi * rng.random(magnitude.shape)
    expected = magnitude * np.exp(1j * phase)
    for _ in range(3):
        rebuilt = librosa.stft(
            librosa.istft(expected, n_fft=sg.N_FFT, hop_length=sg.HOP_LENGTH),
            n_fft=sg.N_FFT,
            hop_length=sg.HOP_LENGTH,
        )
        expected = magnitude * np.exp(1j * np.angle(rebuilt))
    sound = librosa.istft(expected, n_fft=sg.N_FFT, hop_length=sg.HOP_LENGTH)
    step = last(magnitude, method="griffin_lim", phase=phase, iterations=3)
    np.testing.assert_allclose(step.waveform, sound, atol=1e-4)


def test_every_griffin_lim_step_comes_nearer():
    steps = invert(sg.magnitude(noise()), method="griffin_lim", phase="random", iterations=8)
    convergence = [float(step.convergence_db()) for step in steps]
    assert len(convergence) == 9
    assert (np.diff(convergence) < 0).all()


def test_momentum_and_better_starts_come_nearer():
    magnitude = sg.magnitude(chord(2 * SAMPLES) + 0.2 * noise(2 * SAMPLES))

    def reached(**options):
        return float(last(magnitude, iterations=20, **options).convergence_db())

    plain = reached(method="griffin_lim", phase="random")
    assert reached(method="fast_griffin_lim", phase="random") < plain - 1
    assert reached(method="accelerated_griffin_lim", phase="random") < plain - 1
    assert reached(phase="pghi") < reached(phase="random") - 2


def test_loud_bass_needs_the_coarse_grids():
    time_s = np.arange(4 * SAMPLES) / sg.SAMPLE_RATE
    # A kick below a soft chord: pitch from 60 to 10 Hz, twice a second.
    since = time_s % 0.5
    kick = np.sin(2 * np.pi * (10 * since + 10 * (1 - np.exp(-5 * since)))) * np.exp(-3 * since)
    magnitude = sg.magnitude(kick + 0.1 * chord(len(kick)))
    stuck = last(magnitude, phase="pghi", iterations=60).convergence_db()
    free = last(magnitude, phase="multiresolution", iterations=60).convergence_db()
    assert free < stuck - 3


def test_batches_equal_singles():
    magnitude = sg.magnitude(np.stack([noise(), chord(), noise(seed=3)]))
    together = list(invert(magnitude, iterations=4))
    for place, single in enumerate(magnitude):
        for batch, alone in zip(together, invert(single, iterations=4), strict=True):
            np.testing.assert_allclose(batch.waveform[place], alone.waveform, atol=1e-6)
            assert batch.convergence_db()[place] == pytest.approx(
                float(alone.convergence_db()), abs=1e-3
            )


@pytest.mark.parametrize("start", STARTS)
def test_the_same_seed_gives_the_same_sound(start):
    magnitude = sg.magnitude(chord() + noise())
    one, two = (last(magnitude, phase=start, iterations=2, seed=7).waveform for _ in range(2))
    np.testing.assert_array_equal(one, two)
    if start == "random":
        other = last(magnitude, phase=start, iterations=2, seed=8).waveform
        assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", METHODS)
def test_silence_gives_silence(start, method):
    silence = np.zeros((sg.N_BINS, 61), np.uint8)
    step = last(silence, phase=start, method=method, iterations=3)
    assert not step.waveform.any()
    assert step.convergence_db() == -np.inf


@pytest.mark.parametrize("start", STARTS)
def test_empty_columns_give_silence_and_no_nan(start):
    magnitude = sg.magnitude(chord() + noise())
    magnitude[:, 15:45] = 0
    sound = last(magnitude, phase=start, iterations=3).waveform
    assert np.isfinite(sound).all()
    inner = slice(20 * sg.HOP_LENGTH, 40 * sg.HOP_LENGTH)
    assert np.abs(sound[inner]).max() < 1e-3 * np.abs(sound).max()


# Images and their level


def test_an_image_comes_back_at_its_own_level():
    waveform = 0.05 * (chord(sg.CLIP_SAMPLES) + 0.3 * noise(sg.CLIP_SAMPLES))
    image, peak = sg.to_image(waveform)
    sound = last(image, peak=peak, iterations=30).waveform
    level_db = 10 * np.log10((sound**2).mean() / (waveform**2).mean())
    assert abs(level_db) < 0.2
    assert spectral_convergence_db(sound, sg.magnitude(waveform)) < -20
    assert log_spectral_distance_db(sound, sg.magnitude(waveform)) < 6


def test_measures_by_hand():
    magnitude = sg.magnitude(noise())
    half = 0.5 * noise()
    assert spectral_convergence_db(half, magnitude) == pytest.approx(20 * np.log10(0.5), abs=1e-3)
    distance = log_spectral_distance_db(half, magnitude)
    assert distance == pytest.approx(-20 * np.log10(0.5), abs=0.01)
    assert log_spectral_distance_db(noise(), magnitude) == pytest.approx(0, abs=1e-3)


# Errors


@pytest.mark.parametrize(
    ("picture", "options", "words"),
    [
        (np.zeros((513, 100)), {}, "shape .513, 100.; expected 631 rows"),
        (np.zeros(631), {}, "expected 631 rows"),
        (np.zeros((631, 1)), {}, "at least 2 columns"),
        (np.full((631, 9), -3.0), {}, "0 or larger"),
        (np.full((631, 9), np.nan), {}, "finite"),
        (np.zeros((631, 9)), {"method": "magic"}, "method must be one of griffin_lim"),
        (np.zeros((631, 9)), {"phase": "best"}, "phase must be one of zero"),
        (np.zeros((631, 9)), {"phase": np.zeros((631, 8))}, "phase has shape"),
    ],
)
def test_wrong_arguments_get_a_clear_line(picture, options, words):
    with pytest.raises(LilDataError, match=words):
        next(invert(picture, **options))
