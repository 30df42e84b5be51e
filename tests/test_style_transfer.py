"""Style transfer against sums written out by hand, numerical gradients and its own limits."""

import numpy as np
import pytest

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.learning import training
from lildata_utils.networks import pretrained
from lildata_utils.networks.classifier import build_lil_data
from lildata_utils.transfer import style_transfer
from lildata_utils.transfer.style_transfer import Preset, StyleNetwork, transfer

SIDE = 64
SMALL = Preset(
    ("conv1", "conv2", "conv3", "conv4"), (0.3, 0.4, 0.2, 0.1), "conv3", 50.0, 500.0, 5, 8
)


def small_network(preset=SMALL, seed=0):
    model = build_lil_data(2, (4, 6, 8, 8), seed=seed)
    extractor = style_transfer.feature_extractor(model, preset.layers)
    return StyleNetwork("small", "random", preset, extractor, training.tensor_input)


@pytest.fixture(scope="module")
def network():
    return small_network()


@pytest.fixture(scope="module")
def pictures():
    """A dark picture with lines, and a bright one with blocks."""
    rng = np.random.default_rng(0)
    content = rng.integers(0, 60, (SIDE, SIDE), dtype=np.uint8)
    content[::9] += 120
    style = np.kron(rng.integers(40, 256, (16, 16)), np.ones((4, 4))).astype(np.uint8)
    return content, style


@pytest.fixture(scope="module")
def vgg19():
    return style_transfer.vgg19_network("random")


def last(steps):
    *_, step = steps
    return step


# The equations


def test_gram_matrix_by_hand():
    features = np.random.default_rng(0).normal(size=(3, 5, 4))
    expected = np.zeros((4, 4))
    for i in range(3):
        for j in range(5):
            expected += np.outer(features[i, j], features[i, j])
    np.testing.assert_allclose(style_transfer.gram_matrix(features), expected, rtol=1e-12)


def test_costs_by_hand():
    rng = np.random.default_rng(1)
    shapes, weights = [(3, 5, 2), (2, 4, 3)], [0.3, 0.7]
    pictures = [[rng.normal(size=shape) for shape in shapes] for _ in range(2)]
    content_part = 0.5 * ((pictures[0][1] - pictures[1][1]) ** 2).sum()
    style_part = 0.0
    for (n_h, n_w, n_c), weight, a, b in zip(shapes, weights, *pictures, strict=True):
        squares = 0.0
        for k in range(n_c):
            for kk in range(n_c):
                gram_a = (a[:, :, k] * a[:, :, kk]).sum()
                gram_b = (b[:, :, k] * b[:, :, kk]).sum()
                squares += (gram_a - gram_b) ** 2
        style_part += weight * squares / (2 * n_h * n_w * n_c) ** 2
    grams = [[style_transfer.gram_matrix(x) for x in features] for features in pictures]
    content = style_transfer.content_cost(pictures[0][1], pictures[1][1])
    style = style_transfer.style_cost(*grams, shapes, weights)
    assert float(content) == pytest.approx(content_part, rel=1e-12)
    assert float(style) == pytest.approx(style_part, rel=1e-6)  # the lambdas are float32 in TF
    total = style_transfer.total_cost(content, style, 50, 500)
    assert float(total) == pytest.approx(50 * content_part + 500 * style_part, rel=1e-6)


def test_style_does_not_know_where_things_are():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(6, 7, 3))
    moved = rng.permutation(features.reshape(42, 3)).reshape(6, 7, 3)
    grams = [[style_transfer.gram_matrix(x)] for x in (features, moved)]
    assert float(style_transfer.style_cost(*grams, [(6, 7, 3)], [1.0])) < 1e-20
    assert float(style_transfer.content_cost(features, moved)) > 1


