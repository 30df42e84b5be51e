import json

import numpy as np
import pytest

from lildata_utils.clips import dataset
from lildata_utils.errors import LilDataError


def test_labels_are_positions_in_the_chosen_genres(tiny_dataset):
    assert tiny_dataset.labels.tolist() == [0] * 16 + [1] * 16
    turned = tiny_dataset.select(genres=["noise", "lofi"])
    assert turned.genres == ("noise", "lofi")
    assert turned.labels.tolist() == [1] * 16 + [0] * 16


def test_select_keeps_a_split(tiny_dataset):
    test = tiny_dataset.select("test")
    assert len(test) == 4
    assert set(test.clips["split"]) == {"test"}
    assert len(tiny_dataset.select("all")) == len(tiny_dataset)


@pytest.mark.parametrize(
    ("choice", "words"),
    [({"genres": ["polka"]}, "no genre polka: it has lofi, noise"), ({"split": "gap"}, "no clips")],
)
def test_select_says_what_is_missing(tiny_dataset, choice, words):
    with pytest.raises(LilDataError, match=words):
        tiny_dataset.select(**choice)


def test_batches_without_a_seed_come_in_order(tiny_dataset):
    batches = list(tiny_dataset.batches(10))
    assert [len(images) for images, _ in batches] == [10, 10, 10, 2]
    np.testing.assert_array_equal(
        np.concatenate([images for images, _ in batches]), tiny_dataset.images()
    )
    assert np.concatenate([labels for _, labels in batches]).tolist() == [0] * 16 + [1] * 16


def test_shuffled_batches_hold_every_clip_once_with_its_label(tiny_dataset):
    images = np.concatenate([images for images, _ in tiny_dataset.batches(7, seed=(3, 1))])
    labels = np.concatenate([labels for _, labels in tiny_dataset.batches(7, seed=(3, 1))])
    sums = tiny_dataset.images().astype(int).sum(axis=(1, 2))
    assert sorted(images.astype(int).sum(axis=(1, 2))) == sorted(sums)
    # The fixture's second genre is the louder one.
    assert (images.mean(axis=(1, 2)) > 80).astype(int).tolist() == labels.tolist()
    again = np.concatenate([labels for _, labels in tiny_dataset.batches(7, seed=(3, 2))])
    assert labels.tolist() != again.tolist()


def test_a_batch_loop_that_is_left_early_ends_cleanly(tiny_dataset):
    for images, _ in tiny_dataset.batches(2):
        assert images.shape == (2, 631, 631)
        break


def test_loading_what_is_no_data_set_says_so(tmp_path):
    with pytest.raises(LilDataError, match="no finished data set"):
        dataset.load(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(LilDataError, match="can't be read as JSON"):
        dataset.load(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(LilDataError, match="version 99"):
        dataset.load(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"version": 1, "genres": ["house"]}))
    with pytest.raises(LilDataError, match=r"clips\.csv"):
        dataset.load(tmp_path)


def test_a_missing_shard_is_named(tiny_dataset):
    clips = tiny_dataset.clips.assign(shard="shards/gone.npy")
    broken = dataset.Dataset(tiny_dataset.folder, tiny_dataset.genres, clips)
    with pytest.raises(LilDataError, match=r"gone\.npy is missing"):
        broken.images([0])


def test_at_most_thins_a_split_and_leaves_the_others(tiny_dataset):
    fewer = tiny_dataset.at_most(train=6, validation=0)
    counts = fewer.clips["split"].value_counts().to_dict()
    assert counts == {"train": 6, "test": 4}
    assert list(fewer.clips["id"]) == [
        name for name in tiny_dataset.clips["id"] if name in set(fewer.clips["id"])
    ]
    fewest = tiny_dataset.at_most(train=2, validation=0, test=0)
    assert set(fewest.clips["id"]) < set(fewer.clips["id"])
    assert len(tiny_dataset.at_most(train=1000)) == len(tiny_dataset)
    other = tiny_dataset.at_most(train=6, validation=0, seed=1)
    assert set(other.clips["id"]) != set(fewer.clips["id"])


def test_at_most_leaves_something(tiny_dataset):
    with pytest.raises(LilDataError, match="no clip is left of 32"):
        tiny_dataset.at_most(train=0, validation=0, test=0)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("start_s", "nan", "line 2, start_s: expected float"),
        ("start_s", "", "line 2, start_s: expected float"),
        ("peak_db", "inf", "line 2, peak_db: expected float"),
        ("index", -1, "line 2, index: expected int >= 0"),
        ("index", 1.5, "line 2, index: expected int"),
        ("split", "exam", "line 2, split: invalid enum value 'exam'"),
        ("shard", "/etc/passwd", "line 2, shard: expected str matching"),
        ("shard", "shards/../../a.npy", "line 2, shard: expected str matching"),
        ("shard", "C:/a.npy", "line 2, shard: expected str matching"),
        ("genre", "polka", "clips of genre 'polka'; dataset.json names lofi, noise"),
    ],
)
def test_a_row_that_can_not_be_is_one_line(tiny_dataset, tmp_path, column, value, words):
    description = {"version": 1, "genres": tiny_dataset.genres}
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    table = tiny_dataset.clips.astype(object)
    table.to_csv(tmp_path / "clips.csv", index=False)
    assert dataset.load(tmp_path).clips.equals(tiny_dataset.clips)
    table.loc[0, column] = value
    table.to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(LilDataError, match=rf"clips\.csv.*{words}"):
        dataset.load(tmp_path)


@pytest.mark.parametrize("genres", ['"lofi"', "[]", '["lofi", "lofi"]', "[1]", "null"])
def test_genres_that_can_not_be_are_one_line(tmp_path, genres):
    (tmp_path / "dataset.json").write_text(f'{{"version": 1, "genres": {genres}}}')
    with pytest.raises(LilDataError, match=r"dataset\.json.*genres.*: expected"):
        dataset.load(tmp_path)
