"""Weights of Keras' own networks: from files, whole and broken; ImageNet's and random ones."""

import warnings

import numpy as np
import pytest

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.networks import pretrained
from lildata_utils.networks.classifier import build_softmax

FILES = ("no_top.h5", "top.h5", "no_top.weights.h5", "top.weights.h5")
LAST = {"vgg19": "block5_conv1", "resnet50": "conv5_block3_3_conv"}


def build(name):
    return pretrained.MAKERS[name](include_top=False, weights=None)


def last_kernel(model):
    return model.get_layer(LAST[model.name]).kernel.numpy()


@pytest.fixture(scope="module", params=LAST)
def saved(request, tmp_path_factory):
    """A random network as Keras saves it: in two formats, with and without a dense layer."""
    folder = tmp_path_factory.mktemp(request.param)
    model = build(request.param)
    pretrained.load_weights(model, "random", seed=7)
    pooled = keras.layers.GlobalAveragePooling2D()(model.output)
    with_top = keras.Model(model.inputs, keras.layers.Dense(3, name="predictions")(pooled))
    files = [folder / name for name in FILES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(files[0])
        with_top.save(files[1])
    model.save_weights(files[2])
    with_top.save_weights(files[3])
    return model, files


@pytest.mark.parametrize("number", range(4))
def test_a_file_of_keras_own_loads(saved, number):
    model, files = saved
    loaded = build(model.name)
    words = pretrained.load_weights(loaded, files[number])
    assert words == f"file {files[number].name}"
    for found, expected in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("number", [1, 3])
def test_a_truncated_file_is_one_line(saved, tmp_path, number):
    model, files = saved
    part = tmp_path / files[number].name
    part.write_bytes(files[number].read_bytes()[:1_000_000])
    name = pretrained.NAMES[model.name]
    with pytest.raises(LilDataError, match=f"can't be read as {name}'s weights") as caught:
        pretrained.load_weights(build(model.name), part)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LAST)
def test_files_of_something_else_are_refused(tmp_path, name):
    others = {
        "softmax": build_softmax(2, pool=63),
        "vgg16": keras.applications.VGG16(include_top=False, weights=None),
    }
    for other_name, other in others.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other.save(tmp_path / f"{other_name}.h5")
        other.save_weights(tmp_path / f"{other_name}.weights.h5")
    (tmp_path / "text.h5").write_text("no weights")
    files = [f"{other}{ending}" for other in others for ending in (".h5", ".weights.h5")]
    for file in (*files, "text.h5", "missing.h5"):
        with pytest.raises(LilDataError, match="expected") as caught:
            pretrained.load_weights(build(name), tmp_path / file)
        assert file in str(caught.value)
        assert "\n" not in str(caught.value)


def no_network(**options):
    raise Exception("URL fetch failure\non two lines")


def test_without_imagenet_weights_they_are_random_and_a_warning_says_so(monkeypatch):
    model = build("resnet50")
    monkeypatch.setitem(pretrained.MAKERS, "resnet50", no_network)
    with pytest.warns(UserWarning, match="ResNet-50 gets random weights") as caught:
        words = pretrained.load_weights(model, seed=3)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert words == "random (seed 3)"
    with pytest.raises(LilDataError, match="give a file, or ask for 'random'"):
        pretrained.load_weights(model, "imagenet")


def test_imagenet_weights_are_taken_and_named(monkeypatch):
    learned = build("vgg19")
    monkeypatch.setitem(pretrained.MAKERS, "vgg19", lambda **options: learned)
    model = keras.applications.VGG19(include_top=False, weights=None)
    assert pretrained.load_weights(model) == "ImageNet"
    np.testing.assert_array_equal(last_kernel(model), last_kernel(learned))


def test_random_weights_depend_on_the_seed_only():
    kernels = []
    for seed in (1, 1, 2):
        model = build("resnet50")
        pretrained.load_weights(model, "random", seed)
        kernels.append(last_kernel(model))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])


def test_unknown_weights_are_refused():
    with pytest.raises(LilDataError, match="'imagenette' are unknown"):
        pretrained.load_weights(build("vgg19"), "imagenette")
