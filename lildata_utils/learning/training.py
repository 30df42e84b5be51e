"""One `fit` for all networks: steps, history, checkpoint, exact resume, load-or-train.

A run is a folder::

    run.json         network, settings, data, versions, machine
    checkpoint.npz   weights, optimizer and history after the last whole epoch
    model.keras      the network after its best epoch: a plain Keras file
    history.csv      a row an epoch; written last, so it never tells of what is not there

A plain loop over one compiled step stands in for ``model.fit``: it can be stopped, resumed, watched
and tested from outside, and it takes the same processor time.
"""

import hashlib
import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lildata_utils import __version__
from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.clips import features
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_json, remove_leftovers, write_json, write_text, written_beside
from lildata_utils.machine import machine
from lildata_utils.sound.spectrogram import CAFFE_MEAN, Image

VERSION = 1
RUN_FILE = "run.json"
MODEL_FILE = "model.keras"
HISTORY_FILE = "history.csv"
CHECKPOINT_FILE = "checkpoint.npz"

BATCH_SIZE = 32
LEARNING_RATE = 1e-3
# So many epochs without a gain are worth a word.
PATIENCE = 3
PRINTED_EPOCHS = 20

# The columns of clips.csv that say which sounds were learned, and as what.
IDENTITY = ["id", "genre", "start_s", "peak_db", "split"]


def genre_measure(network: Any, images: Any, labels: Any, training: bool) -> dict[str, Any]:
    """Loss and accuracy of a network that tells genres apart.

    Parameters
    ----------
    network : keras.Model
        From network input, shape (clips, 631, 631, 1), to probabilities, shape (clips, genres); or
        the learning part of such a network.
    images : tf.Tensor of uint8, shape (clips, 631, 631)
        Spectrograms; or, for the learning part of a network, what its frozen part makes of them
        (float32).
    labels : tf.Tensor of int64, shape (clips,)
        Positions in the data set's genres.
    training : bool
        Whether dropout drops.

    Returns
    -------
    dict of str to tf.Tensor of float32, shape (clips,)
        ``loss``, the cross-entropy in nats, and ``accuracy``, 1 where the likeliest genre is right.
    """
    inputs = tensor_input(images) if images.dtype == tf.uint8 else images
    probabilities = network(inputs, training=training)
    right = tf.equal(tf.argmax(probabilities, axis=1), labels)
    return {
        "loss": keras.losses.sparse_categorical_crossentropy(labels, probabilities),
        "accuracy": tf.cast(right, tf.float32),
    }


def tensor_input(images: Any) -> Any:
    """Do in TensorFlow what `spectrogram.network_input` does in numpy.

    In the compiled step this costs nothing, and the data set stays in memory as bytes.

    Parameters
    ----------
    images : tf.Tensor of uint8, shape (clips, 631, 631)

    Returns
    -------
    tf.Tensor of float32, shape (clips, 631, 631, 1)
    """
    return (tf.cast(images, tf.float32) - CAFFE_MEAN)[..., None]


def unchanged(model: Any) -> Any:
    """Train the network as it is: the twin of a network that needs none."""
    return model


def no_need(model: Any, train: Dataset) -> None:
    """Do nothing: most networks have to know nothing of the clips before they learn."""


@dataclass(frozen=True)
class Network:
    """A kind of network, and how it is trained.

    Attributes
    ----------
    name : str
        As the command line calls it.
    build : callable
        ``build(n_genres, seed=0, **options)`` makes the plain Keras model that is saved.
    options : mapping
        The arguments of `build` that a user may choose, with their defaults.
    twin : callable
        ``twin(model)`` makes a model on the same variables that computes the same, faster.
    measure : callable
        ``measure(network, images, labels, training)`` gives a number a clip for ``loss``, which
        is minimised, and for anything else worth a column in the history.
    learning_rate : float
        Default for the Adam optimizer.
    clip_norm : float or None
        Longer gradients, of all weights together, are shortened to this; None leaves them.
    adapt : callable
        ``adapt(model, train)`` sets, before the first epoch, what the model takes from the training
        clips without learning, such as their mean.
    xla : bool
        Whether XLA compiles the step: much slower for convolutions on a processor, faster for loops
        of many small products.
    """

    name: str
    build: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    twin: Callable[[Any], Any] = unchanged
    measure: Callable[[Any, Any, Any, bool], dict[str, Any]] = genre_measure
    learning_rate: float = LEARNING_RATE
    clip_norm: float | None = None
    adapt: Callable[[Any, Dataset], None] = no_need
    xla: bool = False


