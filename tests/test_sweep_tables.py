"""What a sweep has found: seeds averaged, tracks drawn, differences paired."""

import numpy as np
import pandas as pd
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.files import write_json
from lildata_utils.genre.plan import Contrast, Music, Plan, Row
from lildata_utils.genre.sweep_tables import (
    ANSWERS_FILE,
    RESULT_FILE,
    contrasts,
    difference,
    right,
    table,
)


def answered(out, row, seed, hits, tracks=4, of_track=5):
    """Write what a training would: of each track, the first clips are right, so many."""
    said = pd.DataFrame(
        {
            "id": [f"{t}-{n}" for t in range(tracks) for n in range(of_track)],
            "genre": "lofi",
            "artist": "",
            "track": [f"track {t}" for t in range(tracks) for _ in range(of_track)],
            "split": "test",
            "answer": ["lofi" if n < hits[t] else "house" for t in range(tracks) for n in range(5)],
        }
    )
    folder = out / "runs" / row.folder / f"seed-{seed}"
    folder.mkdir(parents=True)
    said.to_csv(folder / ANSWERS_FILE, index=False)
    accuracy = float(np.sum(hits)) / len(said)
    result = {
        "name": row.name,
        "question": 1,
        "network": "cnn",
        "seed": seed,
        "running": 0.5,
        "train": 0.9,
        "validation": 0.6,
        "test": accuracy,
        "epoch": 1,
        "parameters": 10,
        "learning": 10,
        "clips": 20,
        "seconds": 2.0,
    }
    write_json(folder / RESULT_FILE, {"result": result})


def test_seeds_are_averaged_and_tracks_are_drawn(tmp_path):
    row = Row("A", "cnn", seeds=(0, 1, 2))
    answered(tmp_path, row, 0, (5, 5, 0, 0))
    answered(tmp_path, row, 1, (5, 5, 5, 0))
    rows = table(Plan(Music(), (row, Row("B", "cnn"))), tmp_path)
    assert len(rows) == 1  # nothing is said of rows that are not done
    [found] = rows.to_dict("records")
    assert (found["seeds"], found["worst"], found["best"]) == (2, 0.5, 0.75)
    assert found["test"] == pytest.approx(0.625)
    assert found["gap"] == pytest.approx(0.9 - 0.625)
    share, tracks = right(row, tmp_path)
    np.testing.assert_allclose(share, np.repeat([1, 1, 0.5, 0], 5))
    np.testing.assert_array_equal(tracks, np.repeat(range(4), 5))
    # Of four tracks with 1, 1, 0.5 and 0, a draw can be anything from 0 to 1.
    assert found["low"] < 0.3 < 0.95 < found["high"]


def test_differences_are_paired(tmp_path):
    """Each track is a clip better: however much the tracks differ, the difference has no spread."""
    first, second = Row("A", "cnn"), Row("B", "cnn")
    answered(tmp_path, first, 0, (5, 4, 2, 1))
    answered(tmp_path, second, 0, (4, 3, 1, 0))
    assert difference([first], [second], tmp_path) == pytest.approx((0.2, 0.2, 0.2))
    assert difference([second], [first], tmp_path) == pytest.approx((-0.2, -0.2, -0.2))
    both = difference([first, second], [second, first], tmp_path)
    assert both == pytest.approx((0, 0, 0))


def test_verdicts_follow_from_the_intervals(tmp_path):
    rows = [Row(name, "cnn") for name in "ABC"]
    for row, hits in zip(rows, ((5, 5, 4, 5), (2, 3, 1, 1), (5, 4, 5, 4)), strict=True):
        answered(tmp_path, row, 0, hits)
    wanted = (("A", "B"), ("B", "A"), ("A", "C"), ("A", "D"))
    plan = Plan(
        Music(),
        (*rows, Row("D", "cnn")),
        tuple(Contrast(f"{a} {b}", (a,), (b,)) for a, b in wanted),
    )
    # What is not done yet is left out.
    assert contrasts(plan, tmp_path)["verdict"].tolist() == ["more", "less", "cannot tell"]


def test_different_clips_are_not_compared(tmp_path):
    first, second = Row("A", "cnn"), Row("B", "cnn")
    answered(tmp_path, first, 0, (5, 4, 2, 1))
    answered(tmp_path, second, 0, (5, 4, 2), tracks=3)
    with pytest.raises(LilDataError, match="tested on different clips: A, B"):
        difference([first], [second], tmp_path)


def test_nothing_done_is_one_line(tmp_path):
    with pytest.raises(LilDataError, match="has no finished training yet"):
        table(Plan(Music(), (Row("A", "cnn"),)), tmp_path)
