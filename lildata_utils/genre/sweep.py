"""A table of experiments: every row trained with several seeds, on the same music, judged alike.

A plan is a TOML file: the music, a row an experiment, and the contrasts between rows that will
answer its questions, written down before there are numbers. `run` trains what is not there yet, so
a stopped sweep goes on where it was; `table` and `contrasts` report whatever is done.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from lildata_utils import crate
from lildata_utils.clips import dataset, prepare
from lildata_utils.clips.splits import FRACTIONS, RULES, SPLITS
from lildata_utils.crate import degradation
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_json, write_json, write_text
from lildata_utils.genre import evaluation
from lildata_utils.machine import machine, usable_cores
from lildata_utils.parallel import apart

if TYPE_CHECKING:
    from lildata_utils.learning.training import Step as TrainingStep

RESULT_FILE = "result.json"
ANSWERS_FILE = "answers.csv"
TABLE_FILE = "table.csv"
REPORT_FILE = "report.json"


@dataclass(frozen=True)
class Music:
    """What a sweep trains on.

    Attributes
    ----------
    tracks : int
        Of the crate, a genre.
    seconds : float
        Length of each track.
    seed : int
        Of the crate and of the splits.
    fractions : tuple of float
        Shares of train, validation and test.
    folder : str or None
        A folder of FLAC tracks, a folder a genre, in place of the crate; as seen from the plan.
    """

    tracks: int = 16
    seconds: float = 40.0
    seed: int = 0
    fractions: tuple[float, float, float] = FRACTIONS
    folder: str | None = None


@dataclass(frozen=True)
class Row:
    """An experiment.

    Attributes
    ----------
    name : str
        As the table calls it.
    network : str
        ``softmax``, ``cnn`` or ``resnet50``.
    question : int
        Which question it belongs to; rows are grouped by it.
    seeds : tuple of int
        Each is a training of its own: first weights, order of clips, dropout, and which clips
        where only a share trains.
    epochs, batch_size : int
        Of each training.
    learning_rate : float or None
        The network's own if not given.
    share : float
        Of the training clips, genre by genre.
    split : {"track", "clip"}
        How clips are dealt to training, validation and test.
    degraded : bool
        Whether the music has gone through a room, noise and a codec (see `degradation`).
    options : mapping
        Changes to the network's options.
    """

    name: str
    network: str
    question: int = 1
    seeds: tuple[int, ...] = (0,)
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float | None = None
    share: float = 1.0
    split: str = "track"
    degraded: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The row's name as a folder is called."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Contrast:
    """A comparison of rows that answers a question.

    Attributes
    ----------
    name : str
        What is compared, in words.
    plus, minus : tuple of str
        Names of rows: their accuracies are added and taken off.
    question : int
        As of `Row`.
    """

    name: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    question: int = 1


@dataclass(frozen=True)
class Plan:
    """A table of experiments to do.

    Attributes
    ----------
    music : Music
        What all rows share.
    rows : tuple of Row
        In the order in which they are done.
    contrasts : tuple of Contrast
        What they are to answer.
    """

    music: Music
    rows: tuple[Row, ...]
    contrasts: tuple[Contrast, ...] = ()

    def row(self, name: str) -> Row:
        """Find a row by its name."""
        return next(row for row in self.rows if row.name == name)

    @property
    def runs(self) -> tuple[tuple[Row, int], ...]:
        """Every training: a row and a seed."""
        return tuple((row, seed) for row in self.rows for seed in row.seeds)


class Step(NamedTuple):
    """Where a sweep stands.

    Attributes
    ----------
    number, runs : int
        Which training this is, from 1, of how many.
    row : Row
    seed : int
    training : training.Step or None
        Where the training stands; None when it is done and its result is on disk.
    """

    number: int
    runs: int
    row: Row
    seed: int
    training: "TrainingStep | None"


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file.

    Parameters
    ----------
    path : Path
        A table ``[music]`` with the attributes of `Music`, a table ``[[row]]`` for each experiment
        with those of `Row`, and a table ``[[contrast]]`` for each `Contrast`.

    Returns
    -------
    Plan

    Raises
    ------
    LilDataError
        If the file can't be read, or something in it is unknown, missing or out of range.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LilDataError(f"{path} can't be read as a plan ({error}): expected TOML") from None
    unknown = set(tables) - {"music", "row", "contrast"}
    if unknown or not isinstance(tables.get("row"), list):
        raise LilDataError(
            f"{path} has {', '.join(sorted(unknown)) or 'no rows'}: expected a table [music], "
            "tables [[row]] and perhaps tables [[contrast]]"
        )
    music = _made(Music, tables.get("music", {}), f"{path}, [music]")
    if music.folder is not None:
        music = Music(**asdict(music) | {"folder": str(path.parent / music.folder)})
    rows, contrasts = (
        tuple(
            _made(kind, table, f"{path}, {name} {number}")
            for number, table in enumerate(tables.get(name, []), 1)
        )
        for name, kind in (("row", Row), ("contrast", Contrast))
    )
    plan = Plan(music, rows, contrasts)
    _check(plan, path)
    return plan


def run(plan: Plan, out: Path) -> Iterator[Step]:
    """Do all trainings of a plan that are not done yet.

    Parameters
    ----------
    plan : Plan
        Rows may be added later; those that are done stay.
    out : Path
        Gets the music, the data sets, a run folder for every row and seed, ``table.csv`` and
        ``report.json`` (see `table`), which are written anew after every training.

    Yields
    ------
    Step
        After every step of a training, and after each training with its result.

    Raises
    ------
    LilDataError
        If a training fails, or a row with the same name was done with other settings.

    Notes
    -----
    Each training has a process of its own: TensorFlow keeps some hundred megabytes of every network
    that it has trained.
    """
    for number, (row, seed) in enumerate(plan.runs, 1):
        folder = _folder(row, seed, out)
        if not _is_done(folder, row, plan.music):
            clips = _clips(plan.music, row, out)
            for step in apart(_train, folder, row, seed, clips, plan.music):
                yield Step(number, len(plan.runs), row, seed, step)
            rows = table(plan, out)
            write_text(out / TABLE_FILE, rows.to_csv(index=False))
            write_json(out / REPORT_FILE, _report(plan, out, rows))
        yield Step(number, len(plan.runs), row, seed, None)


def result(row: Row, seed: int, out: Path) -> dict[str, Any]:
    """Read what one training found; see `results`."""
    found: dict[str, Any] = read_json(_folder(row, seed, out) / RESULT_FILE)["result"]
    return found


def results(plan: Plan, out: Path) -> pd.DataFrame:
    """Read what a sweep has found so far, a row a training.

    Parameters
    ----------
    plan : Plan
    out : Path
        Where `run` wrote.

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
    """Read what a trained network says of every clip.

    Returns
    -------
    DataFrame
        id, genre, artist, track, split, answer: a row a clip.
    """
    path = _folder(row, seed, out) / ANSWERS_FILE
    if not path.is_file():
        raise LilDataError(f"{path} is missing: run the sweep first")
    return pd.read_csv(path, keep_default_na=False)