def test_presets_are_the_papers_table():
    vgg19, lil_data = (style_transfer.PRESETS[name] for name in ("vgg19", "lil_data"))
    assert vgg19.style_layers == tuple(f"block{n}_conv1" for n in (1, 2, 3, 4))
    assert lil_data.style_layers == ("conv1", "conv2", "conv3", "conv4")
    assert vgg19.style_weights == lil_data.style_weights == (0.3, 0.4, 0.2, 0.1)
    assert (vgg19.content_layer, lil_data.content_layer) == ("block5_conv1", "conv4")
    assert (vgg19.alpha, vgg19.beta, vgg19.early_stop, vgg19.full) == (100, 1000, 10, 100)
    assert (lil_data.alpha, lil_data.beta, lil_data.early_stop, lil_data.full) == (
        50,
        500,
        100,
        500,
    )
    assert len(lil_data.layers) == 4
    assert len(vgg19.layers) == 5


# Features


def test_features_are_the_layers_outputs_before_the_pooling(pictures):
    model = build_lil_data(2, (4, 6, 8, 8))
    image = np.kron(pictures[0], np.ones((10, 10), np.uint8))[:631, :631]
    extractor = style_transfer.feature_extractor(model, ["conv1", "conv3"])
    outputs = extractor(training.tensor_input(image[None]))
    for name, side in (("conv1", 631), ("conv3", 39)):
        layer = keras.Model(model.inputs[0], model.get_layer(name).output)
        expected = layer(training.tensor_input(image[None])).numpy()
        assert outputs[name].shape[1:3] == (side, side)
        assert expected.max() > 0 == expected.min()
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4 * expected.max())
    assert "conv4" not in [layer.name for layer in extractor.layers]


def test_features_of_a_network_with_branches():
    x = keras.Input((SIDE, SIDE, 2))
    left = keras.layers.Conv2D(3, 3, activation="relu", name="left")(x)
    right = keras.layers.Conv2D(3, 3, name="right")(x)
    model = keras.Model(x, keras.layers.Add(name="both")([left, right]))
    extractor = style_transfer.feature_extractor(model, ["both", "left"])
    noise = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 2))
    np.testing.assert_allclose(extractor(noise)["both"], model(noise), atol=1e-6)


def test_an_unknown_layer_is_named():
    with pytest.raises(LilDataError, match=r"no layer 'conv9': choose among .*conv4"):
        style_transfer.feature_extractor(build_lil_data(2, (1, 1, 1, 1)), ["conv9"])


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
        network = style_transfer.vgg19_network("random", dtype=dtype)
        content, style = (network.look(picture) for picture in pictures)
        found.append(network.gradient(content, style, pictures[0], 100, 1000))
    (costs, gradient), (rounded_costs, rounded_gradient) = found
    assert rounded_costs.style == pytest.approx(costs.style, rel=1e-3)
    error = np.linalg.norm(rounded_gradient - gradient) / np.linalg.norm(gradient)
    assert 0 < error < 0.02


@pytest.mark.slow
def test_bfloat16_transfers_to_the_same_picture(pictures):
    ends = [
        last(
            transfer(*pictures, style_transfer.vgg19_network("random", dtype=dtype), iterations=10)
        )
        for dtype in ("float32", "bfloat16")
    ]
    costs = [end.total_cost for end in ends]
    assert costs[1] == pytest.approx(costs[0], rel=0.02)
    assert ends[1].image.mean() == pytest.approx(ends[0].image.mean(), abs=0.3)
    moved = np.abs(ends[0].image - pictures[0]).mean()
    assert np.abs(ends[1].image - ends[0].image).mean() < 0.2 * moved


# The transfer


