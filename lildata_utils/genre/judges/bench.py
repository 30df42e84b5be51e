"""Three judges and their verdict, in a folder.

A folder of judges is::

    judges.json      genres, what they learned from, how, on which machine
    network.npz      the weights of the network
    statistics.npz   the trees that hear statistics, as plain arrays
    rhythm.npz       the trees that hear rhythm alone
"""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lildata_utils import __version__
from lildata_utils.errors import LilDataError
from lildata_utils.files import (
    PRETRAINED,
    check_zip,
    read_as,
    read_json,
    write_json,
    written_beside,
)
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genre.judges.conditions import CONDITIONS, SOUND
from lildata_utils.genre.judges.features import Heard, hear, join
from lildata_utils.genre.judges.lessons import Lessons
from lildata_utils.genre.judges.network import Network
from lildata_utils.genre.judges.settings import RHYTHM, STATISTICS, Learning
from lildata_utils.genre.judges.trees import Trees
from lildata_utils.machine import machine
from lildata_utils.sound.audio import AudioError, read_blocks
from lildata_utils.sound.spectrogram import CLIP_S, CLIP_SAMPLES, Floats, cut_clips

VERSION = 1
ABOUT_FILE = "judges.json"
JUDGES = ("network", "statistics", "rhythm")
VERDICT = "two of three"
UNDECIDED = -1
SHIPPED = PRETRAINED / "judges"


@dataclass(frozen=True)
class Judges:
    """Three that share nothing with any painter (notebook 07)."""

    genres: tuple[str, ...]
    network: Network
    statistics: Trees
    rhythm: Trees
    about: dict[str, Any]  # What they learned from, and how

    def probabilities(self, waveforms: ArrayLike) -> dict[str, Floats]:
        """Let each judge say how likely each genre is (notebook 07).

        Parameters
        ----------
        waveforms : array_like, shape (clips, 110250)
            Five seconds each, mono at 22 050 Hz, at any level.

        Returns
        -------
        dict of str to ndarray of float32, shape (clips, genres)
            By the names in `JUDGES`.
        """
        return self.judge(hear(waveforms))

    def judge(self, heard: Heard) -> dict[str, Floats]:
        """Say the same of what was heard already."""
        return {
            "network": self.network.probabilities(heard.bands),
            "statistics": self.statistics.probabilities(heard.statistics),
            "rhythm": self.rhythm.probabilities(heard.rhythm),
        }

    def verdict(self, waveforms: ArrayLike) -> NDArray[np.object_]:
        """Name the genre on which two of three agree, or None; shape (clips,) (notebook 07)."""
        labels = two_of_three(self.probabilities(waveforms))
        return np.array([*self.genres, None], object)[labels]


def two_of_three(probabilities: Mapping[str, Floats]) -> NDArray[np.int64]:
    """Find the genre that two judges hear, or `UNDECIDED`; shape (clips,) (notebook 07).

    Examples
    --------
    >>> one, other = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    >>> two_of_three({"network": one, "statistics": other, "rhythm": other}).tolist()
    [1]
    """
    first, second, third = (probabilities[name].argmax(axis=1) for name in JUDGES)
    agreed = np.where((first == second) | (first == third), first, UNDECIDED)
    return np.where(second == third, second, agreed)


@dataclass(frozen=True)
class Taught:
    """How far the judges have come; they are there after the last step (notebook 07)."""

    step: int
    steps: int
    judges: Judges | None = None

    @property
    def finished(self) -> Judges:
        """The judges, after the last step."""
        assert self.judges is not None
        return self.judges


def teach(lessons: Lessons, learning: Learning, **about: Any) -> Iterator[Taught]:
    """Let three judges learn (notebook 07).

    Parameters
    ----------
    lessons : Lessons
        From `lessons.listen`.
    learning : Learning
        Epochs of the network, and the seed.
    **about : Any
        What else `judges.json` shall say, such as the source.

    Yields
    ------
    Taught
        After each epoch of the network, and after each grove of trees.
    """
    heard, labels, seed = lessons.heard, lessons.labels, learning.seed
    steps = learning.epochs + 2
    epochs = Network.learn(heard.bands, labels, learning.epochs, seed)
    for epoch, network in enumerate(epochs, start=1):  # noqa: B007 (the last one is kept)
        yield Taught(epoch, steps)
    statistics = Trees.grow(heard.statistics, labels, STATISTICS, seed)
    yield Taught(steps - 1, steps)
    rhythm = Trees.grow(heard.rhythm, labels, RHYTHM, seed)
    about |= {
        "settings": asdict(learning),
        "clips": int((lessons.conditions == SOUND).sum()),
        "tracks": int(lessons.tracks.max()) + 1,
        "environment": {
            "machine": machine(),
            "python": platform.python_version(),
            "lildata_utils": __version__,
        },
    }
    assert network is not None
    yield Taught(steps, steps, Judges(lessons.genres, network, statistics, rhythm, about))


def save(judges: Judges, folder: str | Path) -> None:
    """Write judges into a folder; what says that they are there comes last (notebook 07)."""
    folder = Path(folder)
    for name, arrays in _arrays(judges).items():
        with written_beside(folder / f"{name}.npz") as beside:
            np.savez_compressed(beside, **arrays)  # type: ignore[arg-type]
    write_json(folder / ABOUT_FILE, {"version": VERSION, "genres": judges.genres, **judges.about})


