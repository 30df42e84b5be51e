"""The part of a network that does not learn: where it is cut off, and how it is named."""

import numpy as np
import pytest

from lildata_utils.backend import keras
from lildata_utils.networks.frozen import digest, split
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.settings import LilDataSettings
from lildata_utils.sound.spectrogram import network_input


def build(*filters):
    return build_lil_data(2, LilDataSettings(filters=filters, side=63))


@pytest.fixture
def model():
    made = build(2, 3, 4, 4)
    for layer in made.layers:
        layer.trainable = layer.name in ("conv3", "pool3", "dense", "genre")
    return made


def test_the_two_parts_are_the_network(model, tiny_dataset):
    frozen, learning = split(model)
    assert frozen.layers[-1].name == "pool2"
    assert learning.layers[1].name == "conv3"
    pictures = network_input(tiny_dataset.images([0, 20]))
    np.testing.assert_allclose(learning(frozen(pictures)), model(pictures), atol=1e-6)
    assert {id(w) for w in frozen.weights} | {id(w) for w in learning.weights} == {
        id(w) for w in model.weights
    }


def test_a_network_that_learns_from_the_start_is_not_cut():
    model = build(2)
    assert split(model) == (None, model)


def test_a_layer_that_does_not_learn_behind_one_that_does_is_no_cut():
    model = build(2, 3)
    model.get_layer("conv2").trainable = False
    frozen, learning = split(model)
    assert frozen is None
    assert isinstance(learning, keras.Model)


def test_the_digest_is_that_of_layers_and_weights(model):
    def named(network, fused=None):
        return digest(network, fused or network)

    frozen, _ = split(model)
    first = named(frozen)
    assert named(split(model)[0]) == first  # whatever Keras calls the model by now
    rounded = keras.models.clone_model(frozen, clone_function=_rounded)
    assert named(frozen, rounded) != first
    kernel = model.get_layer("conv1").kernel
    kernel.assign(kernel * 2)
    assert named(frozen) != first


def _rounded(layer):
    return type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
