"""What several tests share."""

import json
import signal
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from browsing import browser, tab  # noqa: F401

from lildata_utils.clips.dataset import Dataset

# Started in the background, we may be deaf to Ctrl-C, and so would be all that tests start.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def images():
    """Pictures of blocks: noise would leave the deeper layers with the same mean everywhere."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (4, 32, 32), dtype=np.uint8)
    return np.kron(coarse, np.ones((1, 20, 20), np.uint8))[:, :631, :631]


@pytest.fixture(scope="session")
def strips():
    """Three pictures of noise, 20 frames long."""
    return np.random.default_rng(1).integers(0, 256, (3, 631, 20), dtype=np.uint8)


@pytest.fixture(scope="session")
def frames(strips):
    """The strips as frames in [0, 1], shape (3, 20, 631)."""
    return strips.swapaxes(1, 2).astype(np.float32) / 255


@pytest.fixture(scope="module")
def model():
    """A small Lil Data for five genres in which every weight matters to the answer."""
    from lildata_utils.networks.lil_data import FEATURE_FACTOR, build_lil_data
    from lildata_utils.networks.settings import LilDataSettings

    made = build_lil_data(5, LilDataSettings(filters=(4, 6, 8, 8)))
    rng = np.random.default_rng(1)
    for weight in made.weights:
        if weight.path.endswith("bias"):  # Keras starts at 0, where order could not matter.
            weight.assign(rng.normal(scale=20, size=weight.shape))
    dense = made.get_layer("dense")
    dense.bias.assign(dense.bias * FEATURE_FACTOR)
    head = made.get_layer("genre")  # starts at 0, where nothing below it could matter
    head.kernel.assign(rng.normal(scale=0.4, size=head.kernel.shape))
    head.bias.assign(head.bias / 100)
    return made


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory):
    """Two genres that differ in level: 10 clips to train, 4 to validate and 2 to test each."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "shards").mkdir()
    rng = np.random.default_rng(0)
    splits = ["train"] * 10 + ["validation"] * 4 + ["test"] * 2
    rows = []
    for genre, loudest in (("lofi", 100), ("noise", 256)):
        shard = f"shards/{genre}.npy"
        np.save(folder / shard, rng.integers(0, loudest, (16, 631, 631), dtype=np.uint8))
        rows += [
            {
                "id": f"{genre}-{index}",
                "genre": genre,
                "artist": "",
                "track": f"{genre} {split}",
                "start_s": 5.0 * index,
                "peak_db": -6.0,
                "split": split,
                "shard": shard,
                "index": index,
            }
            for index, split in enumerate(splits)
        ]
    return Dataset(folder, ("lofi", "noise"), pd.DataFrame(rows))


@pytest.fixture
def own_dataset(tiny_dataset, tmp_path_factory):
    """The tiny data set in a folder of its own, as `lildata prepare` would leave it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "shards").symlink_to(tiny_dataset.folder / "shards")
    tiny_dataset.clips.to_csv(folder / "clips.csv", index=False)
    (folder / "dataset.json").write_text(json.dumps({"version": 1, "genres": tiny_dataset.genres}))
    return replace(tiny_dataset, folder=folder)
