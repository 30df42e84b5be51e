"""A run on disk: a trained network, how it was trained, and on what.

A run is a folder::

    run.json         network, settings, data, versions, machine
    checkpoint.npz   weights, optimizer and history after the last whole epoch
    model.keras      the network after its best epoch: a plain Keras file
    history.csv      a row an epoch; written last, so it never tells of what is not there
"""

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zipfile import ZipFile

import pandas as pd
from msgspec import Meta

from lildata_utils import __version__
from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import PRETRAINED, check_zip, read_json
from lildata_utils.learning.recipe import Recipe
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.networks.settings import CLASSIFIERS, SETTINGS, TAKE_STORED
from lildata_utils.schema import checked
from lildata_utils.settings import Settings
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

VERSION = 1
RUN_FILE = "run.json"
MODEL_FILE = "model.keras"
HISTORY_FILE = "history.csv"
CHECKPOINT_FILE = "checkpoint.npz"
# No layer of any network here has more units or filters; to build one would fill the memory.
LARGEST_SIZE = 65_536
# The columns of clips.csv that say which sounds were learned, and as what.
IDENTITY = ["id", "genre", "start_s", "peak_db", "split"]


@dataclass(frozen=True)
class Run:
    """A trained network in its folder (notebook 02)."""

    folder: Path  # Where it is
    network: str  # ``softmax``, ``cnn``,
    genres: tuple[str, ...]  # What the network's outputs stand for, in this order
    # What was asked for, what it was trained on, and where it ran, from ``run.json``.
    settings: dict[str, Any]
    data: dict[str, Any]
    environment: dict[str, Any]
    history: pd.DataFrame  # A row an epoch

    @cached_property
    def model(self) -> Any:
        """The network after its best epoch (loaded at the first look).

        Raises
        ------
        LilDataError
            If the file is missing or broken, or does not fit what ``run.json`` says.
        """
        # A file names the classes of its layers: Keras must have met them.
        from lildata_utils.networks.lstm import SpectrogramLSTM

        path = self.folder / MODEL_FILE
        if not path.is_file():
            raise LilDataError(f"{path} is missing: train the run again with `lildata train`")
        try:
            check_zip(path)
            with ZipFile(path) as file:
                _check_sizes(json.loads(file.read("config.json")))
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
            shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
        except Exception as error:  # Keras raises whatever its parts raise on a broken file.
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise LilDataError(f"{path} can't be read as a Keras model ({reason})") from None
        channel = () if self.network in TAKE_STORED else (1,)
        wanted = (None, N_BINS, N_FRAMES, *channel), (None, len(self.genres))
        if self.network in CLASSIFIERS and shapes != wanted:
            raise LilDataError(
                f"{path} makes {shapes[1]} of {shapes[0]}; {RUN_FILE} with its {len(self.genres)} "
                f"genres expects {wanted[1]} of {wanted[0]}: they are not of one run"
            )
        if self.network not in CLASSIFIERS and not isinstance(model, SpectrogramLSTM):
            raise LilDataError(f"{path} is no network of kind {self.network}, as {RUN_FILE} says")
        return model


def load_run(folder: str | Path) -> Run:
    """Open a run folder; its network is loaded at the first look at ``run.model`` (notebook 02).

    A run that is still training may be opened after its first epoch.

    Raises
    ------
    LilDataError
        If there is no run in the folder, if it is broken, or if it has no whole epoch yet.
    """
    folder = Path(folder)
    if not (folder / RUN_FILE).is_file():
        raise LilDataError(
            f"{folder} is no run folder ({RUN_FILE} is missing): "
            "expected what `lildata train` wrote"
        )
    about = _read_about(folder)
    history = read_history(folder)
    if history.empty:
        raise LilDataError(f"{folder} has no whole epoch yet: train it with `lildata train`")
    return Run(
        folder,
        about["settings"]["network"],
        tuple(about["data"]["genres"]),
        about["settings"],
        about["data"],
        about["environment"],
        history,
    )


def _check_sizes(config: Any, name: str = "") -> None:
    """Refuse a model's configuration with sizes that no network has."""
    if isinstance(config, dict):
        for key, value in config.items():
            _check_sizes(value, key)
    elif isinstance(config, list):
        for value in config:
            _check_sizes(value, name)
    elif name.endswith(("seed", "_id")):  # any number will do
        pass
    elif isinstance(config, int | float) and abs(config) > LARGEST_SIZE:
        raise LilDataError(f"{name} {config:g} in config.json; expected at most {LARGEST_SIZE}")


def shipped_run(name: str) -> Run | None:
    """Open a run that comes with the course, such as ``lil_data``; None where it is not there.

    Listened to in notebook 00.
    """
    folder = PRETRAINED / name
    return load_run(folder) if (folder / RUN_FILE).is_file() else None


