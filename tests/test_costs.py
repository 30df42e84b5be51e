"""The paper's three equations against sums written out by hand, and its table of presets."""

import numpy as np
import pytest

from lildata_utils.transfer.costs import content_cost, gram_matrix, style_cost, total_cost
from lildata_utils.transfer.settings import PRESETS


def test_gram_matrix_by_hand():
    features = np.random.default_rng(0).normal(size=(3, 5, 4))
    expected = np.zeros((4, 4))
    for i in range(3):
        for j in range(5):
            expected += np.outer(features[i, j], features[i, j])
    np.testing.assert_allclose(gram_matrix(features), expected, rtol=1e-12)


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
    grams = [[gram_matrix(x) for x in features] for features in pictures]
    content = content_cost(pictures[0][1], pictures[1][1])
    style = style_cost(*grams, shapes, weights)
    assert float(content) == pytest.approx(content_part, rel=1e-12)
    assert float(style) == pytest.approx(style_part, rel=1e-6)  # the lambdas are float32 in TF
    total = total_cost(content, style, 50, 500)
    assert float(total) == pytest.approx(50 * content_part + 500 * style_part, rel=1e-6)


def test_style_does_not_know_where_things_are():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(6, 7, 3))
    moved = rng.permutation(features.reshape(42, 3)).reshape(6, 7, 3)
    grams = [[gram_matrix(x)] for x in (features, moved)]
    assert float(style_cost(*grams, [(6, 7, 3)], [1.0])) < 1e-20
    assert float(content_cost(features, moved)) > 1


def test_presets_are_the_papers_table():
    vgg19, lil_data = (PRESETS[name] for name in ("vgg19", "lil_data"))
    assert vgg19.style_layers == tuple(f"block{n}_conv1" for n in (1, 2, 3, 4))
    assert lil_data.style_layers == ("conv1", "conv2", "conv3", "conv4")
    assert vgg19.style_weights == lil_data.style_weights == (0.3, 0.4, 0.2, 0.1)
    assert (vgg19.content_layer, lil_data.content_layer) == ("block5_conv1", "conv4")
    assert (vgg19.alpha, vgg19.beta, vgg19.early_stop, vgg19.full) == (100, 1000, 10, 100)
    ours = (lil_data.alpha, lil_data.beta, lil_data.early_stop, lil_data.full)
    assert ours == (50, 500, 100, 500)
    assert len(lil_data.layers) == 4
    assert len(vgg19.layers) == 5
