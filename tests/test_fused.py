"""Fused networks compute what their models compute, on the same variables."""

import warnings

import numpy as np
import pytest
from thin import thin_resnet50

from lildata_utils.backend import keras, tf
from lildata_utils.machine import has_bfloat16
from lildata_utils.networks.fused import fuse
from lildata_utils.networks.resnet import build_resnet50
from lildata_utils.networks.settings import ResNet50Settings, SoftmaxSettings
from lildata_utils.networks.softmax import build_softmax
from lildata_utils.sound.spectrogram import network_input


def thin(n_genres, **settings):
    with pytest.MonkeyPatch.context() as patch:
        thin_resnet50(patch)
        return build_resnet50(n_genres, ResNet50Settings(side=64, **settings))


@pytest.fixture(scope="module")
def built():
    made = thin(5)
    head = made.get_layer("genre")
    head.kernel.assign(np.random.default_rng(1).normal(scale=0.1, size=head.kernel.shape))
    return made, made.get_weights()


@pytest.fixture
def residual(built):
    """A residual network as it was built: a test may have changed its averages."""
    made, weights = built
    made.set_weights(weights)
    return made


def log_probabilities(network, images, **options):
    return np.log(network(network_input(images), **options).numpy())


def test_nothing_to_gain_is_the_same_layers_in_another_model(images):
    softmax = build_softmax(2, SoftmaxSettings(pool=63))
    twin = fuse(softmax)
    assert twin is not softmax
    assert twin.layers == softmax.layers
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = log_probabilities(twin, images)
    np.testing.assert_array_equal(found, log_probabilities(softmax, images))


def test_pooling_first_is_the_same_network(model, images):
    expected = log_probabilities(model, images)
    assert np.ptp(expected, axis=0).min() > 0.1  # the clips differ, and the test sees it
    twin = fuse(model, "float32")
    np.testing.assert_allclose(log_probabilities(twin, images), expected, atol=1e-4)


def test_pooling_first_has_the_same_gradients(model, images):
    labels = tf.constant([0, 1, 2, 3])

    def gradients(network):
        with tf.GradientTape() as tape:
            outputs = network(network_input(images), training=False)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, outputs))
        return tape.gradient(loss, model.trainable_variables)

    twins = gradients(fuse(model, "float32"))
    for plain, ours in zip(gradients(model), twins, strict=True):
        scale = float(tf.reduce_max(tf.abs(plain)))
        assert scale > 0
        np.testing.assert_allclose(ours, plain, atol=1e-3 * scale)


def test_bfloat16_is_close(model, images):
    # bfloat16 keeps 8 bits: a relative error of up to 2**-9 in the inputs, weights and outputs of
    # four layers, partly cancelled in sums. 3 % of the range of the results leaves room.
    expected = log_probabilities(model, images)
    error = np.abs(log_probabilities(fuse(model, "mixed_bfloat16"), images) - expected).max()
    assert 0 < error < 0.03 * np.ptp(expected)


def test_the_twin_has_the_models_own_variables(model):
    twin = fuse(model)
    assert {id(v) for v in twin.variables} == {id(v) for v in model.variables}
    expected = "bfloat16" if has_bfloat16() else "float32"
    assert twin.get_layer("conv1").compute_dtype == expected
    assert twin.get_layer("genre").compute_dtype == "float32"


@pytest.mark.parametrize("training", [False, True])
def test_fused_normalisation_is_the_same_network(residual, images, training):
    twin = fuse(residual, "float32")
    expected = log_probabilities(residual, images, training=training)
    assert np.ptp(expected, axis=0).min() > 0.01
    found = log_probabilities(twin, images, training=training)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_fused_normalisation_keeps_the_same_averages(residual, images):
    before = [weight.numpy() for weight in residual.weights]
    averages = []
    for network in (residual, fuse(residual, "float32")):
        for weight, value in zip(residual.weights, before, strict=True):
            weight.assign(value)
        network(network_input(images), training=True)
        averages.append([weight.numpy() for weight in residual.non_trainable_weights])
    changed = 0
    for plain, ours, weight in zip(*averages, residual.non_trainable_weights, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-3, atol=1e-3, err_msg=weight.path)
        changed += not np.allclose(plain, 0) and not np.allclose(plain, 1)
    assert changed == 2 * 53  # a mean and a variance for each normalisation


def test_frozen_normalisation_keeps_its_averages(images):
    frozen = thin(2, learn="head")
    before = [weight.numpy() for weight in frozen.non_trainable_weights]
    twin = fuse(frozen, "float32")
    found = twin(network_input(images), training=True)
    for weight, value in zip(frozen.non_trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    expected = frozen(network_input(images), training=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_fused_normalisation_has_the_same_gradients():
    """In one residual block: through fifty layers, rounding alone would make a difference."""
    picture = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", name="conv")(picture)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Activation("relu", name="relu")(x)
    x = keras.layers.Add(name="add")([keras.layers.Conv2D(8, 1, name="shortcut")(picture), x])
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(picture, keras.layers.Dense(3, activation="softmax")(x))
    model.get_layer("norm").gamma.assign(np.linspace(0.5, 2, 8))
    images = np.random.default_rng(0).normal(size=(6, 16, 16, 3)).astype(np.float32)
    labels = tf.constant([0, 1, 2, 0, 1, 2])

    def gradients(network):
        with tf.GradientTape() as tape:
            outputs = network(images, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, outputs))
        return tape.gradient(loss, model.trainable_variables)

    plain, ours = gradients(model), gradients(fuse(model, "float32"))
    assert len(plain) == 8
    for expected, found in zip(plain, ours, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_residual_twin_has_the_models_own_variables(residual):
    twin = fuse(residual)
    assert {id(v) for v in twin.variables} == {id(v) for v in residual.variables}
    expected = "bfloat16" if has_bfloat16() else "float32"
    assert twin.get_layer("conv1_bn").compute_dtype == expected
    assert twin.get_layer("genre").compute_dtype == "float32"
