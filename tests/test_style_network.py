"""A network that transfers: gradients against numerical ones, rounding, whose weights it has."""

import numpy as np
import pytest
from paintings import random_vgg19, small_lil_data, small_network, two_pictures

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.learning.runs import MODEL_FILE, Run
from lildata_utils.machine import has_bfloat16
from lildata_utils.networks import pretrained
from lildata_utils.networks.extractor import LateRounded
from lildata_utils.transfer.style_network import lil_data_network, vgg19_input, vgg19_network


@pytest.fixture(scope="module")
def network():
    return small_network()


@pytest.fixture(scope="module")
def pictures():
    return two_pictures()


def test_the_gradient_is_the_slope_of_the_costs(network, pictures):
    content, style = (network.look(picture) for picture in pictures)
    image = pictures[0].astype(np.float32) + 3
    costs, gradient = network.gradient(content, style, image, 50, 500)
    assert costs.total == pytest.approx(50 * costs.content + 500 * costs.style, rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(3):
        direction = rng.normal(size=image.shape).astype(np.float32)
        step = 0.05
        there, back = (
            network.gradient(content, style, image + sign * step * direction, 50, 500)[0].total
            for sign in (1, -1)
        )
        slope = (there - back) / (2 * step)
        size = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs(slope - np.vdot(gradient, direction)) < 3e-3 * size
    along = gradient / np.linalg.norm(gradient)
    there, back = (
        network.gradient(content, style, image + sign * along, 50, 500)[0].total for sign in (1, -1)
    )
    assert (there - back) / 2 == pytest.approx(np.linalg.norm(gradient), rel=0.02)


def test_bfloat16_is_close(pictures):
    # bfloat16 keeps 8 bits: each layer that rounds what passes it is off by up to 2**-9. At the
    # start, where content and picture are equal, only the style counts.
    found = []
    for dtype in ("float32", "bfloat16"):
        network = random_vgg19(dtype)
        content, style = (network.look(picture) for picture in pictures)
        found.append(network.gradient(content, style, pictures[0], 100, 1000))
    (costs, gradient), (rounded_costs, rounded_gradient) = found
    assert rounded_costs.style == pytest.approx(costs.style, rel=1e-3)
    error = np.linalg.norm(rounded_gradient - gradient) / np.linalg.norm(gradient)
    assert 0 < error < 0.02


def test_lil_data_of_a_run_names_it(tmp_path, pictures):
    folder = tmp_path / "run"
    folder.mkdir()
    small_lil_data((2, 2, 2, 2)).save(folder / MODEL_FILE)
    network = lil_data_network(Run(folder, "cnn", ("a", "b"), {}, {}, {}, None))
    assert network.weights == f"Lil Data, run {folder.resolve().as_posix()}"
    assert network.look(pictures[0]).grams[0].shape == (2, 2)


def test_lil_data_with_random_weights():
    networks = [lil_data_network(None, seed=seed) for seed in (4, 4, 5)]
    assert networks[0].weights == "Lil Data, random (seed 4)"
    kernels = [network.extractor.get_layer("conv4").kernel.numpy() for network in networks]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_run_of_another_network_is_refused(tmp_path):
    run = Run(tmp_path, "softmax", ("a", "b"), {}, {}, {}, None)
    with pytest.raises(LilDataError, match="a run of 'softmax': style transfer needs Lil Data"):
        lil_data_network(run)


def test_vgg19_gets_keras_own_input():
    image = np.random.default_rng(0).uniform(0, 255, (1, 4, 5)).astype(np.float32)
    channels = np.repeat(image[..., None], 3, axis=-1)
    expected = keras.applications.vgg19.preprocess_input(channels.copy())
    np.testing.assert_allclose(vgg19_input(image), expected, atol=1e-4)
    pixels = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        total = tf.reduce_sum(vgg19_input(pixels) * [1.0, 10.0, 100.0])
    np.testing.assert_allclose(tape.gradient(total, pixels), 111)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_vgg19_features_keep_their_size_with_random_weights(pictures, dtype):
    features = random_vgg19(dtype).features(pictures[1]).values()
    sizes = [float(tf.norm(x) / x.shape[-1]) for x in features]
    assert all(size > 0 for size in sizes)
    rms = [float(tf.sqrt(tf.reduce_mean(x**2))) for x in features]
    assert max(rms) < 10 * min(rms)


def test_vgg19_says_which_weights_it_has_and_rounds_where_the_processor_does(monkeypatch):
    monkeypatch.setitem(pretrained.MAKERS, "vgg19", no_network)
    with pytest.warns(UserWarning, match="random weights") as caught:
        network = vgg19_network(seed=3)
    assert caught[0].filename == __file__
    assert network.weights == "VGG-19, random (seed 3)"
    rounds = isinstance(network.extractor.get_layer("block1_conv1"), LateRounded)
    assert rounds == has_bfloat16()


def no_network(**options):
    raise Exception("URL fetch failure")


def test_unknown_weights_are_refused():
    with pytest.raises(LilDataError, match="'imagenette' are unknown"):
        vgg19_network("imagenette")
