"""Plans of experiments: the music, a row an experiment, and the questions asked beforehand.

A plan is a TOML file like ``experiments/resnet.toml`` (notebook 03). Its contrasts between rows are
written down before there are numbers.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lildata_utils.clips.settings import FRACTIONS, RULES
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.learning.settings import Training
from lildata_utils.networks.settings import CLASSIFIERS, SETTINGS
from lildata_utils.schema import checked

# A row is a folder's name, too.
Name = Annotated[str, Meta(min_length=1, max_length=100)]


@dataclass(frozen=True)
class Music:
    """What a sweep trains on (notebook 03)."""

    # Tracks of the crate a genre, and the length of each.
    tracks: int = 16
    seconds: float = 40.0
    seed: int = 0  # Of the crate and of the splits
    fractions: tuple[float, float, float] = FRACTIONS  # Shares of train, validation and test
    # A folder of FLAC tracks, a folder a genre, in place of the crate; as seen from the plan.
    folder: str | None = None


@dataclass(frozen=True)
class Row:
    """An experiment (notebook 03)."""

    name: Name  # As the table calls it
    network: str  # One of `networks.settings.CLASSIFIERS`
    question: int = 1  # Which question it belongs to; rows are grouped by it
    # Each is a training of its own: first weights, order of clips, dropout, and which clips where
    # only a share trains.
    seeds: tuple[int, ...] = (0,)
    # Of each training, see `Training`.
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float | None = None
    share: float = 1.0  # Of the training clips, genre by genre
    split: str = "track"  # How clips are dealt to training, validation and test
    # Whether the music has gone through a room, noise and a codec (see `degradation`).
    degraded: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)  # Settings of the network

    @property
    def folder(self) -> str:
        """The row's name as a folder is called."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Contrast:
    """A comparison of rows that answers a question: accuracies added, taken off (notebook 03)."""

    name: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    question: int = 1


@dataclass(frozen=True)
class Plan:
    """A table of experiments to do, in this order, and what they are to answer (notebook 03)."""

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


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file (notebook 03).

    It has a table ``[music]`` with the attributes of `Music`, a table ``[[row]]`` for each
    experiment with those of `Row`, and a table ``[[contrast]]`` for each `Contrast`.

    Raises
    ------
    LilDataError
        If the file can't be read, or something in it is unknown, missing or out of range.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LilDataError(f"{path} can't be read as a plan ({error}): expected TOML") from None
    unknown = set(tables) - {"music", "row", "contrast"}
    if unknown or not isinstance(tables.get("row"), list):
        raise LilDataError(
            f"{path} has {', '.join(sorted(unknown)) or 'no rows'}: expected a table [music], "
            "tables [[row]] and perhaps tables [[contrast]]"
        )
    music = _made(Music, tables.get("music", {}), f"{path}, [music]")
    _check_music(music, f"{path}, [music]")
    if music.folder is not None:
        music = Music(**asdict(music) | {"folder": str(path.parent / music.folder)})
    rows, contrasts = (
        tuple(
            _made(kind, table, f"{path}, {name} {number}")
            for number, table in enumerate(
                checked(tables.get(name, []), list, f"{path}, {name}"), 1
            )
        )
        for name, kind in (("row", Row), ("contrast", Contrast))
    )
    plan = Plan(music, rows, contrasts)
    _check(plan, path)
    return plan


def _made(kind: Any, values: Any, where: str) -> Any:
    """Make a `Music` or a `Row` of a table, with a line for whatever does not fit."""
    if not isinstance(values, dict):
        raise LilDataError(f"{where} is no table: expected names and values")
    known = [one.name for one in fields(kind)]
    for name in values:
        if name not in known:
            raise LilDataError(f"{where}: {name} is unknown; expected {', '.join(known)}")
    return checked(values, kind, where)


def _check_music(music: Music, where: str) -> None:
    try:
        Collection(music.tracks, music.seconds, seed=music.seed)
    except LilDataError as error:
        raise LilDataError(f"{where}: {error}") from None
    if not (min(music.fractions) > 0 and abs(sum(music.fractions) - 1) < 1e-6):
        raise LilDataError(
            f"{where}: fractions {music.fractions}; expected three above 0 with a sum of 1"
        )
    if "\0" in (music.folder or ""):
        raise LilDataError(f"{where}: folder {music.folder!r}; expected a path, without NUL")


def _check(plan: Plan, path: Path) -> None:
    names = [row.folder for row in plan.rows]
    for number, row in enumerate(plan.rows, 1):
        where = f"{path}, row {number} ({row.name})"
        if not row.folder or names.count(row.folder) > 1:
            raise LilDataError(f"{where}: every row needs a name of its own")
        if row.network not in CLASSIFIERS:
            raise LilDataError(
                f"{where}: no network {row.network!r}; expected one of {', '.join(CLASSIFIERS)}"
            )
        known = [one.name for one in fields(SETTINGS[row.network])]
        if unknown := set(row.options) - set(known):
            raise LilDataError(
                f"{where}: {row.network} has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(known)}"
            )
        try:
            SETTINGS[row.network].made_of(row.options)
            for seed in row.seeds:
                Training(row.epochs, row.batch_size, row.learning_rate, seed)
        except LilDataError as error:
            raise LilDataError(f"{where}: {error}") from None
        if row.split not in RULES:
            raise LilDataError(f"{where}: split {row.split!r}; expected {' or '.join(RULES)}")
        if not 0 < row.share <= 1:
            raise LilDataError(f"{where}: share {row.share}; expected above 0, up to 1")
        if not row.seeds or len(set(row.seeds)) < len(row.seeds):
            raise LilDataError(f"{where}: seeds {row.seeds}; expected one or more, each once")
    rows = {row.name: row for row in plan.rows}
    for contrast in plan.contrasts:
        where = f"{path}, contrast {contrast.name!r}"
        if missing := [n for n in (*contrast.plus, *contrast.minus) if n not in rows]:
            raise LilDataError(f"{where}: there is no row {', '.join(map(repr, missing))}")
        if not contrast.plus or not contrast.minus:
            raise LilDataError(f"{where}: expected rows on both sides")
        if len({rows[n].split for n in (*contrast.plus, *contrast.minus)}) != 1:
            raise LilDataError(f"{where}: rows of different splits have different test clips")
