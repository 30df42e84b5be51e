"""The softmax benchmark: one layer of weights on averages."""

import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.genre.predict import predict
from lildata_utils.networks.settings import SoftmaxSettings
from lildata_utils.networks.softmax import build_softmax


def test_softmax_is_one_dense_layer_on_averages(images):
    model = build_softmax(3, SoftmaxSettings(pool=63))
    assert model.count_params() == (10 * 10 + 1) * 3
    dense = model.get_layer("genre")
    dense.kernel.assign(np.random.default_rng(0).normal(scale=0.002, size=(100, 3)))
    means = images[:, :630, :630].reshape(4, 10, 63, 10, 63).mean((2, 4)).reshape(4, -1)
    scores = (means - 114.799) @ dense.kernel.numpy().astype(np.float64)
    expected = np.exp(scores - scores.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(predict(model, images), expected, atol=1e-3)


def test_one_genre_is_refused():
    with pytest.raises(LilDataError, match="at least 2 genres, got 1"):
        build_softmax(1)


@pytest.mark.parametrize("pool", [0, 65])
def test_impossible_averages_are_refused(pool):
    with pytest.raises(LilDataError, match=f"pool must be from 1 to 64, got {pool}"):
        SoftmaxSettings(pool=pool)
