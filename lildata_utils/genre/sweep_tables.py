"""What a sweep has found: results, answers, contrasts with intervals, tables (notebook 03)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lildata_utils.clips.settings import SPLITS
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_json
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genre.plan import Plan, Row

RESULT_FILE = "result.json"
ANSWERS_FILE = "answers.csv"


def result(row: Row, seed: int, out: Path) -> dict[str, Any]:
    """Read what one training found; see `results` (notebook 03)."""
    found: dict[str, Any] = read_json(run_folder(row, seed, out) / RESULT_FILE)["result"]
    return found


def results(plan: Plan, out: Path) -> pd.DataFrame:
    """Read what a sweep has found so far, a row a training (notebook 03).

    Returns
    -------
    DataFrame
        name, question, network, seed; ``running``, the accuracy that training printed for the epoch
        whose weights are kept; ``train``, ``validation`` and ``test``, the kept network's own;
        epoch, parameters, learning (how many of them learn), clips (that trained), seconds.
    """
    rows = [result(row, seed, out) for row in plan.rows for seed in _seeds_done(row, out)]
    if not rows:
        raise LilDataError(f"{out} has no finished training yet: run the sweep first")
    return pd.DataFrame(rows)


def answers(row: Row, seed: int, out: Path) -> pd.DataFrame:
    """Read what a trained network says of every clip (notebook 03).

    A row a clip: id, genre, artist, track, split, answer.
    """
    path = run_folder(row, seed, out) / ANSWERS_FILE
    if not path.is_file():
        raise LilDataError(f"{path} is missing: run the sweep first")
    return pd.read_csv(path, keep_default_na=False)


def right(row: Row, out: Path, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Tell how often each clip of a split was right, over a row's seeds (notebook 03).

    Returns
    -------
    share : ndarray of float, shape (clips,)
        0 to 1; the mean over the seeds that are done.
    tracks : ndarray of int, shape (clips,)
        The track of each clip.
    """
    tables = [answers(row, seed, out) for seed in _seeds_done(row, out)]
    chosen = [table[table["split"] == split] for table in tables]
    share = np.mean([(t["answer"] == t["genre"]).to_numpy() for t in chosen], axis=0)
    tracks = chosen[0].groupby(["genre", "artist", "track"], sort=False).ngroup().to_numpy()
    return share, tracks


def difference(plus: Sequence[Row], minus: Sequence[Row], out: Path) -> tuple[float, float, float]:
    """Compare rows on the same test clips: by how much some are more often right (notebook 03).

    The accuracies of `plus` are added, those of `minus` taken off.

    Returns
    -------
    difference, low, high : float
        In accuracy, with the 95 % interval by bootstrap over tracks: a hard track is hard for all,
        so this is sharper than to compare intervals. Seeds are averaged: the interval says what
        other tracks would change, not what other first weights would.

    Raises
    ------
    LilDataError
        If they were judged on different clips, or on a single track.
    """
    signs = [1.0] * len(plus) + [-1.0] * len(minus)
    shares, tracks = zip(*(right(row, out) for row in (*plus, *minus)), strict=True)
    if any(not np.array_equal(tracks[0], others) for others in tracks):
        names = ", ".join(row.name for row in (*plus, *minus))
        raise LilDataError(f"these were tested on different clips: {names}")
    gain = np.tensordot(signs, np.stack(shares), 1)
    interval = bootstrap_interval(gain, tracks[0])
    if interval is None:
        raise LilDataError("a single test track has no interval: expected two or more")
    return float(gain.mean()), *interval


def contrasts(plan: Plan, out: Path) -> pd.DataFrame:
    """Answer a plan's questions, as far as the rows are done (notebook 03).

    Returns
    -------
    DataFrame
        question, name, difference, low, high (in accuracy; see `difference`), and ``verdict``:
        "more" or "less" where the interval excludes 0, else "cannot tell".
    """
    found = []
    for contrast in plan.contrasts:
        plus, minus = (
            [plan.row(name) for name in part] for part in (contrast.plus, contrast.minus)
        )
        if not all(_seeds_done(row, out) for row in (*plus, *minus)):
            continue
        gain, low, high = difference(plus, minus, out)
        verdict = "more" if low > 0 else "less" if high < 0 else "cannot tell"
        found.append(
            {
                "question": contrast.question,
                "name": contrast.name,
                "difference": gain,
                "low": low,
                "high": high,
                "verdict": verdict,
            }
        )
    return pd.DataFrame(found)


def table(plan: Plan, out: Path) -> pd.DataFrame:
    """Sum up a sweep, a row an experiment; those without a finished training are left out.

    Drawn in notebook 03.

    Returns
    -------
    DataFrame
        name, question, network, seeds (how many are done); running, train, validation, test (means
        over the seeds); low, high (95 % interval of the test accuracy, by bootstrap over tracks);
        worst, best (seeds' test accuracies); gap (train less test); parameters, learning, clips,
        seconds (a training).
    """
    single = results(plan, out)
    rows = []
    for row in plan.rows:
        of_row = single[single["name"] == row.name]
        if of_row.empty:
            continue
        interval = bootstrap_interval(*right(row, out)) or (np.nan, np.nan)
        means = {name: of_row[name].mean() for name in ("running", *SPLITS)}
        rows.append(
            {
                "name": row.name,
                "question": row.question,
                "network": row.network,
                "seeds": len(of_row),
                **means,
                "low": interval[0],
                "high": interval[1],
                "worst": of_row["test"].min(),
                "best": of_row["test"].max(),
                "gap": means["train"] - means["test"],
                **{name: int(of_row[name].iloc[0]) for name in ("parameters", "learning")},
                "clips": round(of_row["clips"].mean()),
                "seconds": of_row["seconds"].mean(),
            }
        )
    return pd.DataFrame(rows)


def as_markdown(rows: pd.DataFrame, answered: pd.DataFrame) -> str:
    """Lay out `table` and `contrasts` as Markdown, in percent and in points (notebook 03)."""
    lines = [
        "| | clips that train | seeds | train, as printed | train | validation | test (95 % "
        "interval) | worst and best seed | parameters | seconds |",
        "|---|" + "---|" * 9,
    ]
    for row in rows.to_dict("records"):
        cells = (
            row["name"],
            row["clips"],
            row["seeds"],
            *(f"{row[name]:.1%}" for name in ("running", "train", "validation")),
            f"{row['test']:.1%} ({100 * row['low']:.0f} to {100 * row['high']:.0f})",
            f"{100 * row['worst']:.0f}, {100 * row['best']:.0f}",
            f"{row['parameters']:,}".replace(",", " "),
            f"{row['seconds']:.0f}",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    if len(answered):
        lines += ["", "| | points (95 % interval) | verdict |", "|---|---|---|"]
    for answer in answered.to_dict("records"):
        points = "{difference:+.1f} ({low:+.1f} to {high:+.1f})".format(
            **{name: 100 * answer[name] for name in ("difference", "low", "high")}
        )
        lines.append(f"| {answer['name']} | {points} | {answer['verdict']} |")
    return "\n".join(lines)


def _seeds_done(row: Row, out: Path) -> list[int]:
    return [seed for seed in row.seeds if (run_folder(row, seed, out) / RESULT_FILE).is_file()]


def run_folder(row: Row, seed: int, out: Path) -> Path:
    """Tell where a row's training with a seed lies below a sweep's folder (notebook 03)."""
    return out / "runs" / row.folder / f"seed-{seed}"
