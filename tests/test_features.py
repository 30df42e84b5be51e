"""Outputs of frozen layers: the cut, the files, and what is read back."""

from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.backend import keras
from lildata_utils.clips import features
from lildata_utils.errors import LilDataError
from lildata_utils.learning.training import tensor_input
from lildata_utils.networks.classifier import build_lil_data
from lildata_utils.sound.spectrogram import network_input


@pytest.fixture
def model():
    made = build_lil_data(2, (2, 3, 4, 4), side=63)
    for layer in made.layers:
        layer.trainable = layer.name in ("conv3", "pool3", "dense", "genre")
    return made


@pytest.fixture
def clips(tiny_dataset, tmp_path):
    """The tiny data set in a folder of its own."""
    (tmp_path / "shards").symlink_to(tiny_dataset.folder / "shards")
    return replace(tiny_dataset, folder=tmp_path)


def extracted(frozen, clips):
    *_, progress = features.extract(frozen, frozen, tensor_input, clips)
    return progress


def test_the_two_parts_are_the_network(model, clips):
    frozen, learning = features.split(model)
    assert frozen.layers[-1].name == "pool2"
    assert learning.layers[1].name == "conv3"
    pictures = network_input(clips.images([0, 20]))
    np.testing.assert_allclose(learning(frozen(pictures)), model(pictures), atol=1e-6)
    assert {id(w) for w in frozen.weights} | {id(w) for w in learning.weights} == {
        id(w) for w in model.weights
    }


def test_a_network_that_learns_from_the_start_is_not_cut():
    model = build_lil_data(2, (2,), side=63)
    assert features.split(model) == (None, model)


def test_features_are_the_frozen_layers_outputs(model, clips):
    frozen, _ = features.split(model)
    progress = extracted(frozen, clips)
    assert (progress.done, progress.shards) == (2, 2)
    for part in (clips, clips.select("test", ("noise",))):
        read = features.of(part, progress.files)
        np.testing.assert_array_equal(read.labels, part.labels)
        expected = frozen(network_input(part.images()))
        np.testing.assert_allclose(read.images(), expected, atol=1e-3)
        pairs = zip(read.batches(5, seed=3), part.batches(5, seed=3), strict=True)
        for (found, labels), (pictures, same) in pairs:
            np.testing.assert_array_equal(labels, same)
            np.testing.assert_allclose(found, frozen(network_input(pictures)), atol=1e-3)


def test_other_weights_and_other_pictures_are_other_files(model, clips, tiny_dataset):
    frozen, _ = features.split(model)
    first = extracted(frozen, clips).files
    frozen.layers[-1].trainable = False
    kernel = model.get_layer("conv1").kernel
    kernel.assign(kernel * 2)
    second = extracted(frozen, clips).files
    assert not set(first.values()) & set(second.values())
    (clips.folder / "shards").unlink()
    (clips.folder / "shards").mkdir()
    for shard in first:
        pictures = np.load(tiny_dataset.folder / shard)
        np.save(clips.folder / shard, 255 - pictures)
    third = extracted(frozen, clips).files
    assert not set(second.values()) & set(third.values())


def test_a_stopped_extraction_goes_on(model, clips, monkeypatch):
    monkeypatch.setattr(features, "BATCH_SIZE", 16)  # of two shards, each its own batch
    frozen, _ = features.split(model)
    steps = features.extract(frozen, frozen, tensor_input, clips)
    done = next(steps)
    assert done.done == 1
    steps.close()
    [path] = done.files.values()
    before = path.stat().st_mtime_ns
    assert extracted(frozen, clips).done == 2
    assert path.stat().st_mtime_ns == before


def test_a_missing_shard_is_one_line(model, clips):
    (clips.folder / "shards").unlink()
    frozen, _ = features.split(model)
    with pytest.raises(LilDataError, match=r"lofi.npy can't be read .*prepare"):
        extracted(frozen, clips)


def test_a_layer_that_does_not_learn_behind_one_that_does_is_no_cut():
    model = build_lil_data(2, (2, 3), side=63)
    model.get_layer("conv2").trainable = False
    frozen, learning = features.split(model)
    assert frozen is None
    assert isinstance(learning, keras.Model)
