"""Transfer a style our way and the usual way, side by side, with both networks.

The usual way is that of the public tutorials: a Keras model that gives the outputs of the layers, a
`tf.GradientTape` around them, `keras.optimizers.Adam` on a `tf.Variable`, and clipping, without
`tf.function`, in float32. Our way is `painting.paint`. Both have the same weights, costs
and step size, and their iterations take turns, so that whatever else the machine does hits both.
Compiling (ours) and the first iteration (theirs) are not counted.

    python benchmarks/style_transfer.py [--rounds 30] [--vgg19-rounds 5] [--weights FILE]
        [--report FILE]

VGG-19 has random weights if no file is given: they change no time. The pictures are two clips of
the crate. Printed are iterations a second, the seconds of a whole transfer with Lil Data and of the
first step, the memory of a fresh process that transfers with VGG-19, and how far our pictures are
from the usual way's. The exit status is 0 if all promises hold.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import report

from lildata_utils.backend import keras, tf
from lildata_utils.crate.composing import compose
from lildata_utils.crate.rendering import render
from lildata_utils.files import LIL_DATA_RUN
from lildata_utils.genres import GENRES
from lildata_utils.learning.runs import load_run
from lildata_utils.machine import machine
from lildata_utils.networks import pretrained
from lildata_utils.networks.inputs import tensor_input
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.sound.spectrogram import (
    BIN_HZ,
    CLIP_SAMPLES,
    Floats,
    Image,
    image_to_magnitude,
    to_image,
)
from lildata_utils.transfer.painting import paint
from lildata_utils.transfer.settings import Painting
from lildata_utils.transfer.style_network import (
    StyleNetwork,
    lil_data_network,
    vgg19_input,
    vgg19_network,
)

PROMISED_RATIO = 2.5
PROMISED_TRANSFER_S = 8.0
PROMISED_FIRST_STEP_S = 2.0
PROMISED_GB = 3.0
# Between our picture and the usual way's, in float32, after the rounds that were timed.
PROMISED_COST = 0.03
PROMISED_GREY_LEVELS = 2.0
PROMISED_CENTROID = 0.01

# (seconds, total cost, picture) of each iteration.
Turns = Iterator[tuple[float, float, Floats]]


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="Style transfer our way and the tutorials' way.")
    parser.add_argument("--rounds", type=int, default=30, help="iterations with Lil Data")
    parser.add_argument("--vgg19-rounds", type=int, default=5, help="iterations with VGG-19")
    parser.add_argument("--weights", type=Path, help="VGG-19's weights (.h5)")
    report.add_option(parser)
    options = parser.parse_args()
    content, style = clip("lofi"), clip("future_bass")
    print(f"{machine()}, TensorFlow {tf.__version__}")

    # First, while this process is small, too: both must fit.
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        memory_gb = fresh.submit(vgg19_memory_gb, content, style, options.weights).result()
    held = [promise(memory_gb, PROMISED_GB, "GB of memory, a fresh process with VGG-19")]

    network, model = lil_data()
    held_lil_data, row, agreement = compare(
        content, style, network, model, tensor_input, options.rounds
    )
    rows = [row | {"name": "Lil Data, iterations a second"}]
    held_whole, times = whole_transfer(content, style, network)

    model = vgg19_model(options.weights)
    network = vgg19_network(options.weights or "random")
    held_vgg19, row, agreement_vgg19 = compare(
        content, style, network, model, vgg19_input, options.vgg19_rounds
    )
    weights = "weights of a file" if options.weights else "random weights"
    rows.append(row | {"name": f"VGG-19 ({weights}), iterations a second"})
    report.write(
        options.report,
        rows,
        data={"music": "two clips of the crate"},
        settings={"pixels": len(content)},
        seeds=[0],
        memory_gb=memory_gb,
        agreement={"lil_data": agreement, "vgg19": agreement_vgg19},
        **times,
    )
    held += held_lil_data + held_whole + held_vgg19
    print("all promises hold" if all(held) else "a promise does NOT hold")
    return 0 if all(held) else 1


def promise(value: float, most: float, words: str) -> bool:
    """Print a number that must not be larger than promised."""
    print(
        f"[{'ok' if value <= most else 'fail'}] {value:.4g} {words} (at most {most:g})", flush=True
    )
    return value <= most


def compare(
    content: Image,
    style: Image,
    network: StyleNetwork,
    model: Any,
    preprocess: Callable[[Any], Any],
    rounds: int,
) -> tuple[list[bool], dict[str, Any], dict[str, float]]:
    """Let both ways take turns: whether the promises hold, the row, and how far apart they end."""
    print(f"{network.weights}: {rounds} iterations each, in turns")
    network.warm_up()
    usual = usual_way(content, style, network, model, preprocess)
    ours = our_way(content, style, network, rounds + 1)
    # The first of each is left out: theirs sets things up, ours looks at the start as well.
    next(usual), next(ours)
    turns = [(next(usual), next(ours)) for _ in range(rounds)]
    seconds = np.array([[one[0] for one in turn] for turn in turns])
    medians = np.median(seconds, axis=0)
    ratio = medians[0] / medians[1]
    print(
        f"  usual {1 / medians[0]:.2f} iterations/s, ours {1 / medians[1]:.2f}\n"
        f"[{'ok' if ratio >= PROMISED_RATIO else 'fail'}] {ratio:.2f} times (at least "
        f"{PROMISED_RATIO})"
    )
    (_, usual_cost, usual_image), (_, our_cost, our_image) = turns[-1]
    apart = {
        "iterations": rounds,
        "moved": report.rounded(np.abs(usual_image - content).mean()),
        "grey_levels": report.rounded(np.abs(our_image - usual_image).mean()),
        "total_cost": report.rounded(abs(our_cost / usual_cost - 1)),
    }
    centroid = centroid_hz(our_image) / centroid_hz(usual_image) - 1
    words = "relative difference of the total cost"
    held = [
        bool(ratio >= PROMISED_RATIO),
        promise(apart["total_cost"], PROMISED_COST, words),
        promise(
            apart["grey_levels"],
            PROMISED_GREY_LEVELS,
            f"grey levels between the pictures, which moved by {apart['moved']:.1f}",
        ),
        promise(abs(centroid), PROMISED_CENTROID, "relative difference of the spectral centroid"),
    ]
    return held, report.compared("", *(1 / medians), ratio), apart


def whole_transfer(
    content: Image, style: Image, network: StyleNetwork
) -> tuple[list[bool], dict[str, float]]:
    """Time the paper's early stop with Lil Data, and its first step: promises, and seconds."""
    started = time.perf_counter()
    for step in paint(content, style, network):
        if step.number == 0:
            first_s = time.perf_counter() - started
    all_s = time.perf_counter() - started
    held = [
        promise(first_s, PROMISED_FIRST_STEP_S, "s to the first step"),
        promise(all_s, PROMISED_TRANSFER_S, f"s for {step.iterations} iterations"),
    ]
    return held, {"first_step_s": first_s, "transfer_s": all_s, "iterations": step.iterations}


