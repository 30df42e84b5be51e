"""Tables of experiments: plans read or refused, runs that go on, and what they add up to."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.files import PROJECT_FOLDER, read_json, write_json
from lildata_utils.genre import sweep
from lildata_utils.genre.sweep import Contrast, Music, Plan, Row

PLAN = """
[music]
tracks = 3
seconds = 10.0
seed = 1

[[row]]
name = "Small"
network = "cnn"
seeds = [0, 1]
epochs = 2
options = { side = 32, filters = [2, 2] }

[[row]]
name = "Small, half"
network = "cnn"
epochs = 1
share = 0.5
options = { side = 32, filters = [2, 2] }

[[contrast]]
name = "half of the clips"
plus = ["Small, half"]
minus = ["Small"]
"""


def write(folder, text):
    path = folder / "plan.toml"
    path.write_text(text)
    return path


def test_a_plan_is_read(tmp_path):
    plan = sweep.read_plan(write(tmp_path, PLAN))
    assert plan.music == Music(tracks=3, seconds=10.0, seed=1)
    assert [row.name for row in plan.rows] == ["Small", "Small, half"]
    assert plan.rows[1].folder == "small-half"
    assert plan.contrasts == (Contrast("half of the clips", ("Small, half",), ("Small",)),)
    assert [(row.share, seed) for row, seed in plan.runs] == [(1.0, 0), (1.0, 1), (0.5, 0)]


def test_a_folder_of_music_is_meant_from_the_plan(tmp_path):
    text = PLAN.replace("tracks = 3", 'folder = "my-music"')
    assert sweep.read_plan(write(tmp_path, text)).music.folder == str(tmp_path / "my-music")


@pytest.mark.parametrize("path", sorted((PROJECT_FOLDER / "experiments").glob("*.toml")))
def test_the_projects_own_plans_are_right(path):
    assert len(sweep.read_plan(path).runs) > 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[music]", "[music", "can't be read as a plan"),
        ("[music]", "[sound]", "has sound: expected a table"),
        ("tracks = 3", "trakcs = 3", r"\[music\]: trakcs is unknown; expected tracks"),
        ('name = "Small"\n', "", "row 1: missing 1 required positional argument: 'name'"),
        ('"Small, half"', '"small"', "every row needs a name of its own"),
        ('network = "cnn"\nepochs', 'network = "cnnn"\nepochs', "no network 'cnnn'; expected"),
        ("share = 0.5", "share = 1.5", "share 1.5; expected above 0, up to 1"),
        ("share = 0.5", 'split = "song"', "split 'song'; expected track or clip"),
        ("seeds = [0, 1]", "seeds = []", "no seeds; expected at least one"),
        ('["Small"]', '["Large"]', "'half of the clips': there is no row 'Large'"),
        ("share = 0.5", 'split = "clip"', "rows of different splits have different test clips"),
        ("side = 32", "momentum = 0.9", "cnn has no option momentum; it has filters"),
    ],
)
def test_what_is_wrong_in_a_plan_is_one_line(tmp_path, old, new, told):
    with pytest.raises(LilDataError, match=told) as caught:
        sweep.read_plan(write(tmp_path, PLAN.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_a_plan_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(LilDataError, match="can't be read as a plan"):
        sweep.read_plan(tmp_path / "plan.toml")


# --- what was done -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The plan, done once."""
    out = tmp_path_factory.mktemp("sweep")
    plan = sweep.read_plan(write(out, PLAN))
    steps = list(sweep.run(plan, out / "out"))
    return plan, out / "out", steps


@pytest.mark.slow
def test_every_row_is_trained_with_every_seed_and_told(done):
    plan, out, steps = done
    ends = [(s.number, s.runs, s.row.name, s.seed) for s in steps if s.training is None]
    assert ends == [(1, 3, "Small", 0), (2, 3, "Small", 1), (3, 3, "Small, half", 0)]
    assert len(steps) > 3 * len(ends) - 3
    report = read_json(out / sweep.REPORT_FILE)
    assert report["music"]["seed"] == 1
    assert report["clips"] == {"train": 16, "validation": 16, "test": 16}
    assert report["environment"]["tensorflow"]
    assert [row["seeds"] for row in report["rows"]] == [[0, 1], [0]]
    table = sweep.table(plan, out)
    pd.testing.assert_frame_equal(pd.read_csv(out / sweep.TABLE_FILE), table, check_dtype=False)
    assert list(table["seeds"]) == [2, 1]
    assert list(table["clips"]) == [16, 8]
    answered = sweep.contrasts(plan, out)
    gain = table["test"][1] - table["test"][0]
    assert answered["difference"].tolist() == pytest.approx([gain])
    assert report["contrasts"][0]["verdict"] == answered["verdict"][0]
    lines = sweep.as_markdown(table, answered).splitlines()
    assert lines[2].startswith("| Small | 16 | 2 |")
    assert lines[-1].startswith(f"| half of the clips | {100 * gain:+.1f} (")


@pytest.mark.slow
def test_results_agree_with_the_answers(done):
    plan, out, _ = done
    for row, seed in plan.runs:
        said, found = sweep.answers(row, seed, out), sweep.result(row, seed, out)
        right = (said["answer"] == said["genre"]).groupby(said["split"]).mean()
        for split in ("train", "validation", "test"):
            assert found[split] == pytest.approx(right[split])
        assert (said["split"] == "unused").sum() == {1.0: 0, 0.5: 8}[row.share]


