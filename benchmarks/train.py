"""Train Lil Data our way and the usual way, side by side, on the same clips.

The usual way is the plain Keras network, ``Conv2D(activation="relu")`` and ``MaxPooling2D`` in
float32, trained by ``model.fit`` on float32 arrays that lie ready in memory: reading and converting
them is not counted. Our way is `learning.fit`: bytes from the disk, pooling before bias and ReLU,
bfloat16 where the processor has it.

Both start from the same weights, and their epochs alternate, so that whatever else the machine does
hits both. An epoch is all that a user waits for: training, validation, keeping the best weights,
and our checkpoint. The first epoch of each, in which TensorFlow compiles, is not counted.

The accuracy is judged on the test clips, with the weights of each way's best validation epoch. A
bootstrap over seeds and tracks gives the difference a 95 % interval; the two are called equal if it
holds 0. How often the two ways of computing agree on the same weights is printed beside it.

    python benchmarks/train.py [DATASET] [--epochs 8] [--seeds 3] [--report FILE]

Without a data set it renders a small one. The exit status is 0 if both promises hold.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import report

from lildata_utils.backend import keras
from lildata_utils.clips import dataset
from lildata_utils.clips.dataset import Dataset
from lildata_utils.clips.prepare import prepare
from lildata_utils.clips.settings import SPLITS
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import DATA_FOLDER
from lildata_utils.genre.evaluation import track_numbers
from lildata_utils.genre.predict import predict
from lildata_utils.learning.fit import TrainingStep, fit
from lildata_utils.learning.recipes import LIL_DATA
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine, usable_cores
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.settings import LilDataSettings
from lildata_utils.sound.spectrogram import network_input

PROMISED_RATIO = 1.7
BATCH_SIZE = Training().batch_size
TRACKS, TRACK_S = 16, 40.0
RESAMPLES = 10_000

Arrays = dict[str, tuple[np.ndarray, np.ndarray]]


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="Lil Data our way against plain Keras.")
    parser.add_argument("dataset", type=Path, nargs="?", help="what `lildata prepare` wrote")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    report.add_option(parser)
    options = parser.parse_args()
    clips = dataset.load(options.dataset or small_dataset(DATA_FOLDER / "benchmark"))
    parts = {split: clips.select(split) for split in SPLITS}
    arrays = {split: (network_input(part.images()), part.labels) for split, part in parts.items()}
    test = parts["test"]
    counts = ", ".join(f"{len(part)} {split}" for split, part in parts.items())
    print(f"{machine()}\n{clips.folder}: {len(clips.genres)} genres; clips: {counts}")
    print(
        f"Lil Data {'/'.join(map(str, LilDataSettings().filters))}, batches of {BATCH_SIZE}",
        flush=True,
    )

    images_a_second, ratios, right, same = [], [], [], []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            usual, ours, seconds = train_both(Path(folder), clips, arrays, options.epochs, seed)
            answers = [
                usual.predict(arrays["test"][0], BATCH_SIZE, verbose=0).argmax(1),
                predict(ours, test).argmax(1),
            ]
            plain = ours.predict(arrays["test"][0], BATCH_SIZE, verbose=0).argmax(1)
        speeds = [len(parts["train"]) / np.median(s[1:]) for s in seconds]
        images_a_second.append(speeds)
        ratios.append(speeds[1] / speeds[0])
        right.append([answer == test.labels for answer in answers])
        accuracies = [np.mean(r) for r in right[-1]]
        same.append(float(np.mean(plain == answers[1])))
        print(
            f"seed {seed}: usual {speeds[0]:.0f} images/s, test accuracy {accuracies[0]:.1%}; "
            f"ours {speeds[1]:.0f} images/s ({ratios[-1]:.2f} times), {accuracies[1]:.1%}; "
            f"on our weights plain Keras and we agree on {same[-1]:.1%} of the clips",
            flush=True,
        )
    ratio = float(np.median(ratios))
    low, mean, high = difference(np.array(right), track_numbers(test))
    report.write(
        options.report,
        [
            report.compared(
                "training Lil Data, images a second", *np.median(images_a_second, axis=0), ratio
            )
        ],
        data={"music": str(options.dataset or "the crate"), "clips": counts},
        settings={"batch_size": BATCH_SIZE, "epochs": options.epochs},
        seeds=list(range(options.seeds)),
        accuracy={"apart": abs(mean), "interval95": [low, high], "same_answers": min(same)},
    )
    fast, equal = ratio >= PROMISED_RATIO, high >= 0
    print(f"[{'ok' if fast else 'fail'}] {ratio:.2f} times the images a second ({PROMISED_RATIO})")
    print(
        f"[{'ok' if equal else 'fail'}] test accuracy {mean:+.1%} against the usual way, "
        f"95 % interval {low:+.1%} to {high:+.1%}"
    )
    return 0 if fast and equal else 1


def train_both(
    folder: Path, clips: Dataset, arrays: Arrays, epochs: int, seed: int
) -> tuple[keras.Model, keras.Model, list[list[float]]]:
    """Train both ways, epoch by epoch in turn; return both networks and the epochs' seconds."""
    model = build_lil_data(len(clips.genres), seed=seed)
    model.compile(
        keras.optimizers.Adam(LIL_DATA.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    best = folder / "usual.weights.h5"
    keeper = keras.callbacks.ModelCheckpoint(
        best, monitor="val_accuracy", mode="max", save_best_only=True, save_weights_only=True
    )
    training = Training(epochs=epochs, seed=seed)
    turns = InTurn(fit(folder / "run", LIL_DATA, clips, training))
    keras.utils.set_random_seed(seed)
    model.fit(
        *arrays["train"],
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=arrays["validation"],
        validation_batch_size=BATCH_SIZE,
        callbacks=[keeper, turns],
        verbose=0,
    )
    model.load_weights(best)
    return model, load_run(folder / "run").model, [turns.usual_s, turns.ours_s]


class InTurn(keras.callbacks.Callback):
    """After every epoch of ``model.fit``, do one of ours; time both."""

    def __init__(self, steps: Iterator[TrainingStep]) -> None:
        super().__init__()
        self.steps = steps
        self.usual_s: list[float] = []
        self.ours_s: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the clock of the usual way."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop it, and do an epoch our way."""
        ended = time.perf_counter()
        self.usual_s.append(ended - self.started)
        next(step for step in self.steps if step.history is not None)
        self.ours_s.append(time.perf_counter() - ended)


def difference(right: np.ndarray, tracks: np.ndarray) -> tuple[float, float, float]:
    """Bootstrap how much more often ours is right than the usual way.

    Parameters
    ----------
    right : ndarray of bool, shape (seeds, 2, clips)
        Usual, ours.
    tracks : ndarray of int, shape (clips,)

    Returns
    -------
    low, mean, high : float
        95 % interval over seeds and tracks, and the mean.
    """
    gain = right[:, 1].astype(float) - right[:, 0]
    # Sums by seed and track: a resampled data set is then a weighted sum of them.
    gains = np.stack([np.bincount(tracks, row) for row in gain])
    sizes = np.bincount(tracks)
    rng = np.random.default_rng(0)
    seeds = rng.integers(len(gains), size=(RESAMPLES, len(gains)))
    drawn = rng.integers(len(sizes), size=(RESAMPLES, len(sizes)))
    means = [gains[s].mean(0)[t].sum() / sizes[t].sum() for s, t in zip(seeds, drawn, strict=True)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(gain.mean()), float(high)


def small_dataset(folder: Path) -> Path:
    """Render and prepare a few tracks of the crate, unless they are there."""
    print(f"no data set given: rendering {TRACKS} tracks a genre into {folder}", flush=True)
    collection = Collection(tracks=TRACKS, duration_s=TRACK_S)
    for _ in write_collection(folder / "music", collection, usable_cores()):
        pass
    for _ in prepare(folder / "music", folder / "dataset", fractions=(0.5, 0.1, 0.4)):
        pass
    return folder / "dataset"


if __name__ == "__main__":
    sys.exit(main())
