"""ResNet-50 on spectrograms: what it is given, what of it learns, and with which weights."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from thin import thin_resnet50
from trainings import assert_same_run

from lildata_utils.backend import keras, tf
from lildata_utils.clips.encoded import FOLDER
from lildata_utils.errors import LilDataError
from lildata_utils.genre.predict import predict
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import RESNET50
from lildata_utils.learning.runs import describe, load_run
from lildata_utils.learning.settings import Training
from lildata_utils.networks import pretrained
from lildata_utils.networks.frozen import split
from lildata_utils.networks.inputs import three_channels
from lildata_utils.networks.resnet import CUTS, build_resnet50, choose_weights
from lildata_utils.networks.settings import LEARN, ResNet50Settings
from lildata_utils.sound.spectrogram import network_input

SMALL = ResNet50Settings(side=32, learn="head")
TRAINING = Training(3, batch_size=8, learning_rate=1e-2)


@pytest.fixture
def thin(monkeypatch):
    thin_resnet50(monkeypatch)


def build(seed=0, **settings):
    return build_resnet50(3, ResNet50Settings(**{"side": 32, **settings}), seed)


def outputs_of(model, layer, images):
    return keras.Model(model.input, model.get_layer(layer).output)(network_input(images)).numpy()


def test_three_channels_are_keras_own_input(images):
    expected = keras.applications.resnet.preprocess_input(
        np.repeat(images[..., None], 3, axis=-1).astype(np.float32)
    )
    found = three_channels(tf.constant(network_input(images)))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_is_keras_own_network_with_a_new_last_layer():
    model = build_resnet50(8, ResNet50Settings(side=32))
    own = keras.applications.ResNet50(include_top=False, weights=None)
    assert model.count_params() == own.count_params() + 2 * 2048 + (2048 + 1) * 8
    names = {layer.name for layer in model.layers}
    assert {layer.name for layer in own.layers[1:]} <= names


def test_one_channel_with_summed_weights_sees_the_same(thin, images):
    three, one = (build(seed=4, side=64, channels=n) for n in (3, 1))
    assert three.count_params() - one.count_params() == 7 * 7 * 2 * 64
    three, one = (outputs_of(model, "conv1_conv", images) for model in (three, one))
    # At the border the padding is black in three channels with means of their own.
    np.testing.assert_allclose(one[:, 2:-2, 2:-2], three[:, 2:-2, 2:-2], atol=1e-3)
    assert three.std() > 1


def test_there_is_a_cut_for_all_that_can_be_asked_for():
    assert tuple(CUTS) == LEARN


@pytest.mark.parametrize("learn", LEARN)
def test_what_learns_begins_at_the_stage_that_was_asked_for(thin, learn):
    model = build(learn=learn)
    learning = [w.path for w in model.trainable_weights]
    frozen = [w.path for w in model.weights if w.path not in learning and "moving" not in w.path]
    first = {"all": "conv1", "head": "standardised"}.get(learn, learn)
    assert learning[0].startswith(first)
    assert not [path for path in frozen if path.startswith(first)]
    assert learning[-1] == "genre/bias"


def test_random_weights_depend_on_the_seed_only(thin, images):
    found = [outputs_of(build(seed), "pool", images) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_the_momentum_reaches_every_normalisation(thin):
    model = build(momentum=0.8)
    of_normalisations = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert [layer.momentum for layer in of_normalisations] == [0.8] * 53


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"side": 31}, "side must be from 32 to 631, got 31"),
        ({"channels": 2}, "channels must be one of 1, 3, got 2"),
        (
            {"learn": "conv9"},
            "learn must be one of all, conv2, conv3, conv4, conv5, head, got 'conv9'",
        ),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
    ],
)
def test_impossible_settings_are_refused(settings, told):
    with pytest.raises(LilDataError, match=told):
        ResNet50Settings(**settings)


def test_what_can_not_be_built_is_refused(thin):
    with pytest.raises(LilDataError, match="at least 2 genres, got 1"):
        build_resnet50(1)
    with pytest.raises(LilDataError, match=r"nowhere\.h5 is missing: expected ResNet-50's weights"):
        build(weights="nowhere.h5")


def test_without_imagenet_the_choice_is_random_and_says_so(thin, monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setitem(pretrained.MAKERS, "resnet50", no_network)
    with pytest.warns(UserWarning, match="ResNet-50 gets random weights"):
        assert choose_weights(None) == "random"
    assert choose_weights("random") == "random"


def test_imagenet_is_chosen_where_it_can_be_had(thin, monkeypatch):
    real = keras.applications.ResNet50
    monkeypatch.setitem(
        pretrained.MAKERS, "resnet50", lambda **options: real(include_top=False, weights=None)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_weights(None) == "imagenet"


# --- training ----------------------------------------------------------------------------------


def files_in(clips):
    return {p: p.stat().st_mtime_ns for p in (clips.folder / FOLDER).rglob("*.npy")}


@pytest.fixture(scope="module")
def trained(tiny_dataset, tmp_path_factory):
    """Three epochs of the last layer alone, and the run as it was after the first."""
    folder = tmp_path_factory.mktemp("resnet")
    with pytest.MonkeyPatch.context() as patch:
        thin_resnet50(patch)
        (folder / "shards").symlink_to(tiny_dataset.folder / "shards")
        clips = replace(tiny_dataset, folder=folder)
        steps = []
        for step in fit(folder / "run", RESNET50, clips, TRAINING, SMALL):
            steps.append(step)
            if step.history is not None and step.epoch == 1:
                shutil.copytree(folder / "run", folder / "after one")
    return clips, steps


@pytest.mark.slow
def test_frozen_layers_stay_and_the_last_one_learns(thin, trained):
    clips, steps = trained
    assert [(s.epoch, s.step, s.steps) for s in steps[:2]] == [(0, 2, 2), (1, 1, 3)]
    run = load_run(clips.folder / "run")
    frozen, learning = split(run.model)
    assert [w.path for w in learning.weights] == [
        "standardised/gamma",
        "standardised/beta",
        "genre/kernel",
        "genre/bias",
    ]
    first = split(build_resnet50(2, SMALL))[0]
    for weight, value in zip(frozen.weights, first.weights, strict=True):
        np.testing.assert_array_equal(weight, value)
    test = clips.select("test")
    assert (predict(run.model, test).argmax(1) == test.labels).all()


@pytest.mark.slow
def test_stopped_and_continued_is_undisturbed(thin, trained):
    clips, _ = trained
    before = files_in(clips)
    steps = list(fit(clips.folder / "after one", RESNET50, clips, TRAINING, SMALL))
    assert [s.epoch for s in steps if s.history is not None] == [2, 3]
    assert_same_run(clips.folder / "after one", clips.folder / "run")
    # What the frozen layers make of the clips was computed once.
    assert files_in(clips) == before
    assert len(before) == 2


@pytest.mark.slow
def test_weights_from_a_file_are_taken_and_named(thin, tmp_path, tiny_dataset):
    base = keras.applications.ResNet50(include_top=False, weights=None)
    pretrained.load_weights(base, "random", seed=9)
    path = tmp_path / "resnet.weights.h5"
    base.save_weights(path)
    assert choose_weights(str(path)) == str(path)
    for channels in (3, 1):
        model = build(channels=channels, weights=str(path))
        for name in ("conv2_block1_1_conv", "conv5_block3_3_conv"):
            expected = base.get_layer(name).get_weights()
            for found, value in zip(model.get_layer(name).get_weights(), expected, strict=True):
                np.testing.assert_array_equal(found, value)
    stem = base.get_layer("conv1_conv").kernel.numpy()
    np.testing.assert_allclose(
        model.get_layer("conv1_conv").kernel, stem.sum(2, keepdims=True), atol=1e-6
    )
    settings = replace(SMALL, weights=str(path))
    about = describe(RESNET50, settings, tiny_dataset, Training())
    assert about["settings"]["weights"] == str(path)