@pytest.mark.slow
def test_what_is_done_is_not_done_again(done):
    plan, out, _ = done
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    steps = list(sweep.run(plan, out))
    assert [step.training for step in steps] == [None] * 3
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
def test_another_row_of_the_same_name_is_refused(done):
    plan, out, _ = done
    other = replace(plan, rows=(replace(plan.rows[0], epochs=3),))
    with pytest.raises(LilDataError, match=r"small/seed-0 was done with epochs 2 instead of 3"):
        next(sweep.run(other, out))
    quieter = replace(plan, music=replace(plan.music, seed=2))
    with pytest.raises(LilDataError, match=r"was done with seed 1 instead of 2"):
        next(sweep.run(quieter, out))


@pytest.mark.slow
def test_the_command_prints_the_table(done, capsys):
    plan, out, _ = done
    assert main(["sweep", str(out.parent / "plan.toml"), str(out)]) == 0
    printed = capsys.readouterr().out
    assert "[3/3] Small, half, seed 0: train" in printed
    assert sweep.as_markdown(sweep.table(plan, out), sweep.contrasts(plan, out)) in printed


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main(["sweep", str(tmp_path / "none.toml"), str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


# --- sums --------------------------------------------------------------------------------------


def answered(out, row, seed, right, tracks=4, of_track=5):
    """Write what a training would: of each track, the first clips are right, so many."""
    said = pd.DataFrame(
        {
            "id": [f"{t}-{n}" for t in range(tracks) for n in range(of_track)],
            "genre": "lofi",
            "artist": "",
            "track": [f"track {t}" for t in range(tracks) for _ in range(of_track)],
            "split": "test",
            "answer": [
                "lofi" if n < right[t] else "house" for t in range(tracks) for n in range(5)
            ],
        }
    )
    folder = out / "runs" / row.folder / f"seed-{seed}"
    folder.mkdir(parents=True)
    said.to_csv(folder / sweep.ANSWERS_FILE, index=False)
    accuracy = float(np.sum(right)) / len(said)
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
    write_json(folder / sweep.RESULT_FILE, {"result": result})


def test_seeds_are_averaged_and_tracks_are_drawn(tmp_path):
    row = Row("A", "cnn", seeds=(0, 1, 2))
    answered(tmp_path, row, 0, (5, 5, 0, 0))
    answered(tmp_path, row, 1, (5, 5, 5, 0))
    table = sweep.table(Plan(Music(), (row, Row("B", "cnn"))), tmp_path)
    assert len(table) == 1  # nothing is said of rows that are not done
    [found] = table.to_dict("records")
    assert (found["seeds"], found["worst"], found["best"]) == (2, 0.5, 0.75)
    assert found["test"] == pytest.approx(0.625)
    assert found["gap"] == pytest.approx(0.9 - 0.625)
    share, tracks = sweep.right(row, tmp_path)
    np.testing.assert_allclose(share, np.repeat([1, 1, 0.5, 0], 5))
    np.testing.assert_array_equal(tracks, np.repeat(range(4), 5))
    # Of four tracks with 1, 1, 0.5 and 0, a draw can be anything from 0 to 1.
    assert found["low"] < 0.3 < 0.95 < found["high"]


def test_differences_are_paired(tmp_path):
    """Each track is a clip better: however much the tracks differ, the difference has no spread."""
    first, second = Row("A", "cnn"), Row("B", "cnn")
    answered(tmp_path, first, 0, (5, 4, 2, 1))
    answered(tmp_path, second, 0, (4, 3, 1, 0))
    assert sweep.difference([first], [second], tmp_path) == pytest.approx((0.2, 0.2, 0.2))
    assert sweep.difference([second], [first], tmp_path) == pytest.approx((-0.2, -0.2, -0.2))
    both = sweep.difference([first, second], [second, first], tmp_path)
    assert both == pytest.approx((0, 0, 0))


def test_verdicts_follow_from_the_intervals(tmp_path):
    rows = [Row(name, "cnn") for name in "ABC"]
    for row, right in zip(rows, ((5, 5, 4, 5), (2, 3, 1, 1), (5, 4, 5, 4)), strict=True):
        answered(tmp_path, row, 0, right)
    wanted = (("A", "B"), ("B", "A"), ("A", "C"), ("A", "D"))
    plan = Plan(
        Music(),
        (*rows, Row("D", "cnn")),
        tuple(Contrast(f"{a} {b}", (a,), (b,)) for a, b in wanted),
    )
    # What is not done yet is left out.
    assert sweep.contrasts(plan, tmp_path)["verdict"].tolist() == ["more", "less", "cannot tell"]


def test_different_clips_are_not_compared(tmp_path):
    first, second = Row("A", "cnn"), Row("B", "cnn")
    answered(tmp_path, first, 0, (5, 4, 2, 1))
    answered(tmp_path, second, 0, (5, 4, 2), tracks=3)
    with pytest.raises(LilDataError, match="tested on different clips: A, B"):
        sweep.difference([first], [second], tmp_path)


def test_nothing_done_is_one_line(tmp_path):
    with pytest.raises(LilDataError, match="has no finished training yet"):
        sweep.table(Plan(Music(), (Row("A", "cnn"),)), tmp_path)


@pytest.mark.parametrize(("share", "kept"), [(1.0, 10), (0.5, 5), (0.01, 1)])
def test_thinned_clips_train_and_all_others_stay(tiny_dataset, share, kept):
    thinned = tiny_dataset.share("train", share, seed=3)
    counts = thinned.clips.groupby(["genre", "split"]).size()
    for genre in tiny_dataset.genres:
        assert counts[genre].to_dict() == {"train": kept, "validation": 4, "test": 2}
    more = tiny_dataset.share("train", 0.8, seed=3)
    if share < 0.8:
        assert set(thinned.clips["id"]) <= set(more.clips["id"])
    assert set(tiny_dataset.share("train", 0.5, seed=4).clips["id"]) != set(
        tiny_dataset.share("train", 0.5, seed=3).clips["id"]
    )
