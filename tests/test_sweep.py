"""Tables of experiments: trainings that are done once, and thinned clips."""

from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from plans import PLAN, write

from lildata_utils.cli.main import main
from lildata_utils.clips import prepare
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_json
from lildata_utils.genre import sweep
from lildata_utils.genre.plan import read_plan
from lildata_utils.genre.sweep import run
from lildata_utils.genre.sweep_tables import answers, as_markdown, contrasts, result, table


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The plan, done once on two genres, the first training alone in a process of its own."""
    out = tmp_path_factory.mktemp("sweep")
    plan = read_plan(write(out, PLAN))
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "Collection", partial(Collection, genres=("lofi", "noise")))
        for module in (sweep, prepare):  # processes for so little would take longer
            patch.setattr(module, "usable_cores", lambda: 1)
        for step in run(plan, out / "out"):
            steps.append(step)
            if step.training is None:
                patch.setattr(sweep, "apart", lambda function, *given: function(*given))
    return plan, out / "out", steps


@pytest.mark.slow
def test_every_row_is_trained_with_every_seed_and_told(done):
    plan, out, steps = done
    ends = [(s.number, s.runs, s.row.name, s.seed) for s in steps if s.training is None]
    assert ends == [(1, 3, "Small", 0), (2, 3, "Small", 1), (3, 3, "Small, half", 0)]
    assert len(steps) > 3 * len(ends) - 3
    report = read_json(out / sweep.REPORT_FILE)
    assert report["music"]["seed"] == 1
    assert report["clips"] == {"train": 4, "validation": 4, "test": 4}
    assert report["environment"]["tensorflow"]
    assert [row["seeds"] for row in report["rows"]] == [[0, 1], [0]]
    rows = table(plan, out)
    pd.testing.assert_frame_equal(pd.read_csv(out / sweep.TABLE_FILE), rows, check_dtype=False)
    assert list(rows["seeds"]) == [2, 1]
    assert list(rows["clips"]) == [4, 2]
    answered = contrasts(plan, out)
    gain = rows["test"][1] - rows["test"][0]
    assert answered["difference"].tolist() == pytest.approx([gain])
    assert report["contrasts"][0]["verdict"] == answered["verdict"][0]
    lines = as_markdown(rows, answered).splitlines()
    assert lines[2].startswith("| Small | 4 | 2 |")
    assert lines[-1].startswith(f"| half of the clips | {100 * gain:+.1f} (")


@pytest.mark.slow
def test_results_agree_with_the_answers(done):
    plan, out, _ = done
    for row, seed in plan.runs:
        said, found = answers(row, seed, out), result(row, seed, out)
        right = (said["answer"] == said["genre"]).groupby(said["split"]).mean()
        for split in ("train", "validation", "test"):
            assert found[split] == pytest.approx(right[split])
        assert (said["split"] == "unused").sum() == {1.0: 0, 0.5: 2}[row.share]


@pytest.mark.slow
def test_what_is_done_is_not_done_again(done):
    plan, out, _ = done
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    steps = list(run(plan, out))
    assert [step.training for step in steps] == [None] * 3
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
def test_another_row_of_the_same_name_is_refused(done):
    plan, out, _ = done
    other = replace(plan, rows=(replace(plan.rows[0], epochs=3),))
    with pytest.raises(LilDataError, match=r"small/seed-0 was done with epochs 2 instead of 3"):
        next(run(other, out))
    quieter = replace(plan, music=replace(plan.music, seed=2))
    with pytest.raises(LilDataError, match=r"was done with seed 1 instead of 2"):
        next(run(quieter, out))


@pytest.mark.slow
def test_the_command_prints_the_table(done, capsys):
    plan, out, _ = done
    assert main(["sweep", str(out.parent / "plan.toml"), str(out)]) == 0
    printed = capsys.readouterr().out
    assert "[3/3] Small, half, seed 0: train" in printed
    assert as_markdown(table(plan, out), contrasts(plan, out)) in printed


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main(["sweep", str(tmp_path / "none.toml"), str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


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
