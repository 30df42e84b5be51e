"""One `fit` for all networks: steps, history, checkpoint, exact resume, load-or-train.

A plain loop over one compiled step stands in for ``model.fit``: it can be stopped, resumed, watched
and tested from outside, and it takes the same processor time.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lildata_utils.backend import deterministic, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.clips.encoded import EncodingProgress, encode, encoded
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_zip, remove_leftovers, write_json, write_text, written_beside
from lildata_utils.learning import runs
from lildata_utils.learning.history import describe_epoch, peaked
from lildata_utils.learning.recipe import Recipe
from lildata_utils.learning.settings import Training
from lildata_utils.networks.frozen import digest, split
from lildata_utils.networks.inputs import as_input
from lildata_utils.schema import checked
from lildata_utils.settings import Settings
from lildata_utils.sound.spectrogram import Floats, Image

PRINTED_EPOCHS = 20
ADAPTING_CLIPS = 32


@dataclass(frozen=True)
class TrainingStep:
    """Where a training stands (notebook 02)."""

    # The current epoch, from 1, and how many there will be. Epoch 0 is the work before: the outputs
    # of layers that do not learn are computed.
    epoch: int
    epochs: int
    # The current step of this epoch, from 1, and how many there are (in epoch 0: tracks).
    step: int
    steps: int
    loss: float  # Mean over the clips of this epoch so far; NaN in epoch 0
    # At the end of an epoch the rows up to and with this one: epoch, loss, accuracy, val_loss,
    # val_accuracy, seconds. Everything up to here is then on disk. None within an epoch.
    history: pd.DataFrame | None = None


def fit(
    folder: str | Path,
    recipe: Recipe,
    dataset: Dataset,
    training: Training = Training(),
    settings: Settings | None = None,
) -> Iterator[TrainingStep]:
    """Train a network on a data set, step by step, into a run folder (notebook 02).

    Stopped or killed at any moment, the same call goes on after the last whole epoch and ends with
    the same weights, bit for bit, as a run that nothing disturbed: an epoch's order of clips and
    its chance depend on the seed and the epoch's number only, and TensorFlow is told to compute
    deterministically. (On another kind of machine the last bits differ.) A finished run is not
    trained again; asking for more epochs continues it.

    Parameters
    ----------
    folder : str or Path
        The run folder; it is made if it is missing.
    recipe : Recipe
        What to train: ``recipes.SOFTMAX``, ``recipes.LIL_DATA``, ...
    dataset : Dataset
        Its ``train`` split is learned; its ``validation`` split says which epoch is the best.
        Without validation clips the training figures decide.
    training, settings : Training, Settings
        Of the training and of the network; ``recipe.settings()`` if not given.

    Yields
    ------
    TrainingStep
        After every step of the optimizer, and at the end of every epoch with the history.

    Raises
    ------
    LilDataError
        If the data set has no training clips, if the folder holds something else or a run with
        other settings, or if the loss stops being a number.
    """
    folder, settings = Path(folder), settings or recipe.settings()
    about = runs.describe(recipe, settings, dataset, training)
    train, validation = dataset.select(split="train"), None
    if about["data"]["validation_clips"]:
        validation = dataset.select(split="validation")
    if found := runs.difference(folder, about, recipe):
        raise LilDataError(
            f"{folder} holds a run with {found}: choose another folder, ask for the same, "
            "or delete the folder to train anew"
        )
    epochs = training.epochs or recipe.epochs
    if len(runs.read_history(folder)) >= epochs:
        return
    remove_leftovers(folder)

    model = recipe.build(len(dataset.genres), settings, training.seed)
    frozen, learning = split(model)
    if frozen is not None:
        for done in _encode(frozen, recipe.fuse(frozen), dataset):
            yield TrainingStep(0, epochs, done.done, done.shards, math.nan)
        train = encoded(train, done.files)
        validation = validation and encoded(validation, done.files)
    rate = recipe.schedule(about["settings"]["learning_rate"], epochs * _steps(train, training))
    example = train.images([0]), train.taught
    learner = _Learner(recipe, settings, model, learning, example, rate)
    write_json(folder / runs.RUN_FILE, about | {"environment": runs.environment(learner.fused)})
    rows = learner.restore(folder / runs.CHECKPOINT_FILE)
    if not rows:
        recipe.adapt(model, (images for images, _ in train.batches(ADAPTING_CLIPS)))
    yield from _epochs(folder, learner, train, validation, training, rows)


def fit_or_load(
    folder: str | Path,
    recipe: Recipe,
    dataset: Dataset,
    training: Training = Training(),
    settings: Settings | None = None,
) -> runs.Run:
    """Load a run if it is the one that is asked for; train it if not; print which (notebook 02).

    As `fit`, but a run in the folder with other settings or other data is replaced. Training prints
    a line an epoch, or of a long one about 20 lines.
    """
    folder, settings = Path(folder), settings or recipe.settings()
    about = runs.describe(recipe, settings, dataset, training)
    if found := runs.difference(folder, about, recipe):
        runs.discard(folder)
    before = len(runs.read_history(folder))
    for step in fit(folder, recipe, dataset, training, settings):
        if step.history is not None and (
            step.epoch % -(-step.epochs // PRINTED_EPOCHS) == 0 or step.epoch == step.epochs
        ):
            print(describe_epoch(step.history, step.epochs))
    run = runs.load_run(folder)
    done = len(run.history)
    if before >= (training.epochs or recipe.epochs):
        happened = f"Loaded the finished run in {folder} ({done} epochs)"
    elif before:
        happened = f"Went on with the run in {folder}, from epoch {before + 1} to {done}"
    else:
        happened = f"Trained {done} epochs into {folder}"
    if found:
        happened += f", in place of a run with {found}"
    print(f"{happened}; {peaked(run.history)}.")
    return run


class _Learner:
    """A model, its fused twin and its optimizer, with the compiled steps."""

    def __init__(
        self,
        recipe: Recipe,
        settings: Settings,
        model: Any,
        learning: Any,
        example: tuple[NDArray[Any], NDArray[Any]],
        rate: Any,
    ) -> None:
        images, taught = example
        self.recipe = recipe
        self.model = model
        self.learning = learning
        self.fused = recipe.fuse(learning)
        self.optimizer = recipe.optimizer(rate, settings)
        self.optimizer.build(model.trainable_variables)
        batch = [
            tf.TensorSpec((None, *images.shape[1:]), images.dtype),
            tf.TensorSpec((None, *taught.shape[1:]), taught.dtype),
        ]

        def sums(results: dict[str, Any]) -> dict[str, Any]:
            return {name: tf.reduce_sum(values) for name, values in results.items()}

        @tf.function(
            input_signature=[*batch, tf.TensorSpec((2,), tf.int32)],
            autograph=False,
            jit_compile=recipe.xla,
        )
        def train_step(images: Any, labels: Any, seed: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                results = recipe.measure(
                    self.fused, *recipe.augment(images, labels, seed, settings), True
                )
                loss = tf.reduce_mean(results["loss"])
            weights = model.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return sums(results)

        @tf.function(input_signature=batch, autograph=False, jit_compile=recipe.xla)
        def test_step(images: Any, labels: Any) -> dict[str, Any]:
            return sums(recipe.measure(self.fused, images, labels, False))

        self._train_step, self._test_step = train_step, test_step

    def train_step(
        self, images: Image, labels: NDArray[Any], seed: Sequence[int]
    ) -> dict[str, float]:
        """Learn from a batch; return the sums over its clips."""
        chance = np.random.default_rng(seed).integers(2**31, size=2).astype(np.int32)
        with deterministic():
            return _as_floats(self._train_step(images, labels, chance))

    def test(self, dataset: Dataset, batch_size: int) -> dict[str, float]:
        totals = _Totals()
        for images, labels in dataset.batches(batch_size):
            with deterministic():
                totals.add(_as_floats(self._test_step(images, labels)), len(labels))
        return totals.means()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the running means of the weights in their place, if the optimizer keeps any."""
        weights = self.model.trainable_variables
        now = [weight.numpy() for weight in weights] if self.optimizer.use_ema else []
        self.optimizer.finalize_variable_values(weights)
        yield
        for weight, value in zip(weights, now, strict=False):
            weight.assign(value)

    def check_finite(self, loss: float, when: str) -> None:
        """Raise a LilDataError if a training has diverged."""
        if not np.isfinite(loss):
            rate = float(self.optimizer.learning_rate)
            raise LilDataError(
                f"the training has diverged in {when} (loss {loss}): try a learning rate below "
                f"{rate:g}"
            )

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
            check_zip(path)
            with np.load(path) as arrays:
                rows = checked(json.loads(str(arrays["history"])), list[dict[str, int | float]])
                for number, variable in enumerate(self._state()):
                    variable.assign(arrays[str(number)])
                return rows
        # numpy and zipfile raise whatever their parts raise on a broken file.
        except Exception as error:
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


