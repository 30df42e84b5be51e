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
from typing import Any

import pandas as pd

from lildata_utils import __version__
from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import PRETRAINED, read_json
from lildata_utils.learning.recipe import Recipe
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.settings import Settings

VERSION = 1
RUN_FILE = "run.json"
MODEL_FILE = "model.keras"
HISTORY_FILE = "history.csv"
CHECKPOINT_FILE = "checkpoint.npz"
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
            If the file is missing or broken.
        """
        # A file names the classes of its layers: Keras must have met them.
        from lildata_utils.networks import lstm  # noqa: F401

        path = self.folder / MODEL_FILE
        if not path.is_file():
            raise LilDataError(f"{path} is missing: train the run again with `lildata train`")
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:  # Keras raises whatever its parts raise on a broken file.
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise LilDataError(f"{path} can't be read as a Keras model ({reason})") from None


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


def shipped_run(name: str) -> Run | None:
    """Open a run that comes with the course, such as ``lil_data``; None where it is not there.

    Notebook 00 listens with it.
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
    about = {
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
    # Through JSON and back, so that it can be compared with what was read from run.json.
    result: dict[str, Any] = json.loads(json.dumps(about))
    return result


def environment(fused: Any) -> dict[str, Any]:
    """Say where a network is trained, and in which precision (README)."""
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
    """Say how the run in a folder differs from what is asked for; empty if it doesn't (README).

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
    """Delete a run's files, and nothing else (README)."""
    for name in (HISTORY_FILE, CHECKPOINT_FILE, MODEL_FILE, RUN_FILE):
        (folder / name).unlink(missing_ok=True)


def read_history(folder: Path) -> pd.DataFrame:
    """Read a run's history; without one, no epoch is done (README)."""
    path = folder / HISTORY_FILE
    if not path.is_file():
        return pd.DataFrame({"epoch": []})
    try:
        history = pd.read_csv(path)
        history["epoch"], history["loss"]
    except (OSError, ValueError, KeyError) as error:
        raise LilDataError(
            f"{path} can't be read as a history ({error}): delete it, then train the run again"
        ) from None
    return history


def _read_about(folder: Path) -> dict[str, Any]:
    """Read run.json and check that it has what this module needs."""
    about = read_json(folder / RUN_FILE)
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise LilDataError(f"{folder / RUN_FILE} is not of version {VERSION}: train the run again")
    try:
        about["settings"]["network"], about["data"]["genres"], about["environment"]
    except (KeyError, TypeError):
        raise LilDataError(f"{folder / RUN_FILE} is incomplete: train the run again") from None
    return about
