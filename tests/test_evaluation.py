import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from lildata_utils.clips.dataset import COLUMNS, Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.genre import evaluation
from lildata_utils.show import learning_figures
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

GENRES = ("house", "lofi", "noise")


def make_dataset(folder: Path, labels, tracks, genres=GENRES, split="test") -> Dataset:
    rows = [
        (f"c{i}", genres[label], f"artist {track}", "song", 5.0 * i, -6.0, split, "none.npy", i)
        for i, (label, track) in enumerate(zip(labels, tracks, strict=True))
    ]
    return Dataset(folder, genres, pd.DataFrame(rows, columns=list(COLUMNS)))


def certain(predicted, sure=0.8, genres=3) -> np.ndarray:
    probabilities = np.full((len(predicted), genres), (1 - sure) / (genres - 1))
    probabilities[np.arange(len(predicted)), predicted] = sure
    return probabilities


def test_report_of_a_case_worked_out_by_hand(tmp_path):
    #               house     lofi       noise
    labels = [0, 0, 0, 0, 1, 1, 1, 2]
    tracks = [0, 0, 0, 1, 2, 2, 2, 3]
    answers = [0, 0, 1, 1, 1, 1, 0, 2]
    report = evaluation.evaluate(certain(answers), make_dataset(tmp_path, labels, tracks))

    assert report.accuracy == 5 / 8
    # By vote: track 0 house (right), 1 lofi (wrong), 2 lofi (right), 3 noise (right).
    assert report.track_accuracy == 3 / 4
    assert report.confusion == [[2, 2, 0], [1, 2, 0], [0, 0, 1]]
    house = report.per_genre["house"]
    assert house["precision"] == pytest.approx(2 / 3)
    assert house["recall"] == pytest.approx(2 / 4)
    assert house["f1"] == pytest.approx(4 / 7)
    assert (house["clips"], house["tracks"]) == (4, 2)
    assert report.macro_f1 == pytest.approx((4 / 7 + 4 / 7 + 1) / 3)
    assert report.loss == pytest.approx(-(5 * np.log(0.8) + 3 * np.log(0.1)) / 8)
    assert report.majority_accuracy == 1 / 2
    assert (report.clips, report.tracks, report.split) == (8, 4, "test")


def test_genre_without_clips_does_not_pull_macro_f1_down(tmp_path):
    report = evaluation.evaluate(certain([0, 1]), make_dataset(tmp_path, [0, 1], [0, 1]))
    assert report.macro_f1 == 1.0
    assert report.per_genre["noise"]["clips"] == 0


def test_tracks_with_one_title_by_two_artists_are_two(tmp_path):
    dataset = make_dataset(tmp_path, [0, 0, 0], [7, 9, 7])
    assert evaluation.track_numbers(dataset).tolist() == [0, 1, 0]


def test_one_clip_a_track_gives_the_binomial_interval():
    n, share = 200, 0.7
    right = np.arange(n) < n * share
    low, high = evaluation.bootstrap_interval(right, np.arange(n))
    # Drawing single clips with replacement is drawing from a binomial distribution.
    assert low == pytest.approx(binom.ppf(0.025, n, share) / n, abs=0.006)
    assert high == pytest.approx(binom.ppf(0.975, n, share) / n, abs=0.006)


def test_identical_clips_of_a_track_add_no_certainty():
    rng = np.random.default_rng(1)
    track_right = rng.random(40) < 0.6
    tracks = np.repeat(np.arange(40), 25)
    of_clips = evaluation.bootstrap_interval(track_right[tracks], tracks)
    of_tracks = evaluation.bootstrap_interval(track_right, np.arange(40))
    assert of_clips == pytest.approx(of_tracks)
    naive = evaluation.bootstrap_interval(track_right[tracks], np.arange(1000))
    assert (of_clips[1] - of_clips[0]) / (naive[1] - naive[0]) == pytest.approx(5, rel=0.15)


def test_interval_is_seeded_and_needs_two_tracks():
    right, tracks = np.arange(30) % 3 > 0, np.arange(30) // 2
    first = evaluation.bootstrap_interval(right, tracks, seed=3)
    assert first == evaluation.bootstrap_interval(right, tracks, seed=3)
    assert evaluation.bootstrap_interval(right, np.zeros(30, int)) is None


def test_one_certain_clip_does_not_overrule_its_track():
    # A product of probabilities would follow the single clip that calls genre 0 impossible.
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [1e-12, 1.0]])
    assert evaluation.vote(probabilities, np.zeros(4, int)).argmax() == 0


def test_mistakes_come_worst_first(tmp_path):
    dataset = make_dataset(tmp_path, [0, 0, 1, 2], [0, 1, 2, 3])
    probabilities = np.array([[0.9, 0.1, 0], [0.3, 0.7, 0], [0.85, 0.15, 0], [0, 0.1, 0.9]])
    table = evaluation.mistakes(probabilities, dataset)
    assert table["id"].tolist() == ["c2", "c1"]
    assert table["predicted"].tolist() == ["house", "lofi"]
    assert table["probability"].tolist() == [0.85, 0.7]
    assert table["position"].tolist() == [2, 1]


def test_most_confused_pairs_count_both_directions(tmp_path):
    labels = [0, 1, 1, 2, 2, 2]
    report = evaluation.evaluate(
        certain([1, 0, 2, 1, 2, 2]), make_dataset(tmp_path, labels, range(6))
    )
    assert set(evaluation.most_confused_pairs(report)) == {
        ("house", "lofi", 2),
        ("lofi", "noise", 2),
    }


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [(np.zeros((2, 2)), "shape"), (np.full((3, 3), np.nan), "NaN")],
)
def test_unfit_probabilities_are_refused_in_words(tmp_path, probabilities, words):
    with pytest.raises(LilDataError, match=words):
        evaluation.evaluate(probabilities, make_dataset(tmp_path, [0, 1, 2], [0, 1, 2]))


def test_report_files(tmp_path):
    dataset = make_dataset(tmp_path, [0, 1, 1, 2], [0, 1, 2, 3])
    probabilities = certain([0, 1, 0, 2])
    report = evaluation.evaluate(probabilities, dataset)
    evaluation.write_report(
        tmp_path / "out",
        report,
        evaluation.mistakes(probabilities, dataset),
        learning_figures.confusion(report.confusion, report.genres),
        run="runs/a",
    )
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    assert written["accuracy"] == 0.75
    assert written["genres"] == list(GENRES)
    assert written["run"] == "runs/a"
    assert len(written["interval95"]) == len(written["track_interval95"]) == 2
    rows = list(csv.DictReader((tmp_path / "out" / "mistakes.csv").open()))
    assert [(row["id"], row["genre"], row["predicted"]) for row in rows] == [
        ("c2", "lofi", "house")
    ]
    assert (tmp_path / "out" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "confusion.png",
        "mistakes.csv",
        "report.json",
    ]


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
    probabilities = evaluation.mfcc_baseline(train, test)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert evaluation.evaluate(probabilities, test).accuracy == 1.0


def test_mfcc_baseline_needs_clips_of_every_genre(tmp_path):
    train = coloured_noise_dataset(tmp_path / "train", 0, "train")
    only_dark = Dataset(train.folder, train.genres, train.clips[train.clips["genre"] == "dark"])
    with pytest.raises(LilDataError, match="no training clips of bright"):
        evaluation.mfcc_baseline(only_dark, train)
