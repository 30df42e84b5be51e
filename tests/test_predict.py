"""What a network says of clips: in batches, of a data set, after its weights have changed."""

import gc
import weakref

import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.genre.grad_cam import grad_cam
from lildata_utils.genre.predict import predict
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.settings import LilDataSettings, SoftmaxSettings
from lildata_utils.networks.softmax import build_softmax

COARSE = SoftmaxSettings(pool=63)
SMALL = LilDataSettings(filters=(2, 2), side=63)


def test_predict_in_batches_and_at_once(model, images):
    at_once = predict(model, images)
    assert at_once.shape == (4, 5)
    assert at_once.dtype == np.float32
    np.testing.assert_allclose(at_once.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(predict(model, images, batch_size=3), at_once, atol=1e-4)
    assert predict(model, images[:0]).shape == (0, 5)


def test_predict_follows_the_weights(images):
    model = build_softmax(2, COARSE)
    np.testing.assert_allclose(predict(model, images), 0.5, atol=1e-6)
    model.get_layer("genre").bias.assign([0.0, np.log(3.0)])
    np.testing.assert_allclose(predict(model, images)[:, 1], 0.75, atol=1e-6)


def test_a_network_that_has_diverged_says_so(images):
    spoilt = build_softmax(2, SoftmaxSettings(pool=64))
    spoilt.set_weights([np.full_like(weight, np.nan) for weight in spoilt.get_weights()])
    with pytest.raises(LilDataError, match="diverged"):
        predict(spoilt, images)


def test_predict_reads_a_dataset(model, tiny_dataset):
    np.testing.assert_allclose(
        predict(model, tiny_dataset, batch_size=5),
        predict(model, tiny_dataset.images()),
        atol=1e-4,
    )


def build_softmax_model():
    return build_softmax(2, COARSE)


def build_small_model():
    return build_lil_data(2, SMALL)


def grad_cam_of_noise(model, images):
    return grad_cam(model, images, labels=1)


@pytest.mark.parametrize(
    ("build", "use"),
    [
        (build_softmax_model, predict),
        (build_small_model, predict),
        (build_small_model, grad_cam_of_noise),
    ],
)
def test_a_network_that_was_asked_can_be_freed(build, use, images):
    model = build()
    use(model, images)
    use(model, images)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
