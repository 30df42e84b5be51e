"""What tests of style transfer share: two pictures, a small network, and VGG-19 once a process."""

from functools import cache

import numpy as np

from lildata_utils.networks.extractor import feature_extractor
from lildata_utils.networks.inputs import tensor_input
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.settings import LilDataSettings
from lildata_utils.transfer.settings import Preset
from lildata_utils.transfer.style_network import StyleNetwork, vgg19_network

SIDE = 64
LAYERS = ("conv1", "conv2", "conv3", "conv4")
SMALL = Preset("small", LAYERS, "conv3", 50.0, 500.0, early_stop=5, full=8)


def small_lil_data(filters=(4, 6, 8, 8)):
    return build_lil_data(2, LilDataSettings(filters=filters))


def small_network():
    extractor = feature_extractor(small_lil_data(), SMALL.layers)
    return StyleNetwork("small", "random", SMALL, extractor, tensor_input)


@cache
def random_vgg19(dtype):
    """VGG-19 takes seconds to build and to compile: it must be left as it is."""
    return vgg19_network("random", dtype=dtype)


def two_pictures():
    """Draw a dark picture with lines, and a bright one with blocks."""
    rng = np.random.default_rng(0)
    content = rng.integers(0, 60, (SIDE, SIDE), dtype=np.uint8)
    content[::9] += 120
    style = np.kron(rng.integers(40, 256, (16, 16)), np.ones((4, 4))).astype(np.uint8)
    return content, style
