"""Weights of Keras' own networks: from files, whole and broken; ImageNet's and random ones."""

import warnings

import numpy as np
import pytest
from thin import thin_resnet50

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.networks import pretrained
from lildata_utils.networks.settings import SoftmaxSettings
from lildata_utils.networks.softmax import build_softmax

FILES = ("no_top.h5", "top.h5", "no_top.weights.h5", "top.weights.h5")
LAST = {"vgg19": "block5_conv1", "resnet50": "conv5_block3_3_conv"}


@pytest.fixture(scope="module", autouse=True)
def thin():
    """ResNet-50 with fewer channels, VGG-19 as it is."""
    with pytest.MonkeyPatch.context() as patch:
        thin_resnet50(patch)
        yield


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


@pytest.fixture(scope="module")
def blank(saved):
    """The same network, into which every test loads what it wants."""
    return build(saved[0].name)


@pytest.mark.parametrize("number", range(4))
def test_a_file_of_keras_own_loads(saved, blank, number):
    (model, files), loaded = saved, blank
    assert not np.array_equal(last_kernel(loaded), last_kernel(model))
    words = pretrained.load_weights(loaded, files[number])
    assert words == f"file {files[number].name}"
    for found, expected in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    pretrained.load_weights(loaded, "random")


@pytest.mark.parametrize("number", [1, 3])
def test_a_truncated_file_is_one_line(saved, blank, tmp_path, number):
    model, files = saved
    part = tmp_path / files[number].name
    whole = files[number].read_bytes()
    part.write_bytes(whole[: len(whole) // 3])
    name = pretrained.NAMES[model.name]
    with pytest.raises(LilDataError, match=f"can't be read as {name}'s weights") as caught:
        pretrained.load_weights(blank, part)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Files that hold something else."""
    folder = tmp_path_factory.mktemp("others")
    models = {
        "softmax": build_softmax(2, SoftmaxSettings(pool=63)),
        "vgg16": keras.applications.VGG16(include_top=False, weights=None),
    }
    for name, model in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
    (folder / "text.h5").write_text("no weights")
    return [*sorted(folder.iterdir()), folder / "missing.h5"]


@pytest.mark.parametrize("name", LAST)
def test_files_of_something_else_are_refused(others, name):
    model = build(name)
    for path in others:
        with pytest.raises(LilDataError, match="expected") as caught:
            pretrained.load_weights(model, path)
        assert path.name in str(caught.value)
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
    kernels, model = [], build("resnet50")
    for seed in (1, 1, 2):
        pretrained.load_weights(model, "random", seed)
        kernels.append(last_kernel(model))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])


def test_unknown_weights_are_refused():
    with pytest.raises(LilDataError, match="'imagenette' are unknown"):
        pretrained.load_weights(build("vgg19"), "imagenette")
