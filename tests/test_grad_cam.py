"""Grad-CAM: against a network made by hand, the paper's equations, and what is heard."""

import numpy as np
import pytest
from librosa import hz_to_mel

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.genre.grad_cam import audible, grad_cam
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.listener import build_listener
from lildata_utils.networks.settings import LilDataSettings, ListenerSettings, SoftmaxSettings
from lildata_utils.networks.softmax import build_softmax
from lildata_utils.sound.spectrogram import (
    BIN_HZ,
    CAFFE_MEAN,
    CLIP_SAMPLES,
    SAMPLE_RATE,
    magnitude,
    to_image,
)

RNG = np.random.default_rng(0)
MEL_A_BAND = hz_to_mel(SAMPLE_RATE / 2) / 97  # of the listener's 96 bands, which overlap by half
CELL = 64  # bins and frames from cell to cell, as in Lil Data's fourth convolution
BANDS = (1, 4, 7)  # rows of cells, one for each class


def by_hand(*layers, classes):
    """A network from network input through the given layers to a mean and a dense layer."""
    spectrogram = keras.Input((631, 631, 1))
    x = spectrogram
    for layer in layers:
        x = layer(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(spectrogram, keras.layers.Dense(classes, "softmax", name="genre")(x))


@pytest.fixture(scope="module")
def bands():
    """Each class is the energy of one row of cells, minus that of the others."""
    brightness = keras.layers.Conv2D(len(BANDS), 1)
    only_its_band = np.zeros((9, 9, len(BANDS)), np.float32)
    only_its_band[BANDS, :, range(len(BANDS))] = 1
    model = by_hand(
        *(keras.layers.AveragePooling2D(4) for _ in range(3)),  # 631, 157, 39, 9
        brightness,
        lambda x: x * only_its_band,
        keras.layers.ReLU(name="bands"),
        classes=len(BANDS),
    )
    # A grey level of 1 and less is black, so that rounding leaves nothing to point to.
    brightness.set_weights([np.ones((1, 1, 1, 3)), np.full(3, CAFFE_MEAN - 1)])
    model.get_layer("genre").set_weights([2 * np.eye(3) - 1, np.zeros(3)])
    return model


@pytest.fixture
def noise():
    return RNG.integers(100, 256, (3, 631, 631), dtype=np.uint8)


@pytest.mark.parametrize("label", range(len(BANDS)))
def test_the_map_finds_the_band_that_decides(bands, noise, label):
    cams = grad_cam(bands, noise, label)
    assert cams.dtype == np.float32
    np.testing.assert_allclose(cams.max(axis=(1, 2)), 1)
    assert cams.min() >= 0
    low, high = BANDS[label] * CELL, (BANDS[label] + 1) * CELL
    mass = cams.sum(axis=2)
    assert (mass[:, low - CELL : high + CELL].sum(1) > 0.99 * mass.sum(1)).all()
    centre = mass @ np.arange(631) / mass.sum(1)
    np.testing.assert_allclose(centre, (low + high - 1) / 2, atol=2)


def test_only_evidence_for_the_genre_counts(bands, noise):
    other_bands_only = noise.copy()
    other_bands_only[:, BANDS[1] * CELL : (BANDS[1] + 1) * CELL] = 0
    assert not grad_cam(bands, other_bands_only, 1).any()
    assert grad_cam(bands, other_bands_only, 0).any()
    assert not grad_cam(bands, np.zeros_like(noise), [0, 1, 2]).any()


def test_a_sure_network_has_a_map_too(bands, noise):
    for row, level in zip(BANDS, (255, 0, 0), strict=True):
        noise[:, row * CELL : (row + 1) * CELL] = level
    # The derivative of a probability of 1 would be 0.
    np.testing.assert_array_equal(bands(np.float32(noise[..., None]) - CAFFE_MEAN)[:, 0], 1)
    assert grad_cam(bands, noise, 0).any()


def test_batches_equal_singles(bands):
    images = RNG.integers(0, 256, (10, 631, 631), dtype=np.uint8)
    labels = np.arange(10) % 3
    together = grad_cam(bands, images, labels)
    for image, label, cam in zip(images, labels, together, strict=True):
        np.testing.assert_allclose(grad_cam(bands, image[None], label)[0], cam, atol=1e-4)
    assert grad_cam(bands, images[:0], 0).shape == (0, 631, 631)


def equation(model, layer, image, label):
    """Equations 1 and 2 of the paper, on the layer's own grid, by finite differences."""
    below = keras.Model(model.inputs[0], model.get_layer(layer).output)
    above = keras.Model(model.get_layer(layer).output, model.layers[-1].input)
    kernel, bias = (weight.numpy() for weight in model.layers[-1].weights)
    features = below(np.float32(image[None, :, :, None]) - CAFFE_MEAN).numpy()
    weights = []
    for channel in range(features.shape[-1]):
        # All places together: the sum of their derivatives.
        moved = [features.copy() for _ in range(2)]
        for step, one in zip((-0.01, 0.01), moved, strict=True):
            one[..., channel] += step
        down, up = ((above(one).numpy() @ kernel + bias)[0, label] for one in moved)
        weights.append((up - down) / 0.02 / features[0, :, :, 0].size)
    return np.maximum(features[0] @ weights, 0)


def test_the_papers_equations_on_a_small_network():
    conv = keras.layers.Conv2D(4, 3, strides=63, name="conv", bias_initializer="ones")
    model = by_hand(conv, classes=3)
    image = RNG.integers(0, 256, (631, 631), dtype=np.uint8)
    expected = equation(model, "conv", image, 1)
    [cam] = grad_cam(model, image[None], 1)
    # The centres of its cells lie on 1, 64, 127, ...
    np.testing.assert_allclose(cam[1::63, 1::63], expected / expected.max(), atol=2e-3)


def test_lil_data_is_looked_at_before_its_last_pooling():
    model = build_lil_data(3, LilDataSettings(filters=(4, 4, 4, 4)))
    model.get_layer("genre").kernel.assign(RNG.normal(size=(48, 3)))
    image = RNG.integers(0, 256, (1, 631, 631), dtype=np.uint8)
    label = np.argmax([grad_cam(model, image, n).sum() for n in range(3)])
    chosen = grad_cam(model, image, label)
    assert chosen.any()
    np.testing.assert_array_equal(chosen, grad_cam(model, image, label, layer="conv4"))
    assert not np.array_equal(chosen, grad_cam(model, image, label, layer="conv3"))


def test_frozen_weights_change_nothing(noise):
    model = by_hand(keras.layers.Conv2D(4, 3, strides=63, bias_initializer="ones"), classes=2)
    expected = grad_cam(model, noise, 1)
    frozen = keras.models.clone_model(model)
    frozen.set_weights(model.get_weights())
    frozen.trainable = False
    np.testing.assert_allclose(grad_cam(frozen, noise, 1), expected, atol=1e-5)


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Conv2D(1, 3, strides=63)],
        [keras.layers.Conv2D(1, 4, strides=5, padding="same"), keras.layers.MaxPooling2D(3)],
        [
            keras.layers.Resizing(224, 224),
            keras.layers.ZeroPadding2D(3),
            keras.layers.Conv2D(1, 7, strides=2),
            keras.layers.ZeroPadding2D(((1, 1), (1, 1))),
            keras.layers.MaxPooling2D(3, strides=2),
            keras.layers.Conv2D(1, 1, strides=2),
        ],
    ],
    ids=["valid", "same", "as in ResNet"],
)
def test_a_cells_peak_is_drawn_where_the_cell_looks(layers):
    last = keras.layers.ReLU(name="last")
    model = by_hand(*layers, last, classes=2)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(np.ones(layer.kernel.shape))
            layer.bias.assign(np.zeros(layer.bias.shape))
    model.get_layer("genre").kernel.assign([[1.0, -1.0]])
    place = np.array([300, 420])
    # A wide soft spot on black: its peak can't fall between two strides.
    distance = np.hypot(*(np.indices((631, 631)) - place[:, None, None]))
    spot = np.uint8(255 * np.exp(-((distance / 120) ** 2)))
    drawn = grad_cam(model, spot[None], 0)[0].astype(float)
    shares = drawn**8 / (drawn**8).sum()
    assert [np.sum(shares * axis) for axis in np.indices((631, 631))] == pytest.approx(place, abs=4)


