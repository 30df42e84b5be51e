"""Features of chosen layers: the same numbers as the whole network's, and nothing more computed."""

import numpy as np
import pytest
from paintings import SIDE, small_lil_data, two_pictures

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.networks.extractor import feature_extractor
from lildata_utils.networks.inputs import tensor_input


def test_features_are_the_layers_outputs_before_the_pooling():
    model = small_lil_data()
    image = np.kron(two_pictures()[0], np.ones((10, 10), np.uint8))[:631, :631]
    extractor = feature_extractor(model, ["conv1", "conv3"])
    outputs = extractor(tensor_input(image[None]))
    for name, side in (("conv1", 631), ("conv3", 39)):
        layer = keras.Model(model.inputs[0], model.get_layer(name).output)
        expected = layer(tensor_input(image[None])).numpy()
        assert outputs[name].shape[1:3] == (side, side)
        assert expected.max() > 0 == expected.min()
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4 * expected.max())
    assert "conv4" not in [layer.name for layer in extractor.layers]


def test_features_of_a_network_with_branches():
    x = keras.Input((SIDE, SIDE, 2))
    left = keras.layers.Conv2D(3, 3, activation="relu", name="left")(x)
    right = keras.layers.Conv2D(3, 3, name="right")(x)
    model = keras.Model(x, keras.layers.Add(name="both")([left, right]))
    extractor = feature_extractor(model, ["both", "left"])
    noise = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 2))
    np.testing.assert_allclose(extractor(noise)["both"], model(noise), atol=1e-6)


def test_an_unknown_layer_is_named():
    with pytest.raises(LilDataError, match=r"no layer 'conv9': choose among .*conv4"):
        feature_extractor(small_lil_data((1, 1, 1, 1)), ["conv9"])
