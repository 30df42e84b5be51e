"""Lil Data: the paper's layers and sizes, and what a layer's outputs look at."""

from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.genre.predict import predict
from lildata_utils.networks.lil_data import build_lil_data, receptive_fields
from lildata_utils.networks.settings import LilDataSettings
from lildata_utils.sound.spectrogram import network_input

FILTERS = (4, 6, 8, 8)
SMALL = LilDataSettings(filters=FILTERS)


def log_probabilities(network, images):
    return np.log(network(network_input(images)).numpy())


def test_lil_data_is_the_papers_network():
    model = build_lil_data(8)
    sides = [model.get_layer(f"pool{n}").output.shape[1:3] for n in (1, 2, 3, 4)]
    assert sides == [(157, 157), (39, 39), (9, 9), (2, 2)]
    assert [model.get_layer(f"conv{n}").output.shape[1] for n in (1, 2, 3, 4)] == [631, 157, 39, 9]
    assert model.get_layer("dropout").rate == 0.5
    assert model.get_layer("dense").units == 48
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("depth", [2, 3, 5, 6])
def test_other_depths_pool_while_there_is_something_to_pool(depth):
    model = build_lil_data(3, LilDataSettings(filters=(4,) * depth))
    names = [layer.name for layer in model.layers if layer.name.startswith(("conv", "pool"))]
    expected = [f"conv{n}" for n in range(1, depth + 1)] + [f"pool{n}" for n in range(1, 5)]
    assert sorted(names) == sorted(name for name in expected if int(name[-1]) <= depth)
    assert model.get_layer("flatten").output.shape[-1] == 4 * {2: 39, 3: 9}.get(depth, 2) ** 2


def test_equal_channels_are_one_with_summed_weights(images):
    """What three copies of a picture can tell a network, one can."""
    three, one = (build_lil_data(3, replace(SMALL, channels=n)) for n in (3, 1))
    head = np.random.default_rng(0).normal(scale=0.4, size=(48, 3))
    for model in (one, three):
        model.get_layer("genre").kernel.assign(head)
    for layer in three.layers:
        weights = layer.get_weights()
        if layer.name == "conv1":
            assert weights[0].shape == (3, 3, 3, 4)
            weights[0] = weights[0].sum(2, keepdims=True)
        if weights:
            one.get_layer(layer.name).set_weights(weights)
    np.testing.assert_allclose(
        log_probabilities(one, images), log_probabilities(three, images), atol=1e-3
    )


def test_a_smaller_side_is_an_average():
    model = build_lil_data(3, replace(SMALL, side=63))
    shrink = keras.Model(model.input, model.get_layer("shrunk").output)
    checkered = np.indices((631, 631)).sum(0) % 2 * 200.0
    small = shrink(checkered[None, ..., None]).numpy()[0, ..., 0]
    assert small.shape == (63, 63)
    np.testing.assert_allclose(small, 100, atol=8)  # without averaging it would be 0 or 200


@pytest.mark.parametrize("n_genres", [2, 4, 8, 11])
@pytest.mark.parametrize("filters", [(8, 16, 32, 64), (16, 32, 64, 64)])
def test_lil_datas_parameters_by_closed_form(n_genres, filters):
    inputs = (1, *filters[:-1])
    convolutions = sum((9 * i + 1) * o for i, o in zip(inputs, filters, strict=True))
    dense = (2 * 2 * filters[-1] + 1) * 48 + (48 + 1) * n_genres
    model = build_lil_data(n_genres, LilDataSettings(filters=filters))
    assert model.count_params() == convolutions + dense


def test_one_genre_is_refused():
    with pytest.raises(LilDataError, match="at least 2 genres, got 1"):
        build_lil_data(1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"filters": ()}, "filters must not be empty"),
        ({"channels": 0}, "channels must be from 1 to 64, got 0"),
        ({"side": 632}, "side must be from 32 to 631, got 632"),
        ({"filters": (8, 16, 32, 0)}, "filters must be from 1 to 4096, got 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
    ],
)
def test_impossible_settings_are_refused(settings, told):
    with pytest.raises(LilDataError, match=told):
        LilDataSettings(**settings)


def test_first_weights_depend_on_the_seed_only():
    first, again, other = (build_lil_data(3, SMALL, seed=s) for s in (7, 7, 8))
    for a, b, c in zip(first.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        starts_at_zero = a.path.endswith("bias") or a.path == "genre/kernel"
        assert starts_at_zero or not np.array_equal(a, c)
    kernels = [first.get_layer(f"conv{n}").kernel.numpy().ravel()[:9] for n in (1, 2)]
    assert not np.allclose(kernels[0] / kernels[0].std(), kernels[1] / kernels[1].std())


def test_training_starts_from_equal_chances(images):
    probabilities = predict(build_lil_data(8), images)
    np.testing.assert_allclose(probabilities, 1 / 8, atol=1e-6)


def test_receptive_fields_of_lil_data():
    table = receptive_fields(build_lil_data(2, SMALL)).set_index("layer")
    assert table.loc[["conv1", "conv2", "conv3", "conv4"], "frames"].tolist() == [3, 14, 58, 234]
    assert table.loc["pool4", "bins"] == 426
    np.testing.assert_allclose(
        table.loc[["conv1", "conv2", "conv3", "conv4"], "ms"], [24, 111, 460, 1860], rtol=0.01
    )
    assert table.loc["conv1", "hz"] == pytest.approx(52.5)


def test_receptive_fields_are_what_an_output_depends_on(model):
    table = receptive_fields(model).set_index("layer")
    names = ["conv1", "conv2", "conv3", "conv4"]
    outputs = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])
    noise = np.random.default_rng(0).normal(scale=100, size=(1, 631, 631, 1))
    spectrogram = tf.constant(noise, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(spectrogram)
        middles = [tf.reduce_sum(x[:, :, x.shape[2] // 2]) for x in outputs(spectrogram)]
    for name, middle in zip(names, middles, strict=True):
        reached = np.flatnonzero(tape.gradient(middle, spectrogram)[0, :, :, 0].numpy().any(0))
        assert np.ptp(reached) + 1 == table.loc[name, "frames"], name