def our_way(content: Image, style: Image, network: StyleNetwork, iterations: int) -> Turns:
    """Go through a transfer, with the costs of the picture before each iteration."""
    steps = paint(content, style, network, Painting(iterations=iterations))
    cost = next(steps).total_cost
    while True:
        started = time.perf_counter()
        step = next(steps)
        yield time.perf_counter() - started, cost, step.image
        cost = step.total_cost


def usual_way(
    content: Image,
    style: Image,
    network: StyleNetwork,
    model: Any,
    preprocess: Callable[[Any], Any],
) -> Turns:
    """Transfer as the tutorials do."""
    preset = network.preset
    model.trainable = False
    extractor = keras.Model(model.inputs, [model.get_layer(name).output for name in preset.layers])

    def features(image: Any) -> dict[str, Any]:
        outputs = extractor(preprocess(tf.cast(image, tf.float32)[None]))
        return dict(zip(preset.layers, outputs, strict=True))

    def gram(x: Any) -> Any:
        return tf.linalg.einsum("bijc,bijd->bcd", x, x)

    targets = features(content)[preset.content_layer]
    grams = {name: gram(x) for name, x in features(style).items() if name in preset.style_layers}
    image = tf.Variable(tf.cast(content, tf.float32))
    optimizer = keras.optimizers.Adam(Painting().step_size)
    while True:
        started = time.perf_counter()
        with tf.GradientTape() as tape:
            outputs = features(image)
            cost = (
                preset.alpha * 0.5 * tf.reduce_sum((outputs[preset.content_layer] - targets) ** 2)
            )
            for name, weight in zip(preset.style_layers, preset.style_weights, strict=True):
                x = outputs[name]
                size = float(np.prod(x.shape))
                difference = gram(x) - grams[name]
                cost += preset.beta * weight / (2 * size) ** 2 * tf.reduce_sum(difference**2)
        optimizer.apply_gradients([(tape.gradient(cost, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 255.0))
        total = float(cost)
        yield time.perf_counter() - started, total, image.numpy()


def lil_data() -> tuple[StyleNetwork, Any]:
    """Open the Lil Data that comes with the course, or take random weights; and its model."""
    folder = LIL_DATA_RUN
    if not folder.is_dir():
        network = lil_data_network(None)
        return network, build_lil_data(len(GENRES))
    run = load_run(folder)
    return lil_data_network(run), run.model


def vgg19_model(weights: Path | None) -> Any:
    """Build VGG-19 for our pictures with the weights that our network has."""
    model = keras.applications.VGG19(include_top=False, weights=None, input_shape=(631, 631, 3))
    pretrained.load_weights(model, weights or "random", 0)
    return model


def vgg19_memory_gb(content: Image, style: Image, weights: Path | None) -> float:
    """Transfer with VGG-19 in this process; tell how much memory it had at most, in GB."""
    network = vgg19_network(weights or "random")
    for _ in paint(content, style, network, Painting(iterations=3)):
        pass
    return peak_memory_gb()


def peak_memory_gb() -> float:
    """Tell the most memory that this process ever had, in GB."""
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return float(memory.peak_wset) / 1e9
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def centroid_hz(image: Floats) -> float:
    """Compute the mean frequency, weighted by magnitude."""
    magnitude = image_to_magnitude(image)
    bins = np.arange(len(magnitude))[:, None]
    return float((bins * magnitude).sum() / magnitude.sum()) * BIN_HZ


def clip(genre: str) -> Image:
    """Render a clip of the crate."""
    sound = render(compose(genre, 0, duration_s=15.0))
    return to_image(sound[CLIP_SAMPLES : 2 * CLIP_SAMPLES])[0]


if __name__ == "__main__":
    sys.exit(main())
