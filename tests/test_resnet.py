"""ResNet-50 on spectrograms: what it is given, what of it learns, and with which weights."""

import warnings
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from lildata_utils.backend import keras, tf
from lildata_utils.clips import features
from lildata_utils.errors import LilDataError
from lildata_utils.learning.training import fit, load_run
from lildata_utils.networks import pretrained, resnet
from lildata_utils.networks.classifier import predict
from lildata_utils.networks.resnet import RESNET50, build_resnet50
from lildata_utils.sound.spectrogram import network_input

SMALL = {"side": 32, "learn": "head"}


def outputs_of(model, layer, images):
    return keras.Model(model.input, model.get_layer(layer).output)(network_input(images)).numpy()


def test_three_channels_are_keras_own_input(images):
    expected = keras.applications.resnet.preprocess_input(
        np.repeat(images[..., None], 3, axis=-1).astype(np.float32)
    )
    found = resnet.three_channels(tf.constant(network_input(images)))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_is_keras_own_network_with_a_new_last_layer():
    model = build_resnet50(8, side=32)
    own = keras.applications.ResNet50(include_top=False, weights=None)
    assert model.count_params() == own.count_params() + 2 * 2048 + (2048 + 1) * 8
    names = {layer.name for layer in model.layers}
    assert {layer.name for layer in own.layers[1:]} <= names


def test_one_channel_with_summed_weights_sees_the_same(images):
    three, one = (
        outputs_of(build_resnet50(3, side=64, channels=n, seed=4), "conv1_conv", images)
        for n in (3, 1)
    )
    # At the border the padding is black in three channels with means of their own.
    np.testing.assert_allclose(one[:, 2:-2, 2:-2], three[:, 2:-2, 2:-2], atol=1e-3)
    assert three.std() > 1


def test_one_channel_saves_only_weights_of_the_stem():
    three, one = (build_resnet50(3, side=32, channels=n) for n in (3, 1))
    assert three.count_params() - one.count_params() == 7 * 7 * 2 * 64


@pytest.mark.parametrize("learn", resnet.CUTS)
def test_what_learns_begins_at_the_stage_that_was_asked_for(learn):
    model = build_resnet50(3, side=32, learn=learn)
    learning = [w.path for w in model.trainable_weights]
    frozen = [w.path for w in model.weights if w.path not in learning and "moving" not in w.path]
    first = {"all": "conv1", "head": "standardised"}.get(learn, learn)
    assert learning[0].startswith(first)
    assert not [path for path in frozen if path.startswith(first)]
    assert learning[-1] == "genre/bias"


def test_random_weights_depend_on_the_seed_only(images):
    found = [outputs_of(build_resnet50(3, side=32, seed=s), "pool", images) for s in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_the_momentum_reaches_every_normalisation():
    model = build_resnet50(3, side=32, momentum=0.8)
    of_normalisations = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert [layer.momentum for layer in of_normalisations] == [0.8] * 53


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_genres": 1}, "at least 2 genres, got 1"),
        ({"side": 31}, "side must be from 32 to 631 pixels, got 31"),
        ({"channels": 2}, "3 equal channels or 1, got 2"),
        ({"learn": "conv9"}, "one of all, conv2, conv3, conv4, conv5, head, got 'conv9'"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
        ({"weights": "nowhere.h5"}, "nowhere.h5 is missing: expected ResNet-50's weights"),
    ],
)
def test_impossible_options_are_refused(options, told):
    with pytest.raises(LilDataError, match=told):
        build_resnet50(**{"n_genres": 3} | options)


