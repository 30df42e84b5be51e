"""How good a classifier is, worked out by hand; which mistakes come first; what is written."""

import csv
import json

import numpy as np
import pytest
from clip_tables import GENRES, make_dataset

from lildata_utils.errors import LilDataError
from lildata_utils.genre import evaluation


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
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["mistakes.csv", "report.json"]
