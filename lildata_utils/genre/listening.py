"""A trained network listens to a music file of any length: what it hears every 5 s, and in all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.errors import LilDataError
from lildata_utils.genre.evaluation import vote
from lildata_utils.genre.predict import predict
from lildata_utils.learning.runs import MODEL_FILE, Run, load_run
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound.audio import AudioError, read_blocks
from lildata_utils.sound.spectrogram import CLIP_S, Floats, cut_clips, to_image


@dataclass(frozen=True)
class Verdict:
    """What a network hears in a file (notebook 00).

    Attributes
    ----------
    file : Path
        The music.
    genres : tuple of str
        What the columns of `probabilities` stand for.
    probabilities : ndarray of float32, shape (clips, genres)
        A row for every 5 s; what is left at the end of the file is not heard.
    overall : ndarray of float32, shape (genres,)
        The clips' vote.
    damage : tuple of str
        What is wrong with the file: it may end early, for one.
    """

    file: Path
    genres: tuple[str, ...]
    probabilities: Floats
    overall: Floats
    damage: tuple[str, ...] = ()

    @property
    def genre(self) -> str:
        """The genre of the file as a whole."""
        return self.genres[int(self.overall.argmax())]

    def spans(self) -> list[tuple[float, float, str, float]]:
        """Join neighbouring clips of one genre: start_s, end_s, genre, mean probability."""
        winners = self.probabilities.argmax(axis=1)
        spans = []
        for label, group in groupby(range(len(winners)), key=lambda clip: int(winners[clip])):
            clips = list(group)
            share = float(self.probabilities[clips, label].mean())
            spans.append((clips[0] * CLIP_S, (clips[-1] + 1) * CLIP_S, self.genres[label], share))
        return spans

    def as_json(self) -> dict[str, Any]:
        """Say the same in what JSON can hold."""

        def named(row: Floats) -> dict[str, float]:
            return {g: round(float(p), 4) for g, p in zip(self.genres, row, strict=True)}

        clips = [
            {
                "start_s": number * CLIP_S,
                "genre": self.genres[row.argmax()],
                "probabilities": named(row),
            }
            for number, row in enumerate(self.probabilities)
        ]
        overall = named(self.overall)
        heard = {
            "file": str(self.file),
            "genre": self.genre,
            "probabilities": overall,
            "clips": clips,
        }
        return heard | ({"damage": list(self.damage)} if self.damage else {})


def classify_file(run: Run, path: str | Path) -> Verdict:
    """Let a run's network listen to a file (notebook 00).

    Parameters
    ----------
    run : Run
        From `runs.load_run`.
    path : str or Path
        Music in any format, of any length: it is read in blocks.

    Raises
    ------
    AudioError
        If the file can't be read or is shorter than a clip.
    """
    path, damage = Path(path), list[str]()
    blocks = read_blocks(path, tell=damage.append)
    rows = [predict(run.model, to_image(clips)[0]) for clips in cut_clips(blocks)]
    if not rows:
        raise AudioError(path, f"too short: a clip needs {CLIP_S:.0f} s")
    probabilities = np.concatenate(rows)
    overall = vote(probabilities, np.zeros(len(probabilities), int))[0]
    return Verdict(path, run.genres, probabilities, overall, tuple(damage))


def classify_files(
    run: Run, paths: Sequence[Path], workers: Workers = 1
) -> Iterator[tuple[Path, Verdict | LilDataError]]:
    """Let a run's network listen to files; one that can't be heard costs no other (notebook 00).

    Yields
    ------
    path, verdict : Path, Verdict or LilDataError
        In this order; on a cluster (see `parallel.map_unordered`) in the order in which they end.
    """
    listen = partial(_listen, run if workers == 1 else run.folder)
    yield from filter(None, map_unordered(listen, paths, workers, lost=AudioError))


def _listen(run: Run | Path, path: Path) -> Verdict | LilDataError:
    try:
        if isinstance(run, Path):
            run = _opened(run, (run / MODEL_FILE).stat().st_mtime_ns)
        return classify_file(run, path)
    except LilDataError as error:
        return error


@lru_cache(1)
def _opened(folder: Path, time_ns: int) -> Run:
    """Open a run once for many files, and anew when it was trained anew."""
    return load_run(folder)


def describe(verdict: Verdict) -> Iterator[str]:
    """Say in lines what was heard when, then the verdict on the file (notebook 00).

    Yields
    ------
    str
        Like ``  0:00 -  1:35  house  93 %``.
    """
    yield f"{verdict.file}:"
    for start_s, end_s, genre, share in verdict.spans():
        yield f"  {_clock(start_s)} - {_clock(end_s)}  {genre:14} {share:4.0%}"
    yield f"  verdict: {verdict.genre} ({verdict.overall.max():.0%})"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:4}:{rest:02}"