def _arrays(judges: Judges) -> dict[str, dict[str, NDArray[Any]]]:
    weights = {f"{number:03}": w for number, w in enumerate(judges.network.weights)}
    trees = {"statistics": judges.statistics, "rhythm": judges.rhythm}
    return {"network": weights} | {
        name: {f.name: getattr(one, f.name) for f in fields(Trees)} for name, one in trees.items()
    }


@dataclass(frozen=True)
class _About:
    version: int
    genres: tuple[str, ...]


def load_judges(folder: str | Path) -> Judges:
    """Open a folder of judges (notebook 07).

    Raises
    ------
    LilDataError
        If there are none, or a file is broken or does not fit the others.
    """
    folder = Path(folder)
    path = folder / ABOUT_FILE
    if not path.is_file():
        raise LilDataError(
            f"{folder} is no folder of judges ({ABOUT_FILE} is missing): expected what "
            "`lildata judges train` wrote"
        )
    about = read_as(path, _About)
    if about.version != VERSION or len(about.genres) < 2:
        raise LilDataError(f"{path} is not of version {VERSION}: let the judges learn again")
    genres, silence = len(about.genres), hear(np.zeros((1, CLIP_SAMPLES)))
    return Judges(
        about.genres,
        _network(folder, genres),
        _trees(folder, "statistics", genres, silence.statistics.shape[1]),
        _trees(folder, "rhythm", genres, silence.rhythm.shape[1]),
        {k: v for k, v in read_json(path).items() if k not in ("version", "genres")},
    )


def shipped_judges() -> Judges:
    """Open the judges that come with the course: for the crate's eight genres (notebook 07)."""
    return load_judges(SHIPPED)


def _network(folder: Path, genres: int) -> Network:
    with _opened(folder / "network.npz") as arrays:
        network = Network(genres, tuple(arrays.values()))
        network.model  # noqa: B018 (built now, so that an error names the file)
    return network


def _trees(folder: Path, name: str, genres: int, features: int) -> Trees:
    with _opened(folder / f"{name}.npz") as arrays:
        trees = Trees(**{field.name: arrays[field.name] for field in fields(Trees)})
        trees.check(genres, features)
    return trees


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, NDArray[Any]]]:
    """Read arrays; what is wrong with them, or with what is made of them, is one line."""
    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            read = {name: arrays[name] for name in arrays.files}
        yield read
    # Whatever numpy and Keras raise on broken files.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LilDataError(f"{path}: {reason}; let the judges learn again") from None


def check_folder(folder: Path) -> None:
    """Raise a LilDataError where something else than judges is (notebook 07)."""
    if folder.is_file() or (
        not (folder / ABOUT_FILE).is_file()
        and any(path.name[0] != "." for path in folder.glob("*"))
    ):
        raise LilDataError(f"{folder} exists and holds no judges: choose another folder")


def hear_file(judges: Judges, path: str | Path) -> dict[str, Any]:
    """Let judges listen to a music file of any length (notebook 07).

    Returns
    -------
    dict
        The genre that each of `JUDGES` hears, by the vote of its clips, and the `VERDICT` on the
        file: None where no two agree. ``clips``: the verdict on each 5 s.

    Raises
    ------
    AudioError
        If the file can't be read or is shorter than a clip.
    """
    path = Path(path)
    parts = [hear(clips) for clips in cut_clips(read_blocks(path))]
    if not parts:
        raise AudioError(path, f"too short: a clip needs {CLIP_S:.0f} s")
    said = judges.judge(join(parts))
    names = np.array([*judges.genres, None], object)
    whole = {name: one.mean(axis=0, keepdims=True) for name, one in said.items()}
    return {
        **{name: judges.genres[int(one.argmax())] for name, one in whole.items()},
        VERDICT: names[two_of_three(whole)][0],
        "clips": names[two_of_three(said)].tolist(),
    }


def examine(judges: Judges, lessons: Lessons) -> list[dict[str, Any]]:
    """Test judges: accuracies by condition, with intervals over tracks (notebook 07).

    A clip without a verdict counts as wrong.

    Returns
    -------
    list of dict
        ``condition``, ``judge`` (one of `JUDGES`, or `VERDICT`), ``accuracy``, ``interval95``,
        ``loss`` (how much less than as it is), ``loss_interval95``, ``decided`` (the share
        of clips on which there is a verdict), ``clips`` and ``tracks``.

    Raises
    ------
    LilDataError
        If there are genres that the judges did not learn.
    """
    if unknown := [genre for genre in lessons.genres if genre not in judges.genres]:
        raise LilDataError(
            f"the judges know nothing of {', '.join(unknown)}: they know {', '.join(judges.genres)}"
        )
    true = np.array([judges.genres.index(genre) for genre in lessons.genres])[lessons.labels]
    said = judges.judge(lessons.heard)
    answers = {name: one.argmax(axis=1) for name, one in said.items()} | {
        VERDICT: two_of_three(said)
    }
    rows = []
    for judge, labels in answers.items():
        right = labels == true
        plain = lessons.conditions == SOUND
        for condition in CONDITIONS:
            now = lessons.conditions == condition
            lost = right[plain].astype(float) - right[now]
            tracks = lessons.tracks[now]
            rows.append(
                {
                    "condition": condition,
                    "judge": judge,
                    "accuracy": float(right[now].mean()),
                    "interval95": bootstrap_interval(right[now], tracks),
                    "loss": float(lost.mean()),
                    "loss_interval95": bootstrap_interval(lost, tracks),
                    "decided": float((labels[now] != UNDECIDED).mean()),
                    "clips": int(now.sum()),
                    "tracks": len(np.unique(tracks)),
                }
            )
    return rows