def test_the_first_step_is_the_start(network, pictures):
    content, style = pictures
    for start, image in (("content", content), ("style", style)):
        (step,) = transfer(content, style, network, iterations=0, start=start)
        np.testing.assert_array_equal(step.image, image)
        assert step.image.dtype == np.float32
        assert (step.number, step.iterations) == (0, 0)
        assert (step.content_cost == 0) == (start == "content")
        assert (step.style_cost == 0) == (start == "style")
    starts = [
        last(transfer(content, style, network, iterations=0, start="noise", seed=seed)).image
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(starts[0], starts[1])
    assert np.abs(starts[0] - starts[2]).mean() > 50
    assert abs(starts[0].mean() - 127.5) < 5


def test_costs_of_a_step_belong_to_its_picture(network, pictures):
    content, style = pictures
    step = last(transfer(content, style, network, alpha=3, beta=7, iterations=4))
    looks = [network.look(picture) for picture in (content, style, step.image)]
    expected = network.costs(*looks, 3, 7)
    found = (step.content_cost, step.style_cost, step.total_cost)
    np.testing.assert_allclose(found, [float(cost) for cost in expected], rtol=1e-5)


@pytest.mark.parametrize("optimizer", style_transfer.OPTIMIZERS)
@pytest.mark.parametrize(("start", "share"), [("content", 0.7), ("noise", 0.7), ("style", 0.95)])
def test_each_optimizer_lowers_the_total_cost(network, pictures, optimizer, start, share):
    steps = list(transfer(*pictures, network, iterations=20, optimizer=optimizer, start=start))
    assert [step.number for step in steps] == list(range(21))
    assert {step.iterations for step in steps} == {20}
    assert steps[20].total_cost < share * steps[0].total_cost
    for step in steps:
        assert step.image.min() >= 0
        assert step.image.max() <= 255
    if optimizer != "adam":
        assert np.diff([step.total_cost for step in steps]).max() <= 0


@pytest.mark.parametrize("optimizer", style_transfer.OPTIMIZERS)
def test_where_content_and_style_are_the_same_nothing_moves(network, pictures, optimizer):
    content, _ = pictures
    for step in transfer(content, content, network, iterations=3, optimizer=optimizer):
        assert step.total_cost == step.content_cost == step.style_cost == 0
        np.testing.assert_array_equal(step.image, content)


def test_without_beta_the_content_stays_and_without_alpha_it_does_not_count(network, pictures):
    content, style = pictures
    step = last(transfer(content, style, network, beta=0, iterations=3))
    np.testing.assert_array_equal(step.image, content)
    step = last(transfer(content, style, network, alpha=0, iterations=3, start="style"))
    np.testing.assert_array_equal(step.image, style)
    other = last(transfer(style, style, network, alpha=0, iterations=3, start="noise"))
    step = last(transfer(content, style, network, alpha=0, iterations=3, start="noise"))
    np.testing.assert_array_equal(step.image, other.image)


def test_the_step_size_is_in_grey_levels(network, pictures):
    content = np.full((SIDE, SIDE), 128, np.uint8)
    for size in (0.5, 4.0):
        first = list(transfer(content, pictures[1], network, iterations=1, step_size=size))[1]
        moved = np.abs(first.image - content)
        assert moved.max() == pytest.approx(size, rel=1e-3)
        for optimizer in ("gradient_descent", "lbfgs"):
            steps = transfer(
                content, pictures[1], network, iterations=1, optimizer=optimizer, step_size=size
            )
            moved = list(steps)[1].image - content
            assert np.sqrt(np.mean(moved**2)) == pytest.approx(size, rel=1e-3)


def test_bounds_hold_where_steps_are_large(network, pictures):
    step = last(transfer(*pictures, network, iterations=3, step_size=200.0))
    assert (step.image == 0).any()
    assert (step.image == 255).any()


def test_same_seed_same_pictures(network, pictures):
    runs = [
        [step.image for step in transfer(*pictures, net, iterations=5, start="noise", seed=3)]
        for net in (network, network, small_network())
    ]
    for images in zip(*runs, strict=True):
        np.testing.assert_array_equal(images[0], images[1])
        np.testing.assert_array_equal(images[0], images[2])


def test_a_slider_compiles_nothing(pictures):
    network = small_network()
    network.warm_up((SIDE, SIDE))
    for alpha, beta, iterations, optimizer, step_size in (
        (None, None, None, "adam", None),
        (1.0, 2.0, 2, "adam", 1.0),
        (7, 1e-3, 3, "lbfgs", 0.3),
        (0, 1, 1, "gradient_descent", 3),
    ):
        last(transfer(*pictures, network, alpha, beta, iterations, optimizer, step_size))
    counts = [f.experimental_get_tracing_count() for f in (network._look, network._gradient)]
    assert counts == [1, 1]


def test_presets_are_the_defaults(network, pictures):
    steps = list(transfer(*pictures, network))
    assert len(steps) == SMALL.early_stop + 1
    step = steps[-1]
    assert step.total_cost == pytest.approx(50 * step.content_cost + 500 * step.style_cost)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"optimizer": "sgd"}, "'sgd' is unknown: choose one of adam"),
        ({"start": "middle"}, "'middle' is unknown: choose one of content"),
        ({"alpha": -1.0}, "alpha must be from 0 to"),
        ({"beta": float("nan")}, "beta must be from 0 to"),
        ({"iterations": -1}, "iterations must be at least 0"),
        ({"step_size": 0.0}, "step_size must be above 0"),
        ({"style": np.zeros((SIDE, SIDE + 1), np.uint8)}, "must be equal"),
        ({"style": np.zeros((SIDE, SIDE))}, "of float64; expected a spectrogram"),
        ({"content": np.zeros((1, SIDE, SIDE), np.uint8)}, "the content has shape"),
        ({"content": np.zeros((SIDE, 20), np.uint8)}, "at least 64"),
    ],
)
def test_what_can_not_be_is_refused(network, pictures, changes, told):
    content, style = pictures
    arguments = {"content": content, "style": style, "network": network} | changes
    with pytest.raises(LilDataError, match=told):
        next(transfer(**arguments))


