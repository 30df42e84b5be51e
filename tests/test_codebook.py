"""The codebook of rounded numbers, and the bands that are written with it."""

import numpy as np
import pytest

from lildata_utils.backend import tf
from lildata_utils.networks import codebook
from lildata_utils.networks.codec import STEP_COLUMNS, Codec
from lildata_utils.networks.settings import CodecSettings
from lildata_utils.sound.bands import BANDS, from_bands, to_bands
from lildata_utils.sound.inversion import invert
from lildata_utils.sound.spectrogram import SAMPLE_RATE, to_image

SMALL = CodecSettings(tokens=3, levels=(4, 5), widths=(8, 12, 16), blocks=1)


@pytest.mark.parametrize("levels", [(8, 5, 5, 5), (8, 8, 8), (2, 3, 4)])
def test_bounded_numbers_round_to_as_many_levels_and_reach_all_of_them(levels):
    numbers = np.linspace(-9, 9, 4001, dtype=np.float32)
    rounded = np.rint(codebook.bounded(numbers[:, None] * np.ones(len(levels)), levels))
    for column, level in zip(rounded.T, levels, strict=True):
        expected = np.arange(level) - level // 2
        np.testing.assert_array_equal(np.unique(column), expected)
    np.testing.assert_allclose(codebook.bounded(np.zeros(len(levels)), levels), 0, atol=1e-6)


def test_of_odd_levels_bounding_is_a_scaled_tangent():
    numbers = np.array([-2.0, -0.3, 0.0, 1.5], np.float32)[:, None]
    half = 2 * (1 + codebook.MARGIN)
    np.testing.assert_allclose(
        codebook.bounded(numbers, (5,)), half * np.tanh(numbers), rtol=1e-5, atol=1e-7
    )


def test_each_code_has_its_numbers_and_the_other_way_round():
    levels = (8, 5, 3)
    codes = np.arange(8 * 5 * 3).reshape(2, 3, 20)
    numbers = codebook.from_codes(codes, levels)
    assert len(np.unique(numbers.numpy().reshape(-1, 3), axis=0)) == codes.size
    np.testing.assert_array_equal(codebook.to_codes(numbers, levels), codes)
    assert np.abs(codebook.scaled(numbers, levels)).max() == 1


def test_the_gradient_goes_straight_through_the_rounding():
    numbers = tf.constant([[-1.4, 0.2, 0.5, 2.6]])
    weights = tf.constant([[1.0, -2.0, 3.0, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(numbers)
        rounded = codebook.straight_through(numbers)
        loss = tf.reduce_sum(weights * rounded**2)
    np.testing.assert_array_equal(rounded, [[-1, 0, 0, 3]])
    # As of the rounded numbers: 2 w r.
    np.testing.assert_allclose(tape.gradient(loss, numbers), 2 * weights * rounded)


def test_a_codec_draws_what_its_codes_say_and_only_the_first_ones_if_asked():
    codec = Codec(SMALL, seed=1)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 4 * STEP_COLUMNS, BANDS), np.uint8)
    codes = codec.encode(pictures).numpy()
    assert codes.shape == (2, 4, 3)
    assert codes.min() >= 0
    assert codes.max() < SMALL.codes == 20
    drawn = codec.decode(codes).numpy()
    assert drawn.shape == pictures.shape
    rounded = codebook.straight_through(codec.numbers(pictures))
    np.testing.assert_allclose(drawn, np.clip((codec.draw(rounded) + 1) * 127.5, 0, 255), atol=1e-2)
    other = codes.copy()
    other[..., 2] = (other[..., 2] + 7) % SMALL.codes
    np.testing.assert_array_equal(codec.decode(other, 2), codec.decode(codes, 2))
    assert np.abs(codec.decode(other) - drawn).max() > 1e-3


def test_long_pieces_are_drawn_as_one():
    """Far from its ends, a piece does not know how long it is: there are no borders."""
    codec = Codec(SMALL, seed=1)
    codes = np.random.default_rng(0).integers(0, 20, (1, 40, 3))
    whole = codec.decode(codes).numpy()
    part = codec.decode(codes[:, 10:30]).numpy()
    inner = slice(6 * STEP_COLUMNS, 14 * STEP_COLUMNS)
    np.testing.assert_allclose(part[:, inner], whole[:, 10 * STEP_COLUMNS :][:, inner], atol=1e-3)


def test_bands_keep_what_is_heard():
    rng = np.random.default_rng(0)
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    sound = np.sin(2 * np.pi * 440 * seconds) + 0.001 * rng.standard_normal(SAMPLE_RATE)
    bands = to_bands(sound)
    image = from_bands(bands, 127)
    assert bands.shape == (64, BANDS)
    assert (bands.max(), image.shape, image.dtype) == (255, (631, 127), np.uint8)
    exact, _ = to_image(sound)
    loudest = exact[:, 20:100].mean(axis=1).argmax()
    assert image[:, 20:100].mean(axis=1).argmax() == loudest
    *_, step = invert(image, iterations=8)
    spectrum = np.abs(np.fft.rfft(step.waveform))
    assert abs(spectrum.argmax() * SAMPLE_RATE / len(step.waveform) - 440) < 5


def test_silence_stays_silence():
    assert not to_bands(np.zeros(SAMPLE_RATE)).any()
    assert not from_bands(np.zeros((5, BANDS)), 10).any()
