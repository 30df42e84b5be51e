"""ResNet-50 on spectrograms, our way and the usual way, side by side on the same clips.

The usual way is plain Keras in float32 on arrays that lie ready in memory: ``model.predict`` for
features, ``model.fit`` for training, the best weights kept by a callback. Our way is `learning.fit`
from bytes on the disk: frozen layers computed once and kept, batch normalisation in one operation,
bfloat16 where the processor has it; it keeps the best weights, too, and a checkpoint.

Three jobs: features of all clips (the mean over the last layer's places), an epoch in which all
layers learn, and an epoch in which the fifth stage learns. Both ways start from the same random
weights, their turns alternate, and the first turn, in which TensorFlow compiles, is not counted. In
the third job our first epoch, which computes the frozen layers' outputs, is told apart.

Beside the times stands what the two ways learned, and how often they agree on equal weights.

    python benchmarks/resnet.py [--side 224] [--epochs 3] [--report FILE]

It renders the course's smallest data set if it is not there. The exit status is 0 if both promises
hold: features 1.2 times, training 1.4 times as fast.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import report

from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.clips.encoded import FOLDER, encode, encoded
from lildata_utils.course.workspace import course_dataset
from lildata_utils.genre.predict import predict
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import RESNET50
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.networks.frozen import split
from lildata_utils.networks.fused import fuse
from lildata_utils.networks.inputs import tensor_input
from lildata_utils.networks.resnet import build_resnet50
from lildata_utils.networks.settings import ResNet50Settings
from lildata_utils.sound.spectrogram import network_input

# How many times as fast, at least.
PROMISED = {
    "features, kept on disk": 1.2,
    "training all layers": 1.4,
    "training the fifth stage, once the frozen layers' outputs are there": 1.4,
}
FEATURES, ALL, FIFTH = PROMISED
BATCH_SIZE = Training().batch_size


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="ResNet-50 our way against plain Keras.")
    parser.add_argument("--side", type=int, default=224, help="pixels (default 224)")
    parser.add_argument("--epochs", type=int, default=3, help="the first is not counted")
    report.add_option(parser)
    options = parser.parse_args()
    clips = course_dataset("smoke")
    train = clips.select("train")
    print(f"{machine()}; {options.side} x {options.side} pixels, batches of {BATCH_SIZE}")
    with tempfile.TemporaryDirectory() as folder:
        found = [
            extraction(copied(clips, Path(folder) / "a"), options),
            training(ALL, train, "all", Path(folder) / "b", options),
            training(
                FIFTH, copied(train, Path(folder) / "c"), "conv5", Path(folder) / "d", options
            ),
        ]
    rows, alike = zip(*found, strict=True)
    report.write(
        options.report,
        [row | {"name": f"{row['name']}, clips a second"} for row in rows],
        data={"music": "the crate: the course's smallest data set", "clips": len(clips)},
        settings={"side": options.side, "weights": "random", "batch_size": BATCH_SIZE},
        seeds=[0],
        cosine=alike[0],
        same_answers=min(alike[1:]),
    )
    held = [row["ratio"] >= PROMISED[row["name"]] for row in rows]
    for row, ok in zip(rows, held, strict=True):
        promised = PROMISED[row["name"]]
        words = f"{row['ratio']:.2f} times as fast ({promised})"
        print(f"[{'ok' if ok else 'fail'}] {row['name']}: {words}")
    return 0 if all(held) else 1


def copied(clips: Dataset, folder: Path) -> Dataset:
    """Give a data set a folder of its own, where no features are kept yet."""
    for shard in set(clips.clips["shard"]):
        (folder / shard).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clips.folder / shard, folder / shard)
    return replace(clips, folder=folder)


def seconds(job: Callable[[], object]) -> float:
    """Time a job."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def extraction(clips: Dataset, options: argparse.Namespace) -> tuple[dict[str, Any], float]:
    """Compare the two ways to compute features: the row, and the mean cosine of the two."""
    settings = ResNet50Settings(side=options.side, learn="head")
    frozen, _ = split(build_resnet50(len(clips.genres), settings))
    fused = fuse(frozen)
    compute = tf.function(lambda images: fused(tensor_input(images), training=False))
    pictures = network_input(clips.images())

    def ours() -> None:
        *_, done = encode(clips, lambda images: compute(images).numpy(), "benchmark")
        nonlocal found
        found = encoded(clips, done.files).images()
        shutil.rmtree(clips.folder / FOLDER)

    found = np.empty(0)
    usual_s, ours_s = [], []
    for _ in range(options.epochs):
        usual_s.append(seconds(lambda: frozen.predict(pictures, BATCH_SIZE, verbose=0)))
        ours_s.append(seconds(ours))
    expected = frozen.predict(pictures, BATCH_SIZE, verbose=0)
    likeness = float(
        np.mean(
            np.sum(expected * found, 1)
            / np.linalg.norm(expected, axis=1)
            / np.linalg.norm(found, axis=1)
        )
    )
    words = f"mean cosine of the two {likeness:.4f}"
    return told(FEATURES, len(clips), usual_s, ours_s, words), likeness


def training(
    name: str, clips: Dataset, learn: str, folder: Path, options: argparse.Namespace
) -> tuple[dict[str, Any], float]:
    """Compare the two ways to train: the row, and how often the two agree on equal weights."""
    settings = ResNet50Settings(side=options.side, learn=learn)
    model = build_resnet50(len(clips.genres), settings)
    model.compile(
        keras.optimizers.Adam(RESNET50.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    pictures = network_input(clips.images())
    # No validation clips: an epoch is training and keeping.
    keeper = keras.callbacks.ModelCheckpoint(
        folder.with_suffix(".keras"), monitor="loss", save_best_only=True
    )
    steps = fit(folder, RESNET50, clips, Training(epochs=options.epochs), settings)
    losses: list[list[float]] = [[], []]

    def usual() -> None:
        done = model.fit(pictures, clips.labels, BATCH_SIZE, 1, verbose=0, callbacks=[keeper])
        losses[0].append(done.history["loss"][-1])

    def ours() -> None:
        end = next(step for step in steps if step.history is not None)
        losses[1].append(end.loss)

    usual_s, ours_s = [], []
    for _ in range(options.epochs):
        usual_s.append(seconds(usual))
        ours_s.append(seconds(ours))
    kept = load_run(folder).model
    plain = kept.predict(pictures, BATCH_SIZE, verbose=0)
    same = float(np.mean(predict(kept, clips).argmax(1) == plain.argmax(1)))
    first = f", with the frozen layers' outputs {ours_s[0]:.1f} s" if learn != "all" else ""
    words = (
        f"losses {', '.join(f'{loss:.2f}' for loss in losses[0])} against "
        f"{', '.join(f'{loss:.2f}' for loss in losses[1])}{first}; on our weights plain Keras "
        f"and we agree on {same:.1%} of the clips"
    )
    return told(name, len(clips), usual_s, ours_s, words), same


def told(
    name: str, n_clips: int, usual_s: list[float], ours_s: list[float], words: str
) -> dict[str, Any]:
    """Print a comparison; return its row."""
    usual, ours = (n_clips / np.median(times[1:]) for times in (usual_s, ours_s))
    print(
        f"{name}: usual {usual:.1f} clips/s, ours {ours:.1f} clips/s ({ours / usual:.2f} times); "
        f"{words}",
        flush=True,
    )
    return report.compared(name, usual, ours, ours / usual)


if __name__ == "__main__":
    sys.exit(main())