@dataclass(frozen=True)
class Step:
    """Where a training stands.

    Attributes
    ----------
    epoch, epochs : int
        The current epoch, from 1, and how many there will be. Epoch 0 is the work before: the
        outputs of layers that do not learn are computed.
    step, steps : int
        The current step of this epoch, from 1, and how many there are (in epoch 0: tracks).
    loss : float
        Mean over the clips of this epoch so far; NaN in epoch 0.
    history : pandas.DataFrame or None
        At the end of an epoch the rows up to and with this one: epoch, loss, accuracy, val_loss,
        val_accuracy, seconds. Everything up to here is then on disk. None within an epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    history: pd.DataFrame | None = None


@dataclass(frozen=True)
class Run:
    """A trained network in its folder.

    Attributes
    ----------
    folder : Path
        Where it is.
    network : str
        ``softmax``, ``cnn``, ...
    genres : tuple of str
        What the network's outputs stand for, in this order.
    settings, data, environment : dict
        What was asked for, what it was trained on, and where it ran, from ``run.json``.
    history : pandas.DataFrame
        A row an epoch.
    """

    folder: Path
    network: str
    genres: tuple[str, ...]
    settings: dict[str, Any]
    data: dict[str, Any]
    environment: dict[str, Any]
    history: pd.DataFrame

    @cached_property
    def model(self) -> Any:
        """The network after its best epoch (loaded at the first look).

        Raises
        ------
        LilDataError
            If the file is missing or broken.
        """
        path = self.folder / MODEL_FILE
        if not path.is_file():
            raise LilDataError(f"{path} is missing: train the run again with `lildata train`")
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:  # Keras raises whatever its parts raise on a broken file.
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise LilDataError(f"{path} can't be read as a Keras model ({reason})") from None


@dataclass(frozen=True)
class Peak:
    """The best epoch of a history, and how long ago it was.

    Attributes
    ----------
    epoch : int
        The epoch whose weights are kept: highest validation accuracy; of equals the one with the
        lower validation loss, then the earlier one.
    column : str
        The column that decided: ``val_accuracy``, or ``val_loss`` where no accuracy is measured;
        without validation clips ``accuracy`` or ``loss``.
    value : float
        That column's value.
    since : int
        Epochs after it, none of them better.
    """

    epoch: int
    column: str
    value: float
    since: int

    def __str__(self) -> str:
        """Say it in a sentence."""
        name = self.column.replace("val_", "validation ")
        value = f"{self.value:.1%}" if "accuracy" in self.column else f"{self.value:.4f}"
        if self.since == 0:
            return f"{name} is at its best in the last epoch, {self.epoch}: {value}"
        epochs = "1 epoch" if self.since == 1 else f"{self.since} epochs"
        return f"{name} peaked in epoch {self.epoch} at {value}; {epochs} since without a gain"


def peaked(history: pd.DataFrame) -> Peak:
    """Find the best epoch of a training, and how many have passed since without a gain.

    Parameters
    ----------
    history : pandas.DataFrame
        With columns epoch, loss and, where there are, accuracy, val_loss, val_accuracy.

    Returns
    -------
    Peak
        ``str(peak)`` is a sentence.

    Raises
    ------
    LilDataError
        If the history has no rows.

    Examples
    --------
    >>> rows = {"epoch": [1, 2, 3], "val_loss": [2.0, 1.0, 0.9], "val_accuracy": [0.2, 0.5, 0.4]}
    >>> print(peaked(pd.DataFrame(rows)))
    validation accuracy peaked in epoch 2 at 50.0%; 1 epoch since without a gain
    """
    if history.empty:
        raise LilDataError("the history has no epochs: train at least one")
    kind = "val_" if "val_loss" in history else ""
    accuracy, loss = f"{kind}accuracy", f"{kind}loss"
    order = [name for name in (accuracy, loss, "epoch") if name in history]
    best = history.sort_values(order, ascending=[name != accuracy for name in order]).iloc[0]
    column, epoch = order[0], int(best["epoch"])
    return Peak(epoch, column, float(best[column]), int((history["epoch"] > epoch).sum()))


def fit(
    folder: Path,
    network: Network,
    dataset: Dataset,
    epochs: int,
    *,
    batch_size: int = BATCH_SIZE,
    learning_rate: float | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Step]:
    """Train a network on a data set's training split, step by step, into a run folder.

    Stopped or killed at any moment, the same call goes on after the last whole epoch and ends with
    the same weights, bit for bit, as a run that nothing disturbed: an epoch's order of clips and
    its dropout depend on the seed and the epoch's number only, and TensorFlow is told to compute
    deterministically. (On another kind of machine the last bits differ.) A finished run is not
    trained again; asking for more epochs continues it.

    Parameters
    ----------
    folder : Path
        The run folder; it is made if it is missing.
    network : Network
        What to train: ``classifier.SOFTMAX``, ``classifier.LIL_DATA``, ...
    dataset : Dataset
        Its ``train`` split is learned; its ``validation`` split says which epoch is the best.
        Without validation clips the training figures decide.
    epochs : int
        In all, with those that the folder holds already.
    batch_size : int
        Clips in a step.
    learning_rate : float, optional
        Of Adam (Kingma & Ba 2015); the network's default if it is not given.
    seed : int
        Of the first weights, the order of clips and the dropout.
    options : mapping, optional
        Changes to ``network.options``.

    Yields
    ------
    Step
        After every step of the optimizer, and at the end of every epoch with the history.

    Raises
    ------
    LilDataError
        If the data set has no training clips, if an argument is out of range, if the folder holds
        something else or a run with other settings, or if the loss stops being a number.

    Examples
    --------
    >>> for step in fit(Path("runs/cnn"), LIL_DATA, dataset, epochs=20):  # doctest: +SKIP
    ...     print(step.epoch, step.step, step.loss)
    """
    about = _about(network, dataset, batch_size, learning_rate, seed, options)
    settings = about["settings"]
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise LilDataError(f"{name} must be at least 1, got {value}")
    train = dataset.select(split="train")
    validation = None
    if about["data"]["validation_clips"]:
        validation = dataset.select(split="validation")
    if difference := _difference(folder, about, network.options):
        raise LilDataError(
            f"{folder} holds a run with {difference}: choose another folder, ask for the same, "
            "or delete the folder to train anew"
        )
    if len(_read_history(folder)) >= epochs:
        return
    remove_leftovers(folder)

    model = network.build(len(dataset.genres), seed=seed, **{**network.options, **(options or {})})
    frozen, learning = features.split(model)
    if frozen is not None:
        for progress in features.extract(frozen, network.twin(frozen), tensor_input, dataset):
            yield Step(0, epochs, progress.done, progress.shards, math.nan)
        train = features.of(train, progress.files)
        validation = validation and features.of(validation, progress.files)
    example = tf.TensorSpec.from_tensor(tf.constant(train.images([0])))
    learner = _Learner(network, model, learning, example, settings["learning_rate"])
    write_json(folder / RUN_FILE, about | {"environment": _environment(learner.twin)})
    rows = learner.restore(folder / CHECKPOINT_FILE)
    if not rows:
        network.adapt(model, train)
    steps = -(-len(train) // batch_size)
    for epoch in range(len(rows) + 1, epochs + 1):
        started = time.perf_counter()
        learner.seed_dropout((seed, epoch))
        totals = _Totals()
        for step, (images, labels) in enumerate(train.batches(batch_size, seed=(seed, epoch)), 1):
            totals.add(learner.train_step(images, labels), len(labels))
            loss = totals.means()["loss"]
            if not np.isfinite(loss):
                raise LilDataError(
                    f"the loss is {loss} in epoch {epoch}, step {step}: "
                    f"try a learning rate below {settings['learning_rate']}"
                )
            yield Step(epoch, epochs, step, steps, loss)
        row = {"epoch": epoch, **totals.means()}
        if validation is not None:
            means = learner.test(validation, batch_size)
            row |= {f"val_{name}": mean for name, mean in means.items()}
        rows.append(row | {"seconds": round(time.perf_counter() - started, 3)})
        history = pd.DataFrame(rows)
        if peaked(history).epoch == epoch:
            with written_beside(folder / MODEL_FILE) as beside:
                learner.model.save(beside)
        learner.save(folder / CHECKPOINT_FILE, rows)
        write_text(folder / HISTORY_FILE, history.to_csv(index=False))
        yield Step(epoch, epochs, steps, steps, row["loss"], history)
    # Again, for a run that was killed between its last checkpoint and this file.
    write_text(folder / HISTORY_FILE, pd.DataFrame(rows).to_csv(index=False))


def fit_or_load(
    folder: Path,
    network: Network,
    dataset: Dataset,
    epochs: int,
    *,
    batch_size: int = BATCH_SIZE,
    learning_rate: float | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> tuple[Any, pd.DataFrame, str]:
    """Load a run if it is the one that is asked for; train it if not; say which of the two.

    A run in the folder with other settings or other data is replaced. Training prints a line an
    epoch, or of a long one about 20 lines.

    Parameters
    ----------
    folder, network, dataset, epochs, batch_size, learning_rate, seed, options
        As for `fit`.

    Returns
    -------
    model : keras.Model
        The network after its best epoch.
    history : pandas.DataFrame
        A row an epoch.
    what_happened : str
        The sentence that was printed at the end.

    Raises
    ------
    LilDataError
        As `fit` does, but not for a run with other settings.
    """
    about = _about(network, dataset, batch_size, learning_rate, seed, options)
    difference = _difference(folder, about, network.options)
    if difference:
        for name in (HISTORY_FILE, CHECKPOINT_FILE, MODEL_FILE, RUN_FILE):
            (folder / name).unlink(missing_ok=True)
    before = len(_read_history(folder))
    steps = fit(
        folder,
        network,
        dataset,
        epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        options=options,
    )
    for step in steps:
        if step.history is not None and (
            step.epoch % -(-step.epochs // PRINTED_EPOCHS) == 0 or step.epoch == step.epochs
        ):
            print(describe_epoch(step.history, step.epochs))
    run = load_run(folder)
    done = len(run.history)
    if before >= epochs:
        happened = f"Loaded the finished run in {folder} ({done} epochs)"
    elif before:
        happened = f"Went on with the run in {folder}, from epoch {before + 1} to {done}"
    else:
        happened = f"Trained {done} epochs into {folder}"
    if difference:
        happened += f", in place of a run with {difference}"
    happened += f"; {peaked(run.history)}."
    print(happened)
    return run.model, run.history, happened


def describe_epoch(history: pd.DataFrame, epochs: int) -> str:
    """Say in a line how the last epoch of a history went, and whether accuracy has peaked.

    Parameters
    ----------
    history : pandas.DataFrame
        As a `Step` carries it.
    epochs : int
        How many there will be.

    Returns
    -------
    str
        Like ``epoch 3/8, 12 s: loss 1.203, accuracy 55.1%, validation loss 1.310, validation
        accuracy 50.0%``.
    """
    row = history.iloc[-1]
    numbers = [
        f"{str(name).replace('val_', 'validation ')} "
        + (f"{value:.1%}" if "accuracy" in str(name) else f"{value:.3f}")
        for name, value in row.items()
        if name not in ("epoch", "seconds")
    ]
    line = f"epoch {int(row['epoch'])}/{epochs}, {row['seconds']:.0f} s: {', '.join(numbers)}"
    peak = peaked(history)
    # Said once, when it is news.
    return f"{line} ({peak})" if peak.since == PATIENCE else line


def load_run(folder: Path) -> Run:
    """Open a run folder; its network is loaded at the first look at ``run.model``.

    Parameters
    ----------
    folder : Path
        As `fit` wrote it. A run that is still training may be opened after its first epoch.

    Returns
    -------
    Run

    Raises
    ------
    LilDataError
        If there is no run in the folder, if it is broken, or if it has no whole epoch yet.
    """
    if not (folder / RUN_FILE).is_file():
        raise LilDataError(
            f"{folder} is no run folder ({RUN_FILE} is missing): "
            "expected what `lildata train` wrote"
        )
    about = _read_about(folder)
    history = _read_history(folder)
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


class _Learner:
    """A model, its twin and its optimizer, with the compiled steps."""

    def __init__(
        self, network: Network, model: Any, learning: Any, example: Any, learning_rate: float
    ) -> None:
        self.model = model
        self.learning = learning
        self.twin = network.twin(learning)
        self.optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=network.clip_norm)
        self.optimizer.build(model.trainable_variables)
        signature = [
            tf.TensorSpec((None, *example.shape[1:]), example.dtype),
            tf.TensorSpec((None,), tf.int64),
        ]

        def sums(results: dict[str, Any]) -> dict[str, Any]:
            return {name: tf.reduce_sum(values) for name, values in results.items()}

        @tf.function(input_signature=signature, autograph=False, jit_compile=network.xla)
        def train_step(images: Any, labels: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                results = network.measure(self.twin, images, labels, True)
                loss = tf.reduce_mean(results["loss"])
            weights = model.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return sums(results)

        @tf.function(input_signature=signature, autograph=False, jit_compile=network.xla)
        def test_step(images: Any, labels: Any) -> dict[str, Any]:
            return sums(network.measure(self.twin, images, labels, False))

        self._train_step, self._test_step = train_step, test_step

    def train_step(self, images: Image, labels: NDArray[np.int64]) -> dict[str, float]:
        """Learn from a batch; return the sums over its clips."""
        with deterministic():
            return _as_floats(self._train_step(images, labels))

    def test(self, dataset: Dataset, batch_size: int) -> dict[str, float]:
        totals = _Totals()
        for images, labels in dataset.batches(batch_size):
            with deterministic():
                totals.add(_as_floats(self._test_step(images, labels)), len(labels))
        return totals.means()

    def seed_dropout(self, seed: Sequence[int]) -> None:
        """Set the states from which Keras' dropout draws: they are variables, but no weights."""
        weights = {id(weight) for weight in self.learning.weights}
        rng = np.random.default_rng(seed)
        for variable in self.learning.variables:
            if id(variable) not in weights:
                variable.assign([int(rng.integers(2**31)), 0])

    def _state(self) -> list[Any]:
        return [*self.learning.weights, *self.optimizer.variables]

    def save(self, path: Path, rows: list[dict[str, float]]) -> None:
        arrays = {str(number): v.numpy() for number, v in enumerate(self._state())}
        with written_beside(path) as beside:
            np.savez(beside, history=np.array(json.dumps(rows)), **arrays)

    def restore(self, path: Path) -> list[dict[str, float]]:
        """Take up the checkpoint, if there is one; return the rows of its history."""
        if not path.exists():
            return []
        try:
            with np.load(path) as arrays:
                for number, variable in enumerate(self._state()):
                    variable.assign(arrays[str(number)])
                rows: list[dict[str, float]] = json.loads(str(arrays["history"]))
                return rows
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise LilDataError(
                f"{path} can't be read ({error}): delete it to train the run anew"
            ) from None