@pytest.fixture(scope="module")
def loud():
    """A listener by hand: the louder its cells are, the surer of the first genre."""
    settings = ListenerSettings(filters=(1, 1, 1, 1), pooling=("mean",), start="random")
    model = build_listener(2, settings)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(np.ones(layer.kernel.shape) / np.prod(layer.kernel.shape[:2]))
    # From -80 dB on nothing is below 0.
    model.get_layer("band_norm").moving_mean.assign(np.full(96, -80.0))
    head = model.get_layer("genre").kernel
    head.assign(np.zeros(head.shape))
    head[-1].assign([1.0, -1.0])  # the last block's mean
    return model


# Where the listener's rows are narrow, and where they are wide.
@pytest.mark.parametrize("frequency_hz", [500, 1200, 2500, 5000])
@pytest.mark.parametrize("frame", [150, 330, 450])
def test_the_listener_s_mel_bands_are_drawn_where_their_bins_are(loud, frequency_hz, frame):
    # A soft spot, as wide in the bands wherever it is; a cell has 16 bands and 64 frames.
    bands = hz_to_mel(BIN_HZ * np.arange(631))[:, None] / MEL_A_BAND
    place = hz_to_mel(frequency_hz) / MEL_A_BAND
    distance = np.hypot((bands - place) / 12, (np.arange(631) - frame) / 50)
    spot = np.uint8(255 * np.exp(-(distance**2)))
    drawn = grad_cam(loud, spot[None], 0)[0].astype(float)
    shares = drawn**4 * np.gradient(bands, axis=0)
    shares /= shares.sum()
    assert (shares * bands).sum() == pytest.approx(place, abs=2)
    assert shares.sum(axis=0) @ np.arange(631) == pytest.approx(frame, abs=10)


