"""Data sets for tests of what is said about clips: a table, and pictures where they are needed."""

from pathlib import Path

import pandas as pd

from lildata_utils.clips.dataset import COLUMNS, Dataset

GENRES = ("house", "lofi", "noise")


def make_dataset(folder: Path, labels, tracks, genres=GENRES, split="test") -> Dataset:
    rows = [
        (f"c{i}", genres[label], f"artist {track}", "song", 5.0 * i, -6.0, split, "none.npy", i)
        for i, (label, track) in enumerate(zip(labels, tracks, strict=True))
    ]
    return Dataset(folder, genres, pd.DataFrame(rows, columns=list(COLUMNS)))