@pytest.mark.slow
def test_weights_from_a_file_are_taken_and_named(tmp_path, tiny_dataset):
    base = keras.applications.ResNet50(include_top=False, weights=None)
    pretrained.load_weights(base, "random", seed=9)
    path = tmp_path / "resnet.weights.h5"
    base.save_weights(path)
    assert resnet.choose_weights(str(path)) == str(path)
    for channels in (3, 1):
        model = build_resnet50(3, side=32, channels=channels, weights=str(path))
        for name in ("conv2_block1_1_conv", "conv5_block3_3_conv"):
            expected = base.get_layer(name).get_weights()
            for found, value in zip(model.get_layer(name).get_weights(), expected, strict=True):
                np.testing.assert_array_equal(found, value)
    stem = base.get_layer("conv1_conv").kernel.numpy()
    np.testing.assert_allclose(
        model.get_layer("conv1_conv").kernel, stem.sum(2, keepdims=True), atol=1e-6
    )
    list(fit(tmp_path / "run", RESNET50, tiny_dataset, 1, options=SMALL | {"weights": str(path)}))
    assert load_run(tmp_path / "run").settings["weights"] == str(path)


def test_without_imagenet_the_choice_is_random_and_says_so(monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setitem(pretrained.MAKERS, "resnet50", no_network)
    with pytest.warns(UserWarning, match="ResNet-50 gets random weights"):
        assert resnet.choose_weights(None) == "random"
    assert resnet.choose_weights("random") == "random"


def test_imagenet_is_chosen_where_it_can_be_had(monkeypatch):
    real = keras.applications.ResNet50
    monkeypatch.setitem(
        pretrained.MAKERS, "resnet50", lambda **options: real(include_top=False, weights=None)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resnet.choose_weights(None) == "imagenet"


# --- training ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_frozen_layers_stay_and_the_last_one_learns(tiny_dataset, tmp_path):
    steps = list(fit(tmp_path, RESNET50, tiny_dataset, 6, batch_size=8, options=SMALL))
    assert [(s.epoch, s.step, s.steps) for s in steps[:2]] == [(0, 2, 2), (1, 1, 3)]
    run = load_run(tmp_path)
    first = build_resnet50(2, **SMALL)
    frozen, learning = features.split(run.model)
    assert [w.path for w in learning.weights] == [
        "standardised/gamma",
        "standardised/beta",
        "genre/kernel",
        "genre/bias",
    ]
    for weight, value in zip(frozen.weights, features.split(first)[0].weights, strict=True):
        np.testing.assert_array_equal(weight, value)
    test = tiny_dataset.select("test")
    assert (predict(run.model, test).argmax(1) == test.labels).all()


@pytest.mark.slow
def test_features_are_computed_once(tiny_dataset, tmp_path):
    list(fit(tmp_path / "first", RESNET50, tiny_dataset, 1, options=SMALL))
    files = sorted((tiny_dataset.folder / features.FOLDER).rglob("*.npy"))
    times = [path.stat().st_mtime_ns for path in files]
    list(fit(tmp_path / "second", RESNET50, tiny_dataset, 1, options=SMALL))
    again = sorted((tiny_dataset.folder / features.FOLDER).rglob("*.npy"))
    assert again == files
    assert [path.stat().st_mtime_ns for path in again] == times
    list(fit(tmp_path / "third", RESNET50, tiny_dataset, 1, options=SMALL, seed=1))
    assert len(list((tiny_dataset.folder / features.FOLDER).rglob("*.npy"))) == len(files) + 2


@pytest.mark.slow
def test_stopped_and_continued_is_undisturbed(tiny_dataset, tmp_path):
    def steps(folder):
        return fit(tmp_path / folder, RESNET50, tiny_dataset, 2, batch_size=8, options=SMALL)

    list(steps("undisturbed"))
    stopped = steps("stopped")
    list(islice(stopped, 7))
    stopped.close()
    list(steps("stopped"))
    runs = [load_run(tmp_path / folder) for folder in ("undisturbed", "stopped")]
    pd.testing.assert_frame_equal(*(run.history.drop(columns="seconds") for run in runs))
    for a, b in zip(*(run.model.weights for run in runs), strict=True):
        np.testing.assert_array_equal(a, b)