def test_the_listener_is_looked_at_before_it_pools_over_frequency(loud, noise):
    chosen = grad_cam(loud, noise, 0)
    assert chosen.any()
    np.testing.assert_array_equal(chosen, grad_cam(loud, noise, 0, layer="block3_relu"))
    assert not np.array_equal(chosen, grad_cam(loud, noise, 0, layer="block2_relu"))


@pytest.mark.parametrize(
    ("network", "options", "told"),
    [
        (lambda: build_softmax(3, SoftmaxSettings(pool=63)), {"labels": 0}, "no convolution"),
        (lambda: build_lil_data(3), {"labels": 3}, "labels must be from 0 to 2, got 3"),
        (lambda: build_lil_data(3), {"labels": 0, "layer": "dense"}, "no layer 'dense' that gives"),
        (lambda: build_listener(3), {"labels": 0, "layer": "by_band"}, "no layer 'by_band' that"),
        (
            lambda: keras.Sequential([keras.Input((631, 631, 1)), keras.layers.Conv2D(2, 3)]),
            {"labels": 0},
            "no dense layer",
        ),
    ],
)
def test_what_has_no_map_gets_a_line(network, options, told):
    with pytest.raises(LilDataError, match=told):
        grad_cam(network(), np.zeros((1, 631, 631), np.uint8), **options)


def sine(frequency_hz):
    return np.sin(2 * np.pi * frequency_hz * np.arange(CLIP_SAMPLES) / SAMPLE_RATE)


def test_only_what_the_map_points_to_is_heard():
    low, high = 0.3 * sine(875), 0.3 * sine(5250)  # bins 50 and 300
    cam = np.zeros((631, 631))
    cam[250:351] = 1
    reason, rest = audible(low + high, cam)
    inner = slice(2000, -2000)
    np.testing.assert_allclose(reason[inner], high[inner], atol=1e-3)
    np.testing.assert_allclose(rest[inner], low[inner], atol=1e-3)


def test_reason_and_rest_sum_to_the_clip():
    clip = RNG.normal(scale=0.1, size=CLIP_SAMPLES)
    reason, rest = audible(clip, RNG.random((631, 631)))
    assert min(np.abs(reason).max(), np.abs(rest).max()) > 0.1
    np.testing.assert_allclose(reason + rest, clip, atol=1e-5)


@pytest.mark.parametrize(("level", "share"), [(0.2, 0.0), (0.5, 0.5), (0.8, 1.0)])
def test_weak_places_are_silent_and_strong_ones_whole(level, share):
    clip = RNG.normal(scale=0.1, size=CLIP_SAMPLES)
    reason, _ = audible(clip, np.full((631, 631), level))
    np.testing.assert_allclose(reason, share * clip, atol=1e-5)


def test_an_explanation_can_be_heard(bands):
    # From the sound through the network to the sound: only the band that decides is the reason.
    middle_hz = (BANDS[1] + 0.5) * CELL * BIN_HZ
    clip = 0.3 * sine(middle_hz) + 0.3 * sine(525)
    image, _ = to_image(clip)
    reason, rest = audible(clip, grad_cam(bands, image[None], 1)[0])
    whole, heard, left = (magnitude(sound)[:, 50:-50].mean(1) for sound in (clip, reason, rest))
    decides, other = round(middle_hz / BIN_HZ), round(525 / BIN_HZ)
    assert heard[decides] > 0.5 * whole[decides]
    assert heard[other] < 1e-3 * whole[other]
    assert left[other] > 0.999 * whole[other]


def test_a_map_of_another_clip_is_refused():
    with pytest.raises(LilDataError, match=r"shape \(9, 9\): expected .* \(631, 631\)"):
        audible(np.zeros(CLIP_SAMPLES), np.ones((9, 9)))
