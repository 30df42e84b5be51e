"""Train and run the paper's LSTM our way and the usual way, side by side.

Training: the usual way is the stack of ``keras.layers.LSTM`` with a dense layer, under teacher
forcing, trained by ``model.fit`` on float32 frames that lie ready in memory; reading and converting
them is not counted. Ours is `learning.fit` from the bytes on the disk. The two take turns, epoch
by epoch, so that whatever else the machine does hits both; the first epoch of each, in which
TensorFlow and XLA compile, is not counted. Ours counts validation and checkpoint, too.

Generation: the usual way asks ``model.predict`` for the next frame after the whole sequence so far,
630 times. Ours is `drawing.follow`. Both draw the same frames from the same weights.

    python benchmarks/lstm.py [--epochs 6] [--report FILE]

The exit status is 0 if both promises hold: training at least as fast, generation 300 times.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import report

from lildata_utils.backend import keras
from lildata_utils.clips.dataset import Dataset
from lildata_utils.course.workspace import lofi_dataset
from lildata_utils.generation.drawing import follow
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import LSTM
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.networks.settings import LSTMSettings
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

PROMISED_TRAINING, PROMISED_GENERATION = 1.0, 300.0
SETTINGS, BATCH_SIZE = LSTMSettings(), Training().batch_size
REPEATS = 5


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="The LSTM our way against plain Keras.")
    parser.add_argument("--epochs", type=int, default=6)
    report.add_option(parser)
    options = parser.parse_args()
    clips = lofi_dataset("quick").at_most(train=2 * BATCH_SIZE, validation=0)
    network = f"{SETTINGS.layers} x LSTM({SETTINGS.units})"
    print(f"{machine()}\n{network}, {len(clips)} clips, batches of {BATCH_SIZE}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        usual_s, ours_s = train_both(Path(folder) / "run", clips, options.epochs)
        faster = np.median(usual_s) / np.median(ours_s)
        print(
            f"[{'ok' if faster >= PROMISED_TRAINING else 'fail'}] an epoch of training: "
            f"model.fit {np.median(usual_s):.2f} s, ours {np.median(ours_s):.2f} s: "
            f"{faster:.2f} times as fast ({PROMISED_TRAINING:g})",
            flush=True,
        )
        model = load_run(Path(folder) / "run").model
    first = clips.images([0])[:, :, 0] / np.float32(255)
    growing_s, loop_s, apart = generate_both(model, first)
    ratio = growing_s / loop_s
    print(
        f"[{'ok' if ratio >= PROMISED_GENERATION else 'fail'}] 630 frames: growing model.predict "
        f"{growing_s:.1f} s, ours {loop_s:.3f} s: {ratio:.0f} times as fast "
        f"({PROMISED_GENERATION:g}); frames differ by {apart:.1e} at most"
    )
    epoch = f"training, seconds an epoch of {2 * BATCH_SIZE} clips"
    report.write(
        options.report,
        [
            report.compared(epoch, np.median(usual_s), np.median(ours_s), faster),
            report.compared("drawing 630 frames, seconds", growing_s, loop_s, ratio),
        ],
        data={"music": f"{2 * BATCH_SIZE} clips of lo-fi of the crate"},
        settings={"layers": SETTINGS.layers, "units": SETTINGS.units, "batch_size": BATCH_SIZE},
        seeds=[0],
        largest_difference=apart,
    )
    return 0 if faster >= PROMISED_TRAINING and ratio >= PROMISED_GENERATION else 1


def keras_stack() -> keras.Model:
    """Build the same network of Keras' own layers."""
    stack = keras.Sequential([keras.Input((None, N_BINS))])
    for _ in range(SETTINGS.layers):
        stack.add(keras.layers.LSTM(SETTINGS.units, return_sequences=True))
    stack.add(keras.layers.Dense(N_BINS))
    return stack


def train_both(folder: Path, clips: Dataset, epochs: int) -> tuple[list[float], list[float]]:
    """Train both ways, epoch by epoch in turn; return the seconds of each but the first."""
    train = clips.select("train")
    frames = train.images().swapaxes(1, 2).astype(np.float32) / 255
    usual = keras_stack()
    usual.compile(LSTM.optimizer(LSTM.learning_rate), loss="mse")
    ours = fit(folder, LSTM, train, Training(epochs=epochs), SETTINGS)
    usual_s, ours_s = [], []
    for _ in range(epochs):
        started = time.perf_counter()
        usual.fit(frames[:, :-1], frames[:, 1:], batch_size=BATCH_SIZE, verbose=0)
        usual_s.append(time.perf_counter() - started)
        started = time.perf_counter()
        next(step for step in ours if step.history is not None)
        ours_s.append(time.perf_counter() - started)
    return usual_s[1:], ours_s[1:]


def generate_both(model: keras.Model, first: np.ndarray) -> tuple[float, float, float]:
    """Draw 630 frames both ways: seconds of each, and the largest difference."""
    stack = keras_stack()
    weights = [*(weight for cell in model.cells for weight in cell.weights), *model.head.weights]
    stack.set_weights([weight.numpy() for weight in weights])
    stack.predict(first[:, None], verbose=0)
    started = time.perf_counter()
    frames = first[:, None]
    for _ in range(N_FRAMES - 1):
        frames = np.concatenate([frames, stack.predict(frames, verbose=0)[:, -1:]], axis=1)
    growing_s = time.perf_counter() - started

    drawn, seconds = follow(model, first), []
    for _ in range(REPEATS):
        started = time.perf_counter()
        drawn = follow(model, first)
        seconds.append(time.perf_counter() - started)
    apart = np.abs(drawn - frames[:, 1:].swapaxes(1, 2)).max()
    return growing_s, float(np.median(seconds)), float(apart)


if __name__ == "__main__":
    sys.exit(main())
