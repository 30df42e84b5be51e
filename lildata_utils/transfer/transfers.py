"""Genre transfer from sound to sound: settings that reproduce it, its result, and its files.

The panel, the command line and notebook 04 all run the same functions.
"""

import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.files import LIL_DATA_RUN, file_size, read_json, read_table, write_json
from lildata_utils.machine import machine
from lildata_utils.sound import audio, inversion, measures, spectrogram
from lildata_utils.sound.clip import Clip, read_clip
from lildata_utils.sound.pictures import write_picture
from lildata_utils.sound.spectrogram import Floats

if TYPE_CHECKING:
    from lildata_utils.learning.training import Run
    from lildata_utils.transfer.style_transfer import Step, StyleNetwork

# Where the phases of the result's sound start: at the content's own, or at a guess from the picture
# alone, which is all that the paper had.
PHASES = ("content", "picture")
INVERSION_ITERATIONS = 100


@dataclass(frozen=True)
class Settings:
    """All that decides a transfer's result.

    Attributes
    ----------
    content, style : str
        Audio files (or names of clips, where a notebook or the panel made them).
    content_start_s, style_start_s : float
        Where the 5 s begin.
    network : str
        ``lil_data`` (the one that comes with the course), ``vgg19``, or the folder of a run.
    weights : str or None
        A file of weights for VGG-19; None takes ImageNet's where they can be had.
    alpha, beta : float or None
        Weights of the content cost and of the style cost; None takes the paper's.
    iterations : int or None
        None takes the paper's early stop.
    optimizer : str
        See `style_transfer.transfer`.
    step_size : float or None
        In grey levels; None takes the optimizer's.
    start : {"content", "style", "noise"}
        The first picture.
    phase : {"content", "picture"}
        Where the sound's phases come from.
    seed : int
        Of noise and of random weights.
    """

    content: str
    style: str
    content_start_s: float = 0.0
    style_start_s: float = 0.0
    network: str = "lil_data"
    weights: str | None = None
    alpha: float | None = None
    beta: float | None = None
    iterations: int | None = None
    optimizer: str = "adam"
    step_size: float | None = None
    start: str = "content"
    phase: str = "content"
    seed: int = 0


def load_network(name: str, weights: Path | None = None, seed: int = 0) -> "StyleNetwork":
    """Load a network to transfer with, by the name that `Settings` has for it.

    Parameters
    ----------
    name : str
        ``lil_data``, ``vgg19``, or the folder of a run of `lildata train cnn`.
    weights : Path, optional
        A file of weights for VGG-19.
    seed : int
        Of random weights, where there are no others.

    Raises
    ------
    LilDataError
        If there is no such run, or weights are given to another network than VGG-19.
    """
    from lildata_utils.learning.training import RUN_FILE, load_run
    from lildata_utils.transfer.style_transfer import lil_data_network, vgg19_network

    if name == "vgg19":
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network = vgg19_network(weights, seed)
        for warning in caught:
            # A plain line: the warning's own form shows a path and a line of our code.
            print(f"note: {warning.message}", file=sys.stderr)
        return network
    if weights is not None:
        raise LilDataError(f"--weights is for vgg19, not for {name}: leave it out")
    folder = LIL_DATA_RUN if name == "lil_data" else Path(name)
    if name == "lil_data" and not (folder / RUN_FILE).is_file():
        print("note: Lil Data gets random weights: none come with this copy", file=sys.stderr)
        return lil_data_network(None, seed)
    return lil_data_network(load_run(folder), seed)


def transfer_clips(
    content: Clip, style: Clip, network: "StyleNetwork", settings: Settings
) -> Iterator["Step"]:
    """Run a transfer as its settings say; see `style_transfer.transfer`."""
    from lildata_utils.transfer.style_transfer import transfer

    return transfer(
        content.image,
        style.image,
        network,
        alpha=settings.alpha,
        beta=settings.beta,
        iterations=settings.iterations,
        optimizer=settings.optimizer,
        step_size=settings.step_size,
        start=settings.start,
        seed=settings.seed,
    )


def to_sound(image: ArrayLike, content: Clip, phase: str = "content") -> Floats:
    """Turn a transfer's picture into sound, at the content's level.

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

    Raises
    ------
    LilDataError
        If there is no such phase.
    """
    if phase not in PHASES:
        raise LilDataError(f"phase {phase!r} is unknown: choose one of {', '.join(PHASES)}")
    known = np.angle(spectrogram.stft(content.waveform))
    *_, step = inversion.invert(
        spectrogram.image_to_magnitude(image, content.peak),
        iterations=INVERSION_ITERATIONS,
        phase=known if phase == "content" else "multiresolution",
    )
    return step.waveform


def report(
    settings: Settings,
    network: "StyleNetwork",
    first: "Step",
    last: "Step",
    waveform: Floats,
    content: Clip,
    style: Clip,
) -> dict[str, Any]:
    """Put into one JSON-able record what a transfer was and what came of it.

    ``lil_data_says`` is there where the course's network is. It must not judge a result of its own
    gradients; for those of VGG-19 it is a stranger.
    """
    return {
        "settings": asdict(settings),
        "weights": network.weights,
        "machine": machine(),
        "start": _costs(first),
        "end": _costs(last),
        "measures": measures.describe_transfer(waveform, content.waveform, style.waveform),
        "copy of the content": measures.describe_transfer(
            content.waveform, content.waveform, style.waveform
        ),
        "copy of the style": measures.describe_transfer(
            style.waveform, content.waveform, style.waveform
        ),
        "lil_data_says": _verdict(waveform),
    }