def right(row: Row, out: Path, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Tell how often each clip of a split was right, over a row's seeds.

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
    """Compare rows on the same test clips: how much more often some are right than others.

    Parameters
    ----------
    plus, minus : sequence of Row
        Their accuracies are added and taken off; all judged on the same clips.
    out : Path
        Where `run` wrote.

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
    interval = evaluation.bootstrap_interval(gain, tracks[0])
    if interval is None:
        raise LilDataError("a single test track has no interval: expected two or more")
    return float(gain.mean()), *interval


def contrasts(plan: Plan, out: Path) -> pd.DataFrame:
    """Answer a plan's questions, as far as the rows are done.

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
    """Sum up a sweep, a row an experiment.

    Parameters
    ----------
    plan : Plan
    out : Path
        Where `run` wrote. Rows without a finished training are left out.

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
        interval = evaluation.bootstrap_interval(*right(row, out)) or (np.nan, np.nan)
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
    """Lay out what a sweep found for a README.

    Parameters
    ----------
    rows : DataFrame
        From `table`.
    answered : DataFrame
        From `contrasts`.

    Returns
    -------
    str
        A table of Markdown for each; accuracies in percent, differences in points.
    """
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


def thin(clips: dataset.Dataset, share: float, seed: int = 0) -> dataset.Dataset:
    """Keep a share of the training clips, genre by genre; all others stay.

    Parameters
    ----------
    clips : Dataset
    share : float
        Above 0, up to 1; at least one clip a genre is kept.
    seed : int
        Decides which; of one seed, a smaller share is part of a larger one.

    Returns
    -------
    Dataset
    """
    table = clips.clips
    keep = table["split"] != "train"
    rng = np.random.default_rng(seed)
    for genre in clips.genres:
        of_genre = table.index[(table["split"] == "train") & (table["genre"] == genre)]
        keep[rng.permutation(of_genre)[: max(1, round(share * len(of_genre)))]] = True
    return dataset.Dataset(clips.folder, clips.genres, table[keep].reset_index(drop=True))


def _seeds_done(row: Row, out: Path) -> list[int]:
    return [seed for seed in row.seeds if (_folder(row, seed, out) / RESULT_FILE).is_file()]


def _folder(row: Row, seed: int, out: Path) -> Path:
    return out / "runs" / row.folder / f"seed-{seed}"


def _made(kind: Any, values: Any, where: str) -> Any:
    """Make a `Music` or a `Row` of a table, with a line for whatever does not fit."""
    if not isinstance(values, dict):
        raise LilDataError(f"{where} is no table: expected names and values")
    known = {f.name: f for f in fields(kind)}
    for name in values:
        if name not in known:
            raise LilDataError(f"{where}: {name} is unknown; expected {', '.join(known)}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise LilDataError(f"{where}: {str(error).partition(' ')[2]}") from None


def _check(plan: Plan, path: Path) -> None:
    from lildata_utils.learning.recipes import CLASSIFIERS

    names = [row.folder for row in plan.rows]
    for number, row in enumerate(plan.rows, 1):
        where = f"{path}, row {number} ({row.name})"
        if not row.folder or names.count(row.folder) > 1:
            raise LilDataError(f"{where}: every row needs a name of its own")
        if row.network not in CLASSIFIERS:
            raise LilDataError(
                f"{where}: no network {row.network!r}; expected one of {', '.join(CLASSIFIERS)}"
            )
        if unknown := set(row.options) - set(CLASSIFIERS[row.network].options):
            raise LilDataError(
                f"{where}: {row.network} has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(CLASSIFIERS[row.network].options)}"
            )
        if row.split not in RULES:
            raise LilDataError(f"{where}: split {row.split!r}; expected {' or '.join(RULES)}")
        if not 0 < row.share <= 1:
            raise LilDataError(f"{where}: share {row.share}; expected above 0, up to 1")
        if not row.seeds:
            raise LilDataError(f"{where}: no seeds; expected at least one")
    rows = {row.name: row for row in plan.rows}
    for contrast in plan.contrasts:
        where = f"{path}, contrast {contrast.name!r}"
        if missing := [n for n in (*contrast.plus, *contrast.minus) if n not in rows]:
            raise LilDataError(f"{where}: there is no row {', '.join(map(repr, missing))}")
        if len({rows[n].split for n in (*contrast.plus, *contrast.minus)}) != 1:
            raise LilDataError(f"{where}: rows of different splits have different test clips")


def _clips(music: Music, row: Row, out: Path) -> dataset.Dataset:
    """Open the data set that a row wants; render, degrade and prepare what is not there yet."""
    workers = usable_cores()
    if music.folder is not None:
        source = Path(music.folder)
    else:
        source = out / "music"
        for _ in crate.write_collection(
            source, music.tracks, music.seconds, seed=music.seed, workers=workers
        ):
            pass
    if row.degraded:
        for _ in degradation.degrade_collection(
            source, out / "music-degraded", music.seed, workers
        ):
            pass
        source = out / "music-degraded"
    folder = out / f"dataset-{row.split}{'-degraded' if row.degraded else ''}"
    for _ in prepare.prepare(
        source, folder, split=row.split, seed=music.seed, fractions=music.fractions
    ):
        pass
    return dataset.load(folder)


def _train(
    folder: Path, row: Row, seed: int, clips: dataset.Dataset, music: Music
) -> "Iterator[TrainingStep]":
    """Train a row with a seed, judge the kept network, and write both down."""
    from lildata_utils.learning import training
    from lildata_utils.learning.recipes import CLASSIFIERS
    from lildata_utils.networks.classifier import predict

    network = CLASSIFIERS[row.network]
    thinned = thin(clips, row.share, seed)
    yield from training.fit(
        folder,
        network,
        thinned,
        row.epochs,
        batch_size=row.batch_size,
        learning_rate=row.learning_rate,
        seed=seed,
        options=row.options,
    )
    done = training.load_run(folder)
    # All clips, also those that did not train: the table of answers is the same for every row.
    labels = predict(done.model, clips).argmax(axis=1)
    said = clips.clips[["id", "genre", "artist", "track", "split"]].assign(
        answer=[clips.genres[label] for label in labels]
    )
    said.loc[(said["split"] == "train") & ~said["id"].isin(thinned.clips["id"]), "split"] = "unused"
    write_text(folder / ANSWERS_FILE, said.to_csv(index=False))
    hits = (said["answer"] == said["genre"]).groupby(said["split"]).mean()
    kept = training.peaked(done.history).epoch
    result = {
        "name": row.name,
        "question": row.question,
        "network": row.network,
        "seed": seed,
        "running": float(done.history.loc[done.history["epoch"] == kept, "accuracy"].iloc[0]),
        **{split: float(hits[split]) for split in SPLITS},
        "epoch": kept,
        "parameters": int(done.model.count_params()),
        "learning": int(sum(np.prod(w.shape) for w in done.model.trainable_weights)),
        "clips": int((said["split"] == "train").sum()),
        "seconds": float(done.history["seconds"].sum()),
    }
    write_json(
        folder / RESULT_FILE,
        {
            "result": result,
            "row": _as_json(row),
            "music": asdict(music) | {"folder": None},
            "data": done.data,
            "settings": done.settings,
            "environment": done.environment,
        },
    )
    # It is large, and nothing goes on from it.
    (folder / training.CHECKPOINT_FILE).unlink(missing_ok=True)


def _as_json(row: Row) -> dict[str, Any]:
    """Write down what decides a row's trainings; its name and its question don't."""
    about = asdict(row)
    for name in ("name", "question", "seeds"):
        del about[name]
    about["options"] = {
        name: list(value) if isinstance(value, list | tuple) else value
        for name, value in row.options.items()
    }
    return about


def _is_done(folder: Path, row: Row, music: Music) -> bool:
    path = folder / RESULT_FILE
    if not path.is_file():
        return False
    there = read_json(path)
    expected = {
        "row": _as_json(row),
        "music": asdict(music) | {"folder": None, "fractions": list(music.fractions)},
    }
    for part, wanted in expected.items():
        for name, value in wanted.items():
            if there[part].get(name) != value:
                raise LilDataError(
                    f"{folder} was done with {name} {there[part].get(name)!r} instead of "
                    f"{value!r}: choose another folder or another name, or delete it"
                )
    return True


def _report(plan: Plan, out: Path, rows: pd.DataFrame) -> dict[str, Any]:
    """Gather what a reader of the table must know."""
    one = read_json(_folder(*plan.runs[0], out) / RESULT_FILE)
    return {
        "music": asdict(plan.music) | {"folder": None},
        "genres": one["data"]["genres"],
        "clips": {split: _count(plan, out, split) for split in SPLITS},
        "machine": machine(),
        "environment": one["environment"],
        "seconds": float(results(plan, out)["seconds"].sum()),
        "rows": [{"name": row.name, "seeds": list(row.seeds)} | _as_json(row) for row in plan.rows],
        "table": rows.to_dict("records"),
        "contrasts": contrasts(plan, out).to_dict("records"),
    }


def _count(plan: Plan, out: Path, split: str) -> int:
    return len(right(plan.rows[0], out, split)[0])
