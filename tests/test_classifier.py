import numpy as np
import pytest

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.networks import classifier
from lildata_utils.sound.spectrogram import network_input

FILTERS = (4, 6, 8, 8)


def log_probabilities(network, images):
    return np.log(network(network_input(images)).numpy())


def test_lil_data_is_the_papers_network():
    model = classifier.build_lil_data(8, (16, 32, 64, 64))
    sides = [model.get_layer(f"pool{n}").output.shape[1:3] for n in (1, 2, 3, 4)]
    assert sides == [(157, 157), (39, 39), (9, 9), (2, 2)]
    assert [model.get_layer(f"conv{n}").output.shape[1] for n in (1, 2, 3, 4)] == [631, 157, 39, 9]
    assert model.get_layer("dropout").rate == 0.5
    assert model.get_layer("dense").units == 48
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("depth", [2, 3, 5, 6])
def test_other_depths_pool_while_there_is_something_to_pool(depth):
    model = classifier.build_lil_data(3, (4,) * depth)
    names = [layer.name for layer in model.layers if layer.name.startswith(("conv", "pool"))]
    expected = [f"conv{n}" for n in range(1, depth + 1)] + [f"pool{n}" for n in range(1, 5)]
    assert sorted(names) == sorted(name for name in expected if int(name[-1]) <= depth)
    assert model.get_layer("flatten").output.shape[-1] == 4 * {2: 39, 3: 9}.get(depth, 2) ** 2


def test_equal_channels_are_one_with_summed_weights(images):
    """What three copies of a picture can tell a network, one can."""
    three, one = (classifier.build_lil_data(3, FILTERS, channels=n) for n in (3, 1))
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
    model = classifier.build_lil_data(3, FILTERS, side=63)
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
    assert classifier.build_lil_data(n_genres, filters).count_params() == convolutions + dense


def test_softmax_is_one_dense_layer_on_averages(images):
    model = classifier.build_softmax(3, pool=63)
    assert model.count_params() == (10 * 10 + 1) * 3
    dense = model.get_layer("genre")
    dense.kernel.assign(np.random.default_rng(0).normal(scale=0.002, size=(100, 3)))
    means = images[:, :630, :630].reshape(4, 10, 63, 10, 63).mean((2, 4)).reshape(4, -1)
    scores = (means - 114.799) @ dense.kernel.numpy().astype(np.float64)
    expected = np.exp(scores - scores.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(classifier.predict(model, images), expected, atol=1e-3)


@pytest.mark.parametrize("build", [classifier.build_softmax, classifier.build_lil_data])
def test_one_genre_is_refused(build):
    with pytest.raises(LilDataError, match="at least 2 genres, got 1"):
        build(1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"filters": ()}, "at least 1 filter"),
        ({"channels": 0}, "channels must be at least 1, got 0"),
        ({"side": 632}, "side must be from 32 to 631 pixels, got 632"),
        ({"filters": (8, 16, 32, 0)}, "at least 1 filter"),
        ({"dropout": 1.0}, "below 1"),
    ],
)
def test_impossible_options_are_refused(options, told):
    with pytest.raises(LilDataError, match=told):
        classifier.build_lil_data(8, **options)


def test_first_weights_depend_on_the_seed_only():
    first, again, other = (classifier.build_lil_data(3, FILTERS, seed=s) for s in (7, 7, 8))
    for a, b, c in zip(first.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        starts_at_zero = a.path.endswith("bias") or a.path == "genre/kernel"
        assert starts_at_zero or not np.array_equal(a, c)
    kernels = [first.get_layer(f"conv{n}").kernel.numpy().ravel()[:9] for n in (1, 2)]
    assert not np.allclose(kernels[0] / kernels[0].std(), kernels[1] / kernels[1].std())


def test_training_starts_from_equal_chances(images):
    probabilities = classifier.predict(classifier.build_lil_data(8), images)
    np.testing.assert_allclose(probabilities, 1 / 8, atol=1e-6)


def test_predict_in_batches_and_at_once(model, images):
    at_once = classifier.predict(model, images)
    assert at_once.shape == (4, 5)
    assert at_once.dtype == np.float32
    np.testing.assert_allclose(at_once.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(classifier.predict(model, images, batch_size=3), at_once, atol=1e-4)
    assert classifier.predict(model, images[:0]).shape == (0, 5)


def test_predict_follows_the_weights(images):
    model = classifier.build_softmax(2, pool=63)
    np.testing.assert_allclose(classifier.predict(model, images), 0.5, atol=1e-6)
    model.get_layer("genre").bias.assign([0.0, np.log(3.0)])
    np.testing.assert_allclose(classifier.predict(model, images)[:, 1], 0.75, atol=1e-6)


def test_predict_reads_a_dataset(model, tiny_dataset):
    np.testing.assert_allclose(
        classifier.predict(model, tiny_dataset, batch_size=5),
        classifier.predict(model, tiny_dataset.images()),
        atol=1e-4,
    )


def test_receptive_fields_of_lil_data():
    table = classifier.receptive_fields(classifier.build_lil_data(2, FILTERS)).set_index("layer")
    assert table.loc[["conv1", "conv2", "conv3", "conv4"], "frames"].tolist() == [3, 14, 58, 234]
    assert table.loc["pool4", "bins"] == 426
    np.testing.assert_allclose(
        table.loc[["conv1", "conv2", "conv3", "conv4"], "ms"], [24, 111, 460, 1860], rtol=0.01
    )
    assert table.loc["conv1", "hz"] == pytest.approx(52.5)


def test_receptive_fields_are_what_an_output_depends_on(model):
    table = classifier.receptive_fields(model).set_index("layer")
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