def _epochs(
    folder: Path,
    learner: _Learner,
    train: Dataset,
    validation: Dataset | None,
    training: Training,
    rows: list[dict[str, float]],
) -> Iterator[TrainingStep]:
    """Do the epochs that `rows` does not have yet; after each, everything is on disk."""
    epochs = training.epochs or learner.recipe.epochs
    batch_size, steps = training.batch_size, _steps(train, training)
    for epoch in range(len(rows) + 1, epochs + 1):
        started = time.perf_counter()
        chance = (training.seed, epoch)
        learner.seed_dropout(chance)
        totals = _Totals()
        for step, (images, labels) in enumerate(train.batches(batch_size, seed=chance), 1):
            totals.add(learner.train_step(images, labels, (*chance, step)), len(labels))
            loss = totals.means()["loss"]
            learner.check_finite(loss, f"epoch {epoch}, step {step}")
            yield TrainingStep(epoch, epochs, step, steps, loss)
        row = {"epoch": epoch, **totals.means()}
        with learner.averaged():
            if validation is not None:
                means = learner.test(validation, batch_size)
                row |= {f"val_{name}": mean for name, mean in means.items()}
            # The last step may have spoilt the weights, and nothing have measured it yet.
            finite = all(map(_is_finite, learner.model.weights))
            learner.check_finite(row.get("val_loss", 0.0) if finite else np.nan, f"epoch {epoch}")
            rows.append(row | {"seconds": round(time.perf_counter() - started, 3)})
            history = pd.DataFrame(rows)
            if learner.recipe.keeps_last or peaked(history).epoch == epoch:
                with written_beside(folder / runs.MODEL_FILE) as beside:
                    learner.model.save(beside)
        learner.save(folder / runs.CHECKPOINT_FILE, rows)
        write_text(folder / runs.HISTORY_FILE, history.to_csv(index=False))
        yield TrainingStep(epoch, epochs, steps, steps, row["loss"], history)
    # Again, for a run that was killed between its last checkpoint and this file.
    write_text(folder / runs.HISTORY_FILE, pd.DataFrame(rows).to_csv(index=False))


def _encode(frozen: Any, fused: Any, dataset: Dataset) -> Iterator[EncodingProgress]:
    """Compute once what the part that does not learn makes of all clips."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, *frozen.input_shape[1:3]), tf.uint8)], autograph=False
    )
    def compute(images: Any) -> Any:
        return tf.cast(fused(as_input(frozen, images), training=False), tf.float32)

    def encoder(images: Image) -> Floats:
        with deterministic():
            outputs: Floats = compute(images).numpy()
            return outputs

    return encode(dataset, encoder, digest(frozen, fused))


def _is_finite(weight: Any) -> bool:
    return bool(np.isfinite(weight.numpy()).all())


def _steps(train: Dataset, training: Training) -> int:
    return -(-len(train) // training.batch_size)


def _as_floats(tensors: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in tensors.items()}
