"""What an encoder made of a data set: the files, and what is read back."""

import numpy as np
import pytest

from lildata_utils.clips import encoded as encoding
from lildata_utils.clips.encoded import encode, encoded
from lildata_utils.errors import LilDataError


def means(images):
    """An encoder: the mean of every frame."""
    return images.mean(axis=1, dtype=np.float32)


def done(clips, encoder=means, name="means"):
    *_, progress = encode(clips, encoder, name)
    return progress


def test_what_is_read_is_what_the_encoder_made(own_dataset):
    clips = own_dataset
    progress = done(clips)
    assert (progress.done, progress.shards) == (2, 2)
    for part in (clips, clips.select("test", ("noise",))):
        read = encoded(part, progress.files)
        np.testing.assert_array_equal(read.labels, part.labels)
        np.testing.assert_array_equal(read.images(), means(part.images()))
        pairs = zip(read.batches(5, seed=3), part.batches(5, seed=3), strict=True)
        for (found, labels), (pictures, same) in pairs:
            np.testing.assert_array_equal(labels, same)
            np.testing.assert_array_equal(found, means(pictures))


def test_other_encoders_and_other_pictures_are_other_files(own_dataset, tiny_dataset):
    clips = own_dataset
    first = done(clips).files
    second = done(clips, name="other means").files
    assert not set(first.values()) & set(second.values())
    (clips.folder / "shards").unlink()
    (clips.folder / "shards").mkdir()
    for shard in first:
        pictures = np.load(tiny_dataset.folder / shard)
        np.save(clips.folder / shard, 255 - pictures)
    third = done(clips, name="other means").files
    assert not set(second.values()) & set(third.values())


def test_a_stopped_encoding_goes_on(own_dataset, monkeypatch):
    monkeypatch.setattr(encoding, "BATCH_SIZE", 16)  # of two shards, each its own batch
    steps = encode(own_dataset, means, "means")
    first = next(steps)
    assert first.done == 1
    steps.close()
    [path] = first.files.values()
    before = path.stat().st_mtime_ns
    assert done(own_dataset).done == 2
    assert path.stat().st_mtime_ns == before


def test_the_encoder_gets_a_batch_at_most(own_dataset):
    sizes = []

    def told(images):
        sizes.append(len(images))
        return means(images)

    done(own_dataset, told)
    assert sum(sizes) == len(own_dataset)
    assert max(sizes) <= encoding.BATCH_SIZE


def test_a_missing_shard_is_one_line(own_dataset):
    (own_dataset.folder / "shards").unlink()
    with pytest.raises(LilDataError, match=r"lofi.npy can't be read .*prepare"):
        done(own_dataset)
