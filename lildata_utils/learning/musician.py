"""A musician: a codec and a composer that writes its codes, in a folder (notebook 08).

A folder of a musician is::

    musician.json    genres, settings, what it learned from, how, on which machine
    codec.npz        weights of the autoencoder, half precision
    composer.npz     weights of the transformer, half precision
    practice/        music in bands, and where both trainings stand; not needed to make music
"""

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
from lildata_utils.learning.codec import CodecLearner
from lildata_utils.learning.composer import ComposerLearner, transcribe
from lildata_utils.learning.practice import practise
from lildata_utils.learning.settings import Apprenticeship
from lildata_utils.learning.songbook import read_songbook, write_songbook
from lildata_utils.machine import machine
from lildata_utils.networks.codec import Codec
from lildata_utils.networks.composer import Composer
from lildata_utils.networks.settings import CodecSettings, ComposerSettings
from lildata_utils.parallel import Workers

VERSION = 1
ABOUT_FILE = "musician.json"
SHIPPED = PRETRAINED / "musician"


@dataclass(frozen=True)
class Musician:
    """A codec and a composer (notebook 08)."""

    genres: tuple[str, ...]
    codec: Codec
    composer: Composer
    about: dict[str, Any]  # What they learned from, and how

    def number(self, genre: str | None) -> int:
        """Give a genre's number; None is any genre.

        Raises
        ------
        LilDataError
            If it never learned that one.
        """
        if genre is None:
            return len(self.genres)
        if genre not in self.genres:
            raise LilDataError(f"genre {genre!r}: the musician knows {', '.join(self.genres)}")
        return self.genres.index(genre)


@dataclass(frozen=True)
class Learned:
    """How far a musician has come (notebook 08)."""

    stage: str  # ``music``, ``codec`` or ``composer``
    step: int
    steps: int
    figures: dict[str, float]


def train(
    folder: Path,
    lessons: Apprenticeship,
    codec: CodecSettings = CodecSettings(),
    composer: ComposerSettings = ComposerSettings(),
    workers: Workers = 1,
) -> Iterator[Learned]:
    """Render music, teach a codec, then a composer; write them into a folder (notebook 08).

    A stopped training goes on where it was with the same call; with more steps a finished one goes
    on, too.

    Raises
    ------
    LilDataError
        If the folder holds something else, or a training with other settings, or a loss is no
        number.
    """
    check_folder(folder)
    about = {
        "settings": {"codec": asdict(codec), "composer": asdict(composer), **asdict(lessons)},
        "environment": {
            "machine": machine(),
            "python": platform.python_version(),
            "lildata_utils": __version__,
        },
    }
    practice = folder / "practice"
    _check_same(practice / "settings.json", codec, composer, lessons)
    collection = lessons.collection
    for done, total in write_songbook(practice / "music", collection, workers):
        yield Learned("music", done, total, {})
    songbook = read_songbook(practice / "music", collection)

    painter = Codec(codec, lessons.seed)
    learner = CodecLearner(painter, songbook, lessons.codec_steps, lessons.seed)
    for step in practise(practice / "codec.npz", learner, lessons.codec_steps):
        yield Learned("codec", step.step, step.steps, step.figures)
    learner.averaged()

    writer = _composer(collection.genres, codec, composer, lessons.seed)
    scores = transcribe(painter, songbook)
    student = ComposerLearner(writer, scores, lessons.composer_steps, lessons.seed)
    for step in practise(practice / "composer.npz", student, lessons.composer_steps):
        yield Learned("composer", step.step, step.steps, step.figures)
    student.averaged()
    about["history"] = {
        name: read_json(practice / f"{name}.json") for name in ("codec", "composer")
    }
    save(Musician(collection.genres, painter, writer, about), folder)


def _composer(
    genres: tuple[str, ...], codec: CodecSettings, composer: ComposerSettings, seed: int
) -> Composer:
    return Composer(len(genres), codec.tokens, codec.codes, composer, seed)


def _check_same(path: Path, *settings: Any) -> None:
    """Refuse to go on with other settings; more steps and more music are no others."""
    growing = ("codec_steps", "composer_steps", "tracks")
    now = [{k: v for k, v in asdict(one).items() if k not in growing} for one in settings]
    about = {"settings": now}
    if not path.is_file():
        write_json(path, about)
    elif read_as(path, dict) != json.loads(json.dumps(about)):
        raise LilDataError(
            f"{path.parent} holds a training with other settings: ask for the same, choose another "
            "folder, or delete it to begin anew"
        )


def check_folder(folder: Path) -> None:
    """Raise a LilDataError where something else than a musician is (notebook 08)."""
    known = (folder / ABOUT_FILE).is_file() or (folder / "practice").is_dir()
    if folder.is_file() or (not known and any(p.name[0] != "." for p in folder.glob("*"))):
        raise LilDataError(f"{folder} exists and holds no musician: choose another folder")


def save(musician: Musician, folder: Path) -> None:
    """Write a musician; what says that it is there comes last (notebook 08)."""
    for name in ("codec", "composer"):
        network = getattr(musician, name)
        arrays = {f"{k:03}": w.numpy() for k, w in enumerate(network.trainable_variables)}
        with written_beside(folder / f"{name}.npz") as beside:
            halves = {key: array.astype(np.float16) for key, array in arrays.items()}
            np.savez_compressed(beside, **halves)
    write_json(
        folder / ABOUT_FILE, {"version": VERSION, "genres": musician.genres, **musician.about}
    )


@dataclass(frozen=True)
class _Networks:
    codec: dict[str, Any]
    composer: dict[str, Any]


@dataclass(frozen=True)
class _About:
    version: int
    genres: tuple[str, ...]
    settings: _Networks


def load_musician(folder: str | Path) -> Musician:
    """Open a musician's folder (notebook 08).

    Raises
    ------
    LilDataError
        If there is none, or a file is broken or does not fit the others.
    """
    folder = Path(folder)
    path = folder / ABOUT_FILE
    if not path.is_file():
        raise LilDataError(
            f"{folder} holds no musician ({ABOUT_FILE} is missing): expected what "
            "`lildata musician` wrote"
        )
    about = read_as(path, _About)
    if about.version != VERSION or not about.genres:
        raise LilDataError(f"{path} is not of version {VERSION}: train it again")
    codec = CodecSettings.made_of(about.settings.codec)
    composer = ComposerSettings.made_of(about.settings.composer)
    painter, writer = Codec(codec), _composer(about.genres, codec, composer, 0)
    _fill(painter, folder / "codec.npz")
    _fill(writer, folder / "composer.npz")
    known = ("version", "genres")
    rest = {key: value for key, value in read_json(path).items() if key not in known}
    return Musician(about.genres, painter, writer, rest)


def _fill(network: Any, path: Path) -> None:
    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            weights = [arrays[name].astype(np.float32) for name in sorted(arrays.files)]
        variables = network.trainable_variables
        if [w.shape for w in weights] != [tuple(v.shape) for v in variables]:
            raise LilDataError("its weights are of another network")
        if not all(np.isfinite(w).all() for w in weights):
            raise LilDataError("it holds weights that are no numbers")
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)
    # Whatever numpy raises on broken files.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LilDataError(f"{path} can't be read ({reason}): train the musician again") from None