# Networks and their weights


def test_lil_data_of_a_run_names_it(tmp_path, tiny_dataset, pictures):
    for _ in training.fit(
        tmp_path / "run",
        style_transfer.LIL_DATA,
        tiny_dataset,
        1,
        options={"filters": (2, 2, 2, 2)},
    ):
        pass
    network = style_transfer.lil_data_network(training.load_run(tmp_path / "run"))
    assert network.weights == f"Lil Data, run {(tmp_path / 'run').resolve().as_posix()}"
    assert network.look(pictures[0]).grams[0].shape == (2, 2)


def test_lil_data_with_random_weights():
    networks = [style_transfer.lil_data_network(None, seed=seed) for seed in (4, 4, 5)]
    assert networks[0].weights == "Lil Data, random (seed 4)"
    kernels = [network.extractor.get_layer("conv4").kernel.numpy() for network in networks]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_run_of_another_network_is_refused(tmp_path):
    run = training.Run(tmp_path, "softmax", ("a", "b"), {}, {}, {}, None)
    with pytest.raises(LilDataError, match="a run of 'softmax': style transfer needs Lil Data"):
        style_transfer.lil_data_network(run)


def test_vgg19_gets_keras_own_input():
    image = np.random.default_rng(0).uniform(0, 255, (1, 4, 5)).astype(np.float32)
    channels = np.repeat(image[..., None], 3, axis=-1)
    expected = keras.applications.vgg19.preprocess_input(channels.copy())
    np.testing.assert_allclose(style_transfer.vgg19_input(image), expected, atol=1e-4)
    pixels = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        total = tf.reduce_sum(style_transfer.vgg19_input(pixels) * [1.0, 10.0, 100.0])
    np.testing.assert_allclose(tape.gradient(total, pixels), 111)


def test_vgg19_transfers_and_stops_at_its_last_layer(vgg19, pictures):
    assert vgg19.extractor.layers[-1].name == "block5_conv1"
    first, *_, end = transfer(*pictures, vgg19, iterations=3)
    assert end.total_cost < first.total_cost


def test_vgg19_features_keep_their_size_with_random_weights(vgg19, pictures):
    sizes = [float(tf.norm(x) / x.shape[-1]) for x in vgg19.features(pictures[1]).values()]
    assert all(size > 0 for size in sizes)
    rms = [float(tf.sqrt(tf.reduce_mean(x**2))) for x in vgg19.features(pictures[1]).values()]
    assert max(rms) < 10 * min(rms)


def test_vgg19_says_which_weights_it_has(monkeypatch):
    monkeypatch.setitem(pretrained.MAKERS, "vgg19", no_network)
    with pytest.warns(UserWarning, match="random weights") as caught:
        network = style_transfer.vgg19_network(seed=3)
    assert caught[0].filename == __file__
    assert network.weights == "VGG-19, random (seed 3)"


def no_network(**options):
    raise Exception("URL fetch failure")


def test_unknown_weights_are_refused():
    with pytest.raises(LilDataError, match="'imagenette' are unknown"):
        style_transfer.vgg19_network("imagenette")