class _Totals:
    """Sums over the clips of an epoch, in float64."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._clips = 0

    def add(self, sums: Mapping[str, float], clips: int) -> None:
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._clips += clips

    def means(self) -> dict[str, float]:
        return {name: total / self._clips for name, total in self._sums.items()}


def _as_floats(tensors: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in tensors.items()}


def _about(
    network: Network,
    dataset: Dataset,
    batch_size: int,
    learning_rate: float | None,
    seed: int,
    options: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Say what defines a run: two runs with the same answer are the same run."""
    clips = dataset.clips[dataset.clips["split"].isin(["train", "validation"])]
    table = clips[IDENTITY].to_csv(index=False)
    about = {
        "version": VERSION,
        "settings": {
            "network": network.name,
            **network.options,
            **(options or {}),
            "batch_size": batch_size,
            "learning_rate": network.learning_rate if learning_rate is None else learning_rate,
            "seed": seed,
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


def _environment(twin: Any) -> dict[str, Any]:
    dtypes = {layer.compute_dtype for layer in twin.layers}
    return {
        "precision": "bfloat16" if "bfloat16" in dtypes else "float32",
        "machine": machine(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "lildata_utils": __version__,
    }


def _difference(folder: Path, about: dict[str, Any], defaults: Mapping[str, Any]) -> str:
    """Say how the run in the folder differs from what is asked for; empty if it doesn't.

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
    there["settings"] = json.loads(json.dumps(dict(defaults))) | there["settings"]
    return ", ".join(
        f"{name} {there[part].get(name)!r} instead of {wanted!r}"
        for part in ("settings", "data")
        for name, wanted in about[part].items()
        if there[part].get(name) != wanted
    )


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


def _read_history(folder: Path) -> pd.DataFrame:
    """Read history.csv; without one, no epoch is done."""
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
