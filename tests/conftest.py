"""What several tests share."""

import numpy as np
import pandas as pd
import pytest
from browsing import browser, tab  # noqa: F401

from lildata_utils.dataset import Dataset


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
