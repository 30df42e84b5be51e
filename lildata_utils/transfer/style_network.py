"""A network as style transfer uses it: what it sees, and the gradient on the picture (notebook 04).

A network's features of a picture say what is where (content); how often features occur together,
wherever that is (their Gram matrices), says what it is made of (style).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.files import shown
from lildata_utils.genres import GENRES
from lildata_utils.learning.recipes import LIL_DATA
from lildata_utils.learning.runs import Run
from lildata_utils.machine import has_bfloat16
from lildata_utils.networks import pretrained
from lildata_utils.networks.extractor import feature_extractor
from lildata_utils.networks.inputs import tensor_input
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats
from lildata_utils.transfer.costs import content_cost, gram_matrix, style_cost, total_cost
from lildata_utils.transfer.settings import PRESETS, Preset


class Look(NamedTuple):
    """What a network sees in a picture (notebook 04).

    `content`, shape (bins, frames, channels), are the features of the content layer; `grams`, a
    matrix of channels by channels for each style layer, and `shapes`, those of its features.
    """

    content: Any
    grams: list[Any]
    shapes: list[Any]


class Costs(NamedTuple):
    """The three costs of a picture (notebook 04)."""

    content: float
    style: float
    total: float


@dataclass(frozen=True, eq=False)
class StyleNetwork:
    """A network as style transfer uses it (notebook 04).

    Attributes
    ----------
    name : str
        ``lil_data``, ``vgg19``, ...
    weights : str
        Which weights it has, in words, for every figure and report.
    preset : Preset
        Its layers, and the defaults of `painting.paint`.
    extractor : keras.Model
        Gives the features of ``preset.layers``; made by `feature_extractor`.
    preprocess : callable
        Makes the extractor's input, shape (n, bins, frames, channels), of pictures of shape
        (n, bins, frames) in [0, 255]; in TensorFlow, as gradients go through it.
    """

    name: str
    weights: str
    preset: Preset
    extractor: Any
    preprocess: Callable[[Any], Any]

    def features(self, image: Any) -> dict[str, Any]:
        """Compute the features of the preset's layers, by name, of a picture in [0, 255].

        A picture of shape (bins, frames) gives features of shape (bins, frames, channels), in the
        layer's own sizes.
        """
        pictures = self.preprocess(tf.cast(image, tf.float32)[None])
        features = self.extractor(pictures, training=False)
        return {name: x[0] for name, x in features.items()}

    def look(self, image: ArrayLike) -> Look:
        """Compute what the costs of `image`, shape (bins, frames) in [0, 255], are made of."""
        with deterministic():
            return Look(*self._look(tf.constant(image, tf.float32)))

    def costs(self, content: Look, style: Look, look: Look, alpha: Any, beta: Any) -> Any:
        """Compute the three costs of a picture, given looks at content, style and itself."""
        weights = self.preset.style_weights
        of_content = content_cost(content.content, look.content)
        of_style = style_cost(style.grams, look.grams, look.shapes, weights)
        return Costs(of_content, of_style, total_cost(of_content, of_style, alpha, beta))

    def gradient(
        self, content: Look, style: Look, image: ArrayLike, alpha: float, beta: float
    ) -> tuple[Costs, Floats]:
        """Compute the costs of a picture, and how their total changes with each of its pixels."""
        numbers = [tf.constant(number, tf.float32) for number in (image, alpha, beta)]
        with deterministic():
            costs, gradient = self._gradient(content.content, style.grams, *numbers)
        return Costs(*map(float, costs)), gradient.numpy()

    def warm_up(self, shape: tuple[int, int] = (N_BINS, N_FRAMES)) -> None:
        """Compile for pictures of a size, so that the first transfer does not wait for it."""
        black = np.zeros(shape, np.float32)
        look = self.look(black)
        self.gradient(look, look, black, 1.0, 1.0)

    # Compiled once for each size of picture: alpha and beta are inputs, too.

    @cached_property
    def _look(self) -> Any:
        return tf.function(self._seen, autograph=False)

    @cached_property
    def _gradient(self) -> Any:
        @tf.function(autograph=False)
        def gradient(content: Any, grams: Any, image: Any, alpha: Any, beta: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(image)
                look = self._seen(image)
                targets = Look(content, [], []), Look(None, grams, [])
                costs = self.costs(*targets, look, alpha, beta)
            return costs, tape.gradient(costs.total, image)

        return gradient

    def _seen(self, image: Any) -> Look:
        features = self.features(image)
        style = [features[name] for name in self.preset.style_layers]
        grams, shapes = [gram_matrix(x) for x in style], [tf.shape(x) for x in style]
        return Look(features[self.preset.content_layer], grams, shapes)


def lil_data_network(run: Run | None, seed: int = 0) -> StyleNetwork:
    """Take Lil Data for style transfer, a trained one or one with random weights (notebook 04).

    Its features are those of the convolutions after their ReLU and before the pooling, at 631, 157,
    39 and 9 bins and frames. Everything is computed in float32: with so few channels, memory is
    what takes the time, and bfloat16 was no faster.

    Raises
    ------
    LilDataError
        If the run is of another network, or its file is broken.
    """
    if run is None:
        model, words = build_lil_data(len(GENRES), seed=seed), f"random (seed {seed})"
    elif run.network != LIL_DATA.name:
        raise LilDataError(
            f"{run.folder} is a run of {run.network!r}: style transfer needs Lil Data, a run of "
            f"`lildata train {LIL_DATA.name}`"
        )
    else:
        model, words = run.model, f"run {shown(run.folder)}"
    preset = PRESETS["lil_data"]
    extractor = feature_extractor(model, preset.layers)
    return StyleNetwork("lil_data", f"{preset.title}, {words}", preset, extractor, tensor_input)


def vgg19_network(
    weights: Path | str | None = None, seed: int = 0, dtype: str | None = None
) -> StyleNetwork:
    """Take VGG-19 for style transfer (Simonyan & Zisserman, arXiv:1409.1556; notebook 04).

    `weights` and `seed` are as for `pretrained.load_weights`, `dtype` as for `feature_extractor`:
    "bfloat16" where the processor has it if not given.
    """
    model = keras.applications.VGG19(include_top=False, weights=None)
    words = pretrained.load_weights(model, weights, seed)
    preset = PRESETS["vgg19"]
    dtype = dtype or ("bfloat16" if has_bfloat16() else "float32")
    extractor = feature_extractor(model, preset.layers, dtype)
    return StyleNetwork("vgg19", f"{preset.title}, {words}", preset, extractor, vgg19_input)


def vgg19_input(images: Any) -> Any:
    """Make three equal channels through Keras' own `preprocess_input` (notebook 04).

    Pictures in [0, 255], shape (n, bins, frames), give shape (n, bins, frames, 3): each channel
    less ImageNet's mean of it. A gradient comes back as the sum of the channels.
    """
    channels = tf.repeat(images[..., None], 3, axis=-1)
    return keras.applications.vgg19.preprocess_input(channels)
