import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lildata_utils.sound import spectrogram as sg


def tone(frequency_hz, amplitude=1.0):
    time_s = np.arange(sg.CLIP_SAMPLES) / sg.SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(seed=0, shape=(sg.CLIP_SAMPLES,)):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32) / 10


def test_a_clip_is_631_by_631():
    assert sg.N_BINS == sg.N_FRAMES == 631
    assert sg.stft(noise()).shape == (631, 631)


@pytest.mark.parametrize("samples", [1, 1000, 44_100, sg.CLIP_SAMPLES])
def test_stft_equals_librosa(samples):
    waveform = noise(shape=(samples,))
    expected = librosa.stft(waveform, n_fft=sg.N_FFT, hop_length=sg.HOP_LENGTH)
    np.testing.assert_allclose(sg.stft(waveform), expected, atol=1e-5)


@pytest.mark.parametrize("frames", [2, 30, sg.N_FRAMES])
def test_istft_equals_librosa_also_where_no_sound_has_such_a_transform(frames):
    rng = np.random.default_rng(0)
    spectrum = rng.standard_normal((sg.N_BINS, frames)) * np.exp(
        2j * np.pi * rng.random((sg.N_BINS, frames))
    )
    expected = librosa.istft(spectrum, n_fft=sg.N_FFT, hop_length=sg.HOP_LENGTH)
    np.testing.assert_allclose(sg.istft(spectrum), expected, atol=1e-5)


def test_there_and_back():
    waveforms = noise(shape=(2, sg.CLIP_SAMPLES))
    np.testing.assert_allclose(sg.istft(sg.stft(waveforms)), waveforms, atol=1e-6)


def test_istft_refuses_other_grids():
    with pytest.raises(ValueError, match="513 rows; expected 631"):
        sg.istft(np.zeros((513, 10)))


def test_magnitude_and_image_equal_librosas_chain():
    waveform = tone(440, 0.5) + noise()
    expected = np.abs(librosa.stft(waveform, n_fft=sg.N_FFT, hop_length=sg.HOP_LENGTH))
    np.testing.assert_allclose(sg.magnitude(waveform), expected, atol=1e-4)
    db = librosa.amplitude_to_db(expected, ref=np.max, top_db=80)
    image, peak = sg.to_image(waveform)
    np.testing.assert_allclose(sg.image_to_db(image), db, atol=sg.STEP_DB / 2 + 1e-3)
    assert peak == pytest.approx(expected.max(), rel=1e-5)


def test_sinusoid_stands_in_its_bin_at_a_quarter_of_n_fft():
    magnitude = sg.magnitude(tone(100 * sg.BIN_HZ))[:, 10:-10]
    assert set(magnitude.argmax(axis=0)) == {100}
    np.testing.assert_allclose(magnitude[100], sg.N_FFT / 4, rtol=1e-3)


def test_click_is_a_column():
    click = np.zeros(sg.CLIP_SAMPLES, np.float32)
    click[300 * sg.HOP_LENGTH] = 1
    magnitude = sg.magnitude(click)
    np.testing.assert_allclose(magnitude[:, 300], 1, rtol=1e-5)
    reach = sg.N_FFT // 2 // sg.HOP_LENGTH + 1
    assert magnitude[:, : 300 - reach].max() == 0
    assert magnitude[:, 300 + reach + 1 :].max() == 0


def test_white_noise_is_flat():
    power = (sg.magnitude(noise()) ** 2).mean(axis=1)[1:-1]
    thirds = [part.mean() for part in np.array_split(power, 3)]
    assert max(thirds) / min(thirds) < 1.1


def test_silence_is_black_and_comes_back_as_silence():
    image, peak = sg.to_image(np.zeros(sg.CLIP_SAMPLES))
    assert image.max() == 0
    assert peak == 0
    assert np.array_equal(sg.image_to_magnitude(image, peak), np.zeros((631, 631)))


def test_stacks_equal_singles():
    stack = np.stack([tone(300), noise(1), np.zeros(sg.CLIP_SAMPLES, np.float32)])
    images, peaks = sg.to_image(stack)
    for clip, image, peak in zip(stack, images, peaks, strict=True):
        single, single_peak = sg.to_image(clip)
        assert np.array_equal(image, single)
        assert peak == single_peak
    np.testing.assert_array_equal(sg.stft(stack)[1], sg.stft(stack[1]))


def test_level_changes_the_peak_and_nothing_else():
    loud, quiet = noise(), noise() / 8
    assert np.array_equal(sg.to_image(loud)[0], sg.to_image(quiet)[0])
    assert sg.to_image(loud)[1] == pytest.approx(8 * sg.to_image(quiet)[1])


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(1e-6, 1e4),
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(7, 5), (3, 4, 6)]),
)
def test_magnitude_to_image_and_back_is_within_half_a_step(scale, seed, shape):
    magnitude = scale * np.random.default_rng(seed).random(shape, np.float32) ** 3
    image, peak = sg.magnitude_to_image(magnitude)
    back = sg.image_to_magnitude(image, peak)
    heard = image > 0
    error_db = 20 * np.log10(back[heard] / magnitude[heard])
    assert np.abs(error_db).max() <= sg.STEP_DB / 2 + 1e-3
    np.testing.assert_array_equal(back[~heard], 0)
    assert image.reshape(*shape[:-2], -1).max(axis=-1).min() == 255


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_image_survives_the_way_through_magnitude(seed):
    image = np.random.default_rng(seed).integers(0, 256, (20, 30), np.uint8)
    image[0, 0] = 255
    again, peak = sg.magnitude_to_image(sg.image_to_magnitude(image, 3.0))
    assert np.array_equal(again, image)
    assert peak == pytest.approx(3.0)


def test_cut_clips_does_not_depend_on_the_blocks():
    waveform = noise(shape=(3 * sg.CLIP_SAMPLES + 999,))
    whole = waveform[: 3 * sg.CLIP_SAMPLES].reshape(3, -1)
    for cuts in ([], [5], [100_000, 120_000], [2 * sg.CLIP_SAMPLES, 2 * sg.CLIP_SAMPLES]):
        clips = list(sg.cut_clips(np.split(waveform, cuts)))
        np.testing.assert_array_equal(np.concatenate(clips), whole)


def test_no_samples_is_an_error():
    with pytest.raises(ValueError, match="no samples"):
        sg.stft([])