def save(out: Path, image: ArrayLike, waveform: ArrayLike, record: dict[str, Any]) -> None:
    """Write a transfer's sound, picture (``.png``) and record (``.json``), the record last.

    Parameters
    ----------
    out : Path
        The sound file; its suffix chooses the format.
    image : array_like, shape (631, 631)
        In [0, 255].
    waveform : array_like, shape (samples,)
        Turned down to full scale where it exceeds that.
    record : dict
        As `report` makes it; its ``settings`` reproduce the result.
    """
    samples = np.asarray(waveform)
    audio.write(out, samples / max(1.0, float(np.abs(samples).max())))
    write_picture(out.with_suffix(".png"), np.clip(np.rint(image), 0, 255))
    write_json(out.with_suffix(".json"), record)


def check_out(out: Path, inputs: Sequence[Path]) -> None:
    """Make sure that `save` would write over nothing but an earlier result.

    Raises
    ------
    LilDataError
        If one of its files is an input, or something else than a transfer's result.
    """
    record = out.with_suffix(".json")
    files = [out, out.with_suffix(".png"), record]
    taken = {path.resolve() for path in inputs}
    for file in files:
        if file.resolve() in taken:
            raise LilDataError(f"{file} is also an input: choose another name for the result")
    there = [file for file in files if file.exists()]
    try:
        if there:
            read_settings(record)
    except LilDataError:
        raise LilDataError(
            f"{there[0]} is there and no result of a transfer: choose another name"
        ) from None


def read_settings(path: Path) -> Settings:
    """Read the settings of a saved transfer.

    Raises
    ------
    LilDataError
        If the file holds none.
    """
    try:
        return Settings(**read_json(path)["settings"])
    except (TypeError, KeyError):
        names = ", ".join(field.name for field in fields(Settings))
        raise LilDataError(f"{path}: no settings of a transfer; expected {names}") from None


def transfer_files(settings: Settings, network: "StyleNetwork", out: Path) -> Iterator["Step"]:
    """Transfer from file to file; writes `out` and the files beside it at the end.

    Yields
    ------
    Step
        As `style_transfer.transfer` does.

    Raises
    ------
    LilDataError
        If a file can't be used or a setting is wrong.
    """
    audio.check_format(out)
    check_out(out, [Path(settings.content), Path(settings.style)])
    content = read_clip(Path(settings.content), settings.content_start_s)
    style = read_clip(Path(settings.style), settings.style_start_s)
    first = None
    for step in transfer_clips(content, style, network, settings):
        first = first or step
        yield step
    assert first is not None  # step 0 always comes
    waveform = to_sound(step.image, content, settings.phase)
    record = report(settings, network, first, step, waveform, content, style)
    save(out, step.image, waveform, record)


def read_pairs(path: Path, common: Settings) -> dict[str, Settings]:
    """Read a table of pairs for a batch of transfers.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``content`` and ``style``, and if wanted ``content_start_s``,
        ``style_start_s`` and ``name``. Files are found from the table's folder on.
    common : Settings
        What all of them share.

    Returns
    -------
    dict of str to Settings
        By the names of the results.

    Raises
    ------
    LilDataError
        If a column is missing, a start is no number, or two results have the same name.
    """
    pairs: dict[str, Settings] = {}
    for line, row in enumerate(read_table(path, ["content", "style"]), start=2):
        if not row["content"] or not row["style"]:
            raise LilDataError(f"{path}, line {line}: content and style must name a file each")
        content, style = (path.parent / row[part] for part in ("content", "style"))
        name = row.get("name") or f"{content.stem} as {style.stem}"
        if name in (".", "..") or Path(name).name != name:
            raise LilDataError(f"{path}, line {line}: {name!r} must be a plain file name")
        try:
            starts = [float(row.get(f"{part}_start_s") or 0) for part in ("content", "style")]
        except ValueError:
            raise LilDataError(
                f"{path}, line {line}: a start must be a number of seconds"
            ) from None
        if name in pairs:
            raise LilDataError(f"{path}, line {line}: a second result {name!r}: add a column name")
        pairs[name] = replace(
            common,
            content=str(content),
            style=str(style),
            content_start_s=starts[0],
            style_start_s=starts[1],
        )
    if not pairs:
        raise LilDataError(f"{path} names no pairs: expected a line for each below the header")
    return pairs


def is_done(out: Path, settings: Settings, weights: str) -> bool:
    """Tell whether an earlier run has written this result with these settings and weights."""
    record = out.with_suffix(".json")
    try:
        same = read_settings(record) == settings and read_json(record)["weights"] == weights
    except (LilDataError, KeyError):
        return False
    return same and min(file_size(out), file_size(out.with_suffix(".png"))) > 0


@cache
def _judge() -> "Run | None":
    from lildata_utils.learning.training import RUN_FILE, load_run

    folder = LIL_DATA_RUN
    return load_run(folder) if (folder / RUN_FILE).is_file() else None


def _verdict(waveform: Floats) -> dict[str, float]:
    from lildata_utils.networks.classifier import predict

    run = _judge()
    if run is None:
        return {}
    image, _ = spectrogram.to_image(waveform)
    chances = predict(run.model, image[None])[0]
    return {genre: round(float(p), 4) for genre, p in zip(run.genres, chances, strict=True)}


def _costs(step: "Step") -> dict[str, float]:
    return {
        "iteration": step.number,
        "content_cost": step.content_cost,
        "style_cost": step.style_cost,
        "total_cost": step.total_cost,
    }