def describe(
    recipe: Recipe, settings: Settings, dataset: Dataset, training: Training
) -> dict[str, Any]:
    """Say what defines a run: two with the same answer are the same run (notebook 02)."""
    clips = dataset.clips[dataset.clips["split"].isin(["train", "validation"])]
    table = clips[IDENTITY].to_csv(index=False)
    rate = training.learning_rate
    about: dict[str, Any] = {
        "version": VERSION,
        "settings": {
            "network": recipe.name,
            **asdict(settings),
            "batch_size": training.batch_size,
            "learning_rate": recipe.learning_rate if rate is None else rate,
            "seed": training.seed,
        },
        "data": {
            "genres": dataset.genres,
            "train_clips": int((clips["split"] == "train").sum()),
            "validation_clips": int((clips["split"] == "validation").sum()),
            "digest": hashlib.sha256(table.encode()).hexdigest()[:16],
        },
    }
    if dataset.lessons is not None:
        about["data"]["lessons"] = hashlib.sha256(dataset.lessons.tobytes()).hexdigest()[:16]
    # Through JSON and back, so that it can be compared with what was read from run.json.
    result: dict[str, Any] = json.loads(json.dumps(about))
    return result


def environment(fused: Any) -> dict[str, Any]:
    """Say where a network is trained, and in which precision (notebook 02)."""
    dtypes = {layer.compute_dtype for layer in fused.layers}
    return {
        "precision": "bfloat16" if "bfloat16" in dtypes else "float32",
        "machine": machine(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "lildata_utils": __version__,
    }


def difference(folder: Path, about: dict[str, Any], recipe: Recipe) -> str:
    """Say how the run in a folder differs from what is asked for; empty if not (notebook 02).

    An option that the run does not name has come later: it had what is now the default.

    Raises
    ------
    LilDataError
        If the folder holds something, but no run.
    """
    if not (folder / RUN_FILE).is_file():
        # Hidden files don't count: a killed run may have left one half written.
        if folder.is_file() or any(not path.name.startswith(".") for path in folder.glob("*")):
            raise LilDataError(
                f"{folder} exists but is no run folder ({RUN_FILE} is missing): choose another"
            )
        return ""
    there = _read_about(folder)
    there["settings"] = json.loads(json.dumps(asdict(recipe.settings()))) | there["settings"]
    return ", ".join(
        f"{name} {there[part].get(name)!r} instead of {wanted!r}"
        for part in ("settings", "data")
        for name, wanted in about[part].items()
        if there[part].get(name) != wanted
    )


def discard(folder: Path) -> None:
    """Delete a run's files, and nothing else (notebook 02)."""
    for name in (HISTORY_FILE, CHECKPOINT_FILE, MODEL_FILE, RUN_FILE):
        (folder / name).unlink(missing_ok=True)


def read_history(folder: Path) -> pd.DataFrame:
    """Read a run's history; without one, no epoch is done (notebook 02)."""
    path = folder / HISTORY_FILE
    if not path.is_file():
        return pd.DataFrame({"epoch": []})
    try:
        history = pd.read_csv(path)
        rows = checked(history.to_dict("records"), list[_Epoch])
        history[["epoch", "loss"]]
        if [row.epoch for row in rows] != list(range(1, len(rows) + 1)):
            raise LilDataError("epochs are not numbered from 1 on")
    except (OSError, ValueError, KeyError, LilDataError) as error:
        reason = " ".join(str(error).split())
        raise LilDataError(
            f"{path} can't be read as a history ({reason}): delete it, then train the run again"
        ) from None
    return history


_Number = Annotated[float, Meta(ge=-1e300, le=1e300)]  # NaN is a training that diverged


@dataclass(frozen=True)
class _Epoch:
    """A row of ``history.csv``."""

    epoch: int
    loss: _Number
    seconds: _Number
    accuracy: _Number = 0.0
    val_loss: _Number = 0.0
    val_accuracy: _Number = 0.0


@dataclass(frozen=True)
class _Network:
    network: Literal[*SETTINGS]  # type: ignore[valid-type]


@dataclass(frozen=True)
class _Data:
    genres: Annotated[tuple[str, ...], Meta(min_length=1)]


@dataclass(frozen=True)
class _About:
    """What is needed of ``run.json``."""

    settings: _Network
    data: _Data
    environment: dict[str, Any]


def _read_about(folder: Path) -> dict[str, Any]:
    """Read run.json and check that it has what this module needs."""
    path = folder / RUN_FILE
    about = read_json(path)
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise LilDataError(f"{path} is not of version {VERSION}: train the run again")
    network = checked(about, _About, str(path)).settings.network
    try:
        for kind in (SETTINGS[network], Training):
            kind.made_of(about["settings"])
    except LilDataError as error:
        raise LilDataError(f"{path}, settings: {error}") from None
    return about
