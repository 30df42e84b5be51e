"""The baseline of the field tells bright noise from dark."""

from pathlib import Path

import numpy as np
import pytest
from clip_tables import make_dataset

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.genre.baselines import mfcc_baseline
from lildata_utils.genre.evaluation import evaluate
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES


def coloured_noise_dataset(folder: Path, seed: int, split: str) -> Dataset:
    """Two genres that differ in the slope of their spectrum, four clips each."""
    rng = np.random.default_rng(seed)
    slopes_db = np.repeat([10.0, 60.0], 4)
    level_db = -slopes_db[:, None, None] * np.linspace(0, 1, N_BINS)[:, None]
    level_db = level_db - 20 + rng.normal(0, 5, (8, N_BINS, N_FRAMES))
    images = np.round(np.clip(level_db / 80 + 1, 0, 1) * 255).astype(np.uint8)
    folder.mkdir(exist_ok=True)
    np.save(folder / "none.npy", images)
    return make_dataset(folder, [0] * 4 + [1] * 4, range(8), ("bright", "dark"), split)


def test_mfcc_baseline_tells_bright_from_dark(tmp_path):
    train = coloured_noise_dataset(tmp_path / "train", 0, "train")
    test = coloured_noise_dataset(tmp_path / "test", 1, "test")
    probabilities = mfcc_baseline(train, test)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert evaluate(probabilities, test).accuracy == 1.0


def test_mfcc_baseline_needs_clips_of_every_genre(tmp_path):
    train = coloured_noise_dataset(tmp_path / "train", 0, "train")
    only_dark = Dataset(train.folder, train.genres, train.clips[train.clips["genre"] == "dark"])
    with pytest.raises(LilDataError, match="no training clips of bright"):
        mfcc_baseline(only_dark, train)
