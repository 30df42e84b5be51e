"""Genre transfer from file to file: its sound, its record, and tables of pairs (notebook 04).

The panel, the command line and notebook 04 all run the same functions.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.files import check_results, file_size, read_json, read_table, write_json
from lildata_utils.genre.predict import predict
from lildata_utils.learning.runs import Run, load_run, shipped_run
from lildata_utils.machine import machine
from lildata_utils.parallel import apart, map_unordered
from lildata_utils.schema import checked
from lildata_utils.sound import audio, inversion, measures, spectrogram
from lildata_utils.sound.clip import Clip, read_clip
from lildata_utils.sound.pictures import write_picture
from lildata_utils.sound.spectrogram import Floats, rounded
from lildata_utils.transfer.painting import PaintingStep, paint
from lildata_utils.transfer.settings import LIL_DATA, PHASES, VGG19, Transfer
from lildata_utils.transfer.style_network import StyleNetwork, lil_data_network, vgg19_network

INVERSION_ITERATIONS = 100
LONGEST_NAME = 240  # bytes of a result's, before its suffix
# Columns that a table of pairs may have.
STARTS_S = ("content_start_s", "style_start_s")


@dataclass(frozen=True, eq=False)
class Result:
    """What a transfer has given, at its last iteration or an earlier one (notebook 04).

    `settings` reproduce it with `network`: their iterations are those that were done, from the step
    `first` to `last`. `waveform`, shape (110250,), is its sound.
    """

    settings: Transfer
    network: StyleNetwork
    first: PaintingStep
    last: PaintingStep
    waveform: Floats
    content: Clip
    style: Clip

    def record(self) -> dict[str, Any]:
        """Put into one JSON-able record what the transfer was and what came of it.

        ``lil_data_says`` is there where the course's network is. It must not judge a result of its
        own gradients; for those of VGG-19 it is a stranger.
        """

        def measured(waveform: Floats) -> dict[str, float]:
            content, style = self.content.waveform, self.style.waveform
            return measures.describe_transfer(waveform, content, style)

        return {
            "settings": asdict(self.settings),
            "weights": self.network.weights,
            "machine": machine(),
            "start": _costs(self.first),
            "end": _costs(self.last),
            "measures": measured(self.waveform),
            "copy of the content": measured(self.content.waveform),
            "copy of the style": measured(self.style.waveform),
            "lil_data_says": _verdict(self.waveform),
        }

    def save(self, out: str | Path) -> None:
        """Write sound, picture (``.png``) and record (``.json``), the record last.

        The suffix of `out` chooses the sound's format; a sound that exceeds full scale is turned
        down to it.
        """
        out, record = Path(out), self.record()
        # Should we be killed on the way, this says whose the half of it is; it is no whole record.
        write_json(out.with_suffix(".json"), {"settings": asdict(self.settings)})
        audio.write(out, self.waveform / max(1.0, float(np.abs(self.waveform).max())))
        write_picture(out.with_suffix(".png"), rounded(self.last.image))
        write_json(out.with_suffix(".json"), record)


def load_network(name: str, weights: str | Path | None = None, seed: int = 0) -> StyleNetwork:
    """Load a network to transfer with, by the name that `Transfer` has for it (notebook 04).

    `weights` is a file for VGG-19; `seed` is that of random weights, where there are no others.

    Raises
    ------
    LilDataError
        If there is no such run, or weights are given to another network than VGG-19.
    """
    if name == VGG19:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network = vgg19_network(weights and Path(weights), seed)
        for warning in caught:
            # A plain line: the warning's own form shows a path and a line of our code.
            print(f"note: {warning.message}", file=sys.stderr)
        return network
    if weights is not None:
        raise LilDataError(f"--weights is for vgg19, not for {name}: leave it out")
    if name != LIL_DATA:
        return lil_data_network(load_run(name), seed)
    run = shipped_run(LIL_DATA)
    if run is None:
        print("note: Lil Data gets random weights: none come with this copy", file=sys.stderr)
    return lil_data_network(run, seed)


def painting_to_sound(image: ArrayLike, content: Clip, phase: str = "content") -> Floats:
    """Turn a painted picture into sound, at the content's level (notebook 04).

    Parameters
    ----------
    image : array_like, shape (631, 631)
        In [0, 255].
    content : Clip
        What the picture was made of.
    phase : {"content", "picture"}
        Start from the content's phases, or from a guess from the picture alone.

    Returns
    -------
    ndarray of float32, shape (110250,)
    """
    if phase not in PHASES:
        raise LilDataError(f"phase must be one of {', '.join(PHASES)}, got {phase!r}")
    known = np.angle(spectrogram.stft(content.waveform))
    *_, step = inversion.invert(
        spectrogram.image_to_magnitude(image, content.peak),
        iterations=INVERSION_ITERATIONS,
        phase=known if phase == "content" else "multiresolution",
    )
    return step.waveform


def check_out(out: Path, inputs: Sequence[Path]) -> None:
    """Make sure that saving would write over nothing but an earlier result (notebook 04).

    Raises
    ------
    LilDataError
        If one of its files is an input, or something else than a transfer's result.
    """
    record = out.with_suffix(".json")
    files = [out, out.with_suffix(".png"), record]
    check_results(files, inputs, "a transfer", partial(read_settings, record))


def read_settings(path: str | Path) -> Transfer:
    """Read the settings of a saved transfer (notebook 04).

    Raises
    ------
    LilDataError
        If the file holds none, or those of an optimizer that an earlier version had.
    """
    path = Path(path)
    content = read_json(path)
    found = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(found, dict) or not {"content", "style"} <= found.keys():
        names = ", ".join(field.name for field in fields(Transfer))
        raise LilDataError(f"{path}: no settings of a transfer; expected {names}")
    optimizer = found.pop("optimizer", "adam")
    if optimizer != "adam":
        raise LilDataError(f"{path}: painted by {optimizer}, which is no more; expected adam")
    # Earlier versions wrote null for what was left to the optimizer.
    known = {name: value for name, value in found.items() if value is not None}
    return checked(known, Transfer, str(path))


def transfer_files(
    settings: Transfer, network: StyleNetwork, out: str | Path
) -> Iterator[PaintingStep]:
    """Transfer from file to file; writes `out` and the files beside it at the end (notebook 04).

    Yields what `painting.paint` does.

    Raises
    ------
    LilDataError
        If a file can't be used or a setting is wrong.
    """
    out = Path(out)
    audio.check_format(out)
    check_out(out, [Path(settings.content), Path(settings.style)])
    content = read_clip(settings.content, settings.content_start_s)
    style = read_clip(settings.style, settings.style_start_s)
    first = None
    for step in paint(content.image, style.image, network, settings):
        first = first or step
        yield step
    assert first is not None  # step 0 always comes
    waveform = painting_to_sound(step.image, content, settings.phase)
    Result(settings, network, first, step, waveform, content, style).save(out)


def transfer_far(
    todo: Mapping[Path, Transfer], address: str
) -> Iterator[tuple[Path, PaintingStep | LilDataError]]:
    """Do transfers on the Dask cluster at an address, by the files to write (notebook 04).

    Yields
    ------
    out, end : Path, PaintingStep or LilDataError
        As they end: its last step, or what was wrong.
    """
    shared = min(todo).parent if todo else None
    ended = map_unordered(_transfer_apart, list(todo.items()), address, _lost, shared)
    for (out, _), end in filter(None, ended):
        yield out, end


def _transfer_apart(job: tuple[Path, Transfer]) -> PaintingStep | LilDataError:
    try:
        (step,) = apart(_last_step, *job)
    except LilDataError as error:
        return error
    return step


def _last_step(out: Path, settings: Transfer) -> Iterator[PaintingStep]:
    network = load_network(settings.network, settings.weights, settings.seed)
    *_, step = transfer_files(settings, network, out)
    yield step


def _lost(job: tuple[Path, Transfer], reason: str) -> LilDataError:
    return LilDataError(f"{job[0]}: {reason}")


def read_pairs(path: str | Path, common: Transfer) -> dict[str, Transfer]:
    """Read a table of pairs for a batch of transfers (notebook 04).

    Parameters
    ----------
    path : str or Path
        A CSV file with the columns ``content`` and ``style``, and if wanted ``content_start_s``,
        ``style_start_s`` and ``name``. Files are found from the table's folder on.
    common : Transfer
        What all of them share.

    Returns
    -------
    dict of str to Transfer
        By the names of the results.

    Raises
    ------
    LilDataError
        If a column is missing, a start is no number, or two results have the same name.
    """
    path, pairs = Path(path), dict[str, Transfer]()
    for line, row in enumerate(read_table(path, ["content", "style"]), start=2):
        if not row["content"] or not row["style"] or "\0" in "".join(row.values()):
            raise LilDataError(f"{path}, line {line}: content and style must name a file each")
        content, style = (path.parent / row[part] for part in ("content", "style"))
        name = row.get("name") or f"{content.stem} as {style.stem}"
        if name in (".", "..") or Path(name).name != name or len(os.fsencode(name)) > LONGEST_NAME:
            raise LilDataError(f"{path}, line {line}: {name!r} must be a plain, short file name")
        if name in pairs:
            raise LilDataError(f"{path}, line {line}: a second result {name!r}: add a column name")
        try:
            starts: dict[str, Any] = {start: float(row.get(start) or 0) for start in STARTS_S}
            pairs[name] = replace(common, content=str(content), style=str(style), **starts)
        except ValueError:
            raise LilDataError(
                f"{path}, line {line}: a start must be a number of seconds"
            ) from None
        except LilDataError as error:
            raise LilDataError(f"{path}, line {line}: {error}") from None
    if not pairs:
        raise LilDataError(f"{path} names no pairs: expected a line for each below the header")
    return pairs


def is_done(out: Path, settings: Transfer, weights: str) -> bool:
    """Tell whether this result is there, made with these settings and weights (notebook 04)."""
    record = out.with_suffix(".json")
    try:
        same = read_settings(record) == settings and read_json(record)["weights"] == weights
    except (LilDataError, KeyError):
        return False
    return same and min(file_size(out), file_size(out.with_suffix(".png"))) > 0


@cache
def _judge() -> Run | None:
    return shipped_run(LIL_DATA)


def _verdict(waveform: Floats) -> dict[str, float]:
    run = _judge()
    if run is None:
        return {}
    image, _ = spectrogram.to_image(waveform)
    chances = predict(run.model, image[None])[0]
    return {genre: round(float(p), 4) for genre, p in zip(run.genres, chances, strict=True)}


def _costs(step: PaintingStep) -> dict[str, float]:
    return {
        "iteration": step.number,
        "content_cost": step.content_cost,
        "style_cost": step.style_cost,
        "total_cost": step.total_cost,
    }
