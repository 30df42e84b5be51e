"""Neural style transfer on spectrograms: gradient descent on the picture (notebook 04).

A network's features of a picture say what is where (content); how often features occur together,
wherever that is (their Gram matrices), says what it is made of (style). `transfer` changes a
picture until its features are those of one clip and its Gram matrices those of another: Gatys,
Ecker & Bethge (arXiv:1508.06576; CVPR 2016), with the costs and numbers of "On the Generation of
Music" (its Methods and Supplementary Data).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.files import shown
from lildata_utils.genres import GENRES
from lildata_utils.learning.training import Run, tensor_input
from lildata_utils.machine import has_bfloat16
from lildata_utils.networks import pretrained
from lildata_utils.networks.classifier import LIL_DATA, build_lil_data
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats, Image

WHITE = 255.0
# Costs of 1e20 and more still fit into float32.
LARGEST_WEIGHT = 1e12
STARTS = ("content", "style", "noise")
# Lil Data's fourth convolution still sees one place of it, VGG-19's fifth block four by four.
SMALLEST_SIDE = 64

# The decays of Adam's two averages (Kingma & Ba, arXiv:1412.6980).
ADAM_MEAN, ADAM_SQUARE = 0.9, 0.999
# Pairs of steps and gradient changes that L-BFGS keeps; how often it halves a step that leads up,
# and what share of the promised decrease is enough (Nocedal & Wright 2006, chapters 3 and 7).
LBFGS_MEMORY = 10
LBFGS_HALVINGS = 10
LBFGS_DECREASE = 1e-4

SMALLEST = 1e-20
# From here on a convolution's arithmetic takes longer than its memory traffic.
MANY_CHANNELS = 256


@dataclass(frozen=True)
class Preset:
    """A column of the paper's supplementary table.

    Attributes
    ----------
    style_layers : tuple of str
        Layers whose Gram matrices are the style.
    style_weights : tuple of float
        The lambda of each.
    content_layer : str
        Layer whose features are the content.
    alpha, beta : float
        Weights of the content cost and of the style cost.
    early_stop, full : int
        Iterations of the paper's two pictures.
    """

    style_layers: tuple[str, ...]
    style_weights: tuple[float, ...]
    content_layer: str
    alpha: float
    beta: float
    early_stop: int
    full: int

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that is needed, once."""
        return tuple(dict.fromkeys((*self.style_layers, self.content_layer)))


STYLE_WEIGHTS = (0.3, 0.4, 0.2, 0.1)
PRESETS = {
    "lil_data": Preset(
        ("conv1", "conv2", "conv3", "conv4"), STYLE_WEIGHTS, "conv4", 50.0, 500.0, 100, 500
    ),
    "vgg19": Preset(
        ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1"),
        STYLE_WEIGHTS,
        "block5_conv1",
        100.0,
        1000.0,
        10,
        100,
    ),
}

# The three equations of the paper. They take arrays or tensors and give tensors.


def gram_matrix(features: Any) -> Any:
    """Sum, over all places, the products of every two channels.

    ``G[k, k'] = sum over i, j of a[i, j, k] a[i, j, k']``. Where something is no longer matters,
    only what occurs together (Gatys et al., arXiv:1508.06576, equation 3).

    Parameters
    ----------
    features : array_like or tf.Tensor, shape (bins, frames, channels)
        Outputs of a layer.

    Returns
    -------
    tf.Tensor, shape (channels, channels)
        Symmetric; in the features' type.

    Examples
    --------
    >>> gram_matrix([[[1.0, 2.0], [3.0, 0.0]]]).numpy().tolist()
    [[10.0, 2.0], [2.0, 4.0]]
    """
    features = tf.convert_to_tensor(features)
    return _products(tf.reshape(features, (-1, features.shape[-1])))


@tf.custom_gradient
def _products(places: Any) -> Any:
    # TensorFlow would not know that both factors are the same, and multiply twice on the way back.
    return (
        tf.matmul(places, places, transpose_a=True),
        lambda upstream: tf.matmul(places, upstream + tf.transpose(upstream)),
    )


def content_cost(content_features: Any, features: Any) -> Any:
    """Compute the paper's first equation: ``1/2 || a(C) - a(G) ||^2``.

    Parameters
    ----------
    content_features, features : array_like or tf.Tensor, shape (bins, frames, channels)
        A layer's outputs for the content and for the picture.

    Returns
    -------
    tf.Tensor, shape ()

    Examples
    --------
    >>> float(content_cost([[[1.0, 2.0]]], [[[4.0, 2.0]]]))
    4.5
    """
    return 0.5 * tf.reduce_sum(tf.square(tf.subtract(features, content_features)))


def style_cost(
    style_grams: Sequence[Any],
    grams: Sequence[Any],
    shapes: Sequence[Any],
    weights: Sequence[float],
) -> Any:
    """Compute the paper's second equation, a weighted sum over layers.

    ``sum over l of lambda / (2 n_h n_w n_c)^2 sum over k, k' of (G(S) - G(G))^2``.

    Parameters
    ----------
    style_grams, grams : sequence of array_like or tf.Tensor, shape (channels, channels)
        Gram matrices of the style and of the picture, one a layer.
    shapes : sequence of (int, int, int)
        Of the features they were made of: n_h (bins), n_w (frames), n_c (channels).
    weights : sequence of float
        The lambda of each layer.

    Returns
    -------
    tf.Tensor, shape ()

    Examples
    --------
    >>> float(style_cost([[[3.0]]], [[[1.0]]], [(1, 2, 1)], [0.5]))  # 0.5 / 4^2 * 2^2
    0.125
    """
    total = 0.0
    for style_gram, gram, shape, weight in zip(style_grams, grams, shapes, weights, strict=True):
        difference = tf.subtract(gram, style_gram)
        size = tf.cast(tf.reduce_prod(shape), difference.dtype)
        total += weight / (2 * size) ** 2 * tf.reduce_sum(tf.square(difference))
    return total


def total_cost(content: Any, style: Any, alpha: Any, beta: Any) -> Any:
    """Compute the paper's third equation: ``alpha J_content + beta J_style``.

    Examples
    --------
    >>> total_cost(2.0, 3.0, alpha=50.0, beta=500.0)
    1600.0
    """
    return alpha * content + beta * style


# Networks


class Rounded(keras.layers.Conv2D):
    """A convolution with ReLU that rounds to bfloat16 where it saves time.

    The input's gradient is always computed in bfloat16, the outputs only where there are many
    channels. With few, reading and writing takes the time, and float32 is as fast; and what is
    rounded early is rounded for all layers that follow.

    What it changes, for VGG-19 with random weights and a pair of clips, against float32: after the
    paper's 10 iterations the total cost is 1.7 % higher, after 30 it is 4 %; the picture's mean is
    off by 0.1 grey levels, a pixel by 1.7 (0.5 dB) and 5.7, where the transfer moved it by 11 and
    19. The style's cost and gradient are off by less than 0.1 and 2 %. It is the content's part
    that suffers: late in a transfer it is a small difference of large features.
    """

    def call(self, inputs: Any) -> Any:
        """Compute the layer's output, float32, shape (n, bins, frames, filters)."""
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        padding = self.padding.upper()
        dtype = tf.bfloat16 if inputs.shape[-1] >= MANY_CHANNELS else tf.float32

        @tf.custom_gradient
        def convolve(x: Any) -> Any:
            x, weights, shift = (tf.cast(y, dtype) for y in (x, kernel, bias))
            raw = tf.nn.conv2d(x, weights, self.strides, padding)
            outputs = tf.cast(tf.nn.relu(tf.nn.bias_add(raw, shift)), tf.float32)

            def gradient(upstream: Any) -> Any:
                passed = tf.raw_ops.ReluGrad(gradients=upstream, features=outputs)
                rounded = tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=tf.shape(x),
                    filter=tf.cast(kernel, tf.bfloat16),
                    out_backprop=tf.cast(passed, tf.bfloat16),
                    strides=(1, *self.strides, 1),
                    padding=padding,
                )
                return tf.cast(rounded, tf.float32)

            return outputs, gradient

        return convolve(inputs)


def feature_extractor(model: Any, layers: Sequence[str], dtype: str = "float32") -> Any:
    """Make a network that gives the outputs of chosen layers, for pictures of any size.

    It has a copy of the weights, and nothing of the model that the chosen layers do not need.

    Parameters
    ----------
    model : keras.Model
        Any network of layers, from pictures of shape (n, bins, frames, channels).
    layers : sequence of str
        Names of layers. A layer's output is taken after its activation and before what follows: of
        Lil Data's ``conv1`` after the ReLU and before the pooling.
    dtype : {"float32", "bfloat16"}
        With "bfloat16" convolutions with ReLU become `Rounded`.

    Returns
    -------
    keras.Model
        From pictures to features by the layer's name: float32, shape (n, bins, frames, channels) in
        the layer's own sizes.

    Raises
    ------
    LilDataError
        If the model has no layer of such a name.

    Examples
    --------
    >>> extractor = feature_extractor(build_lil_data(8), ["conv1", "conv2"])
    >>> extractor(np.zeros((1, 64, 80, 1)))["conv2"].shape
    TensorShape([1, 16, 20, 32])
    """
    names = [layer.name for layer in model.layers]
    for name in layers:
        if name not in names:
            raise LilDataError(
                f"{model.name} has no layer {name!r}: choose among {', '.join(names)}"
            )

    def copy(layer: Any) -> Any:
        rounded = dtype == "bfloat16" and _is_plain_convolution(layer)
        return (Rounded if rounded else type(layer)).from_config(layer.get_config())

    outputs = {name: model.get_layer(name).output for name in layers}
    needed = keras.Model(model.inputs[0], outputs)
    pictures = keras.Input((None, None, model.inputs[0].shape[-1]))
    twin = keras.models.clone_model(needed, input_tensors=pictures, clone_function=copy)
    twin.set_weights(needed.get_weights())
    return twin


def _is_plain_convolution(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.activation is keras.activations.relu
        and layer.use_bias
        and layer.groups == 1
        and tuple(layer.dilation_rate) == (1, 1)
    )


class Look(NamedTuple):
    """What a network sees in a picture: its features as content, their Gram matrices as style.

    Attributes
    ----------
    content : tf.Tensor of float32, shape (bins, frames, channels)
        Features of the content layer.
    grams : list of tf.Tensor of float32, shape (channels, channels)
        One a style layer.
    shapes : list of tf.Tensor of int32, shape (3,)
        Bins, frames and channels of the features of each style layer.
    """

    content: Any
    grams: list[Any]
    shapes: list[Any]


class Costs(NamedTuple):
    """The three costs of a picture."""

    content: float
    style: float
    total: float


# What the optimizers ask: the costs of a picture, and the gradient of the total.
Evaluate = Callable[[Floats], tuple[Costs, Floats]]


@dataclass(frozen=True, eq=False)
class StyleNetwork:
    """A network as style transfer uses it.

    Attributes
    ----------
    name : str
        ``lil_data``, ``vgg19``, ...
    weights : str
        Which weights it has, in words, for every figure and report.
    preset : Preset
        Its layers, and the defaults of `transfer`.
    extractor : keras.Model
        Gives the features of ``preset.layers``; made by `feature_extractor`.
    preprocess : callable
        Makes the extractor's input, shape (n, bins, frames, channels), of pictures of shape
        (n, bins, frames) in [0, 255]; in TensorFlow, as gradients go through it.

    Examples
    --------
    >>> preset = Preset(("conv1",), (1.0,), "conv2", alpha=1.0, beta=1.0, early_stop=1, full=2)
    >>> extractor = feature_extractor(build_lil_data(8), preset.layers)
    >>> network = StyleNetwork("shallow", "random", preset, extractor, tensor_input)
    >>> network.look(np.zeros((64, 64))).content.shape
    TensorShape([16, 16, 32])
    """

    name: str
    weights: str
    preset: Preset
    extractor: Any
    preprocess: Callable[[Any], Any]

    def features(self, image: Any) -> dict[str, Any]:
        """Compute the features of the preset's layers.

        Parameters
        ----------
        image : array_like or tf.Tensor, shape (bins, frames)
            In [0, 255].

        Returns
        -------
        dict of str to tf.Tensor of float32, shape (bins, frames, channels)
            By the name of the layer, in its own sizes.
        """
        pictures = self.preprocess(tf.cast(image, tf.float32)[None])
        features = self.extractor(pictures, training=False)
        return {name: x[0] for name, x in features.items()}

    def look(self, image: ArrayLike) -> Look:
        """Compute what the costs of `image`, shape (bins, frames) in [0, 255], are made of."""
        with deterministic():
            return Look(*self._look(tf.constant(image, tf.float32)))

    def costs(self, content: Look, style: Look, look: Look, alpha: Any, beta: Any) -> Any:
        """Compute the three costs of a picture.

        Parameters
        ----------
        content, style, look : Look
            At the content, at the style and at the picture itself.
        alpha, beta : float or tf.Tensor
            Weights of the content cost and of the style cost.

        Returns
        -------
        Costs of tf.Tensor, shape ()
        """
        weights = self.preset.style_weights
        of_content = content_cost(content.content, look.content)
        of_style = style_cost(style.grams, look.grams, look.shapes, weights)
        return Costs(of_content, of_style, total_cost(of_content, of_style, alpha, beta))

    def gradient(
        self, content: Look, style: Look, image: ArrayLike, alpha: float, beta: float
    ) -> tuple[Costs, Floats]:
        """Compute the three costs of `image`, and how the total changes with each of its pixels.

        Returns
        -------
        costs : Costs
        gradient : ndarray of float32, shape (bins, frames)
        """
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
    """Take Lil Data for style transfer.

    Its features are those of the convolutions after their ReLU and before the pooling, at 631, 157,
    39 and 9 bins and frames. Everything is computed in float32: with so few channels, memory is
    what takes the time, and bfloat16 was no faster.

    Parameters
    ----------
    run : training.Run or None
        A trained Lil Data; None for random weights.
    seed : int
        Of random weights.

    Returns
    -------
    StyleNetwork

    Raises
    ------
    LilDataError
        If the run is of another network, or its file is broken.

    Examples
    --------
    >>> lil_data_network(None).weights
    'Lil Data, random (seed 0)'
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
    return StyleNetwork("lil_data", f"Lil Data, {words}", preset, extractor, tensor_input)


def vgg19_network(
    weights: Path | str | None = None, seed: int = 0, dtype: str | None = None
) -> StyleNetwork:
    """Take VGG-19 for style transfer (Simonyan & Zisserman, arXiv:1409.1556).

    Parameters
    ----------
    weights : Path, "random" or None
        A file of VGG-19's weights as Keras saves them (.h5), with or without the dense layers.
        None takes those of ImageNet, which Keras keeps after the first download; if there is
        neither file nor network, they are random, and a warning says so.
    seed : int
        Of random weights (He et al., arXiv:1502.01852, which keeps the features' size from layer to
        layer).
    dtype : {"float32", "bfloat16"}, optional
        See `feature_extractor`; "bfloat16" where the processor has it if not given.

    Returns
    -------
    StyleNetwork

    Raises
    ------
    LilDataError
        If the file is missing, broken, or of another network.

    Warns
    -----
    UserWarning
        If ImageNet's weights can't be had.

    Examples
    --------
    >>> vgg19_network("random").weights
    'VGG-19, random (seed 0)'
    """
    model = keras.applications.VGG19(include_top=False, weights=None)
    words = pretrained.load_weights(model, weights, seed)
    preset = PRESETS["vgg19"]
    dtype = dtype or ("bfloat16" if has_bfloat16() else "float32")
    extractor = feature_extractor(model, preset.layers, dtype)
    return StyleNetwork("vgg19", f"VGG-19, {words}", preset, extractor, vgg19_input)


def vgg19_input(images: Any) -> Any:
    """Make VGG-19's input: three equal channels through Keras' own `preprocess_input`.

    Parameters
    ----------
    images : tf.Tensor of float32, shape (n, bins, frames)
        In [0, 255].

    Returns
    -------
    tf.Tensor of float32, shape (n, bins, frames, 3)
        Each channel less ImageNet's mean of it. A gradient comes back as the sum of the channels.
    """
    channels = tf.repeat(images[..., None], 3, axis=-1)
    return keras.applications.vgg19.preprocess_input(channels)


# Optimizers. Each yields picture after picture, in [0, 255], with its costs.

Pictures = Iterator[tuple[Floats, Costs]]


def _adam(evaluate: Evaluate, image: Floats, step_size: float) -> Pictures:
    """Move every pixel by about the step size, in the direction that its gradients agree on."""
    mean, square = np.zeros_like(image), np.zeros_like(image)
    _, gradient = evaluate(image)
    for number in count(1):
        mean += (1 - ADAM_MEAN) * (gradient - mean)
        square += (1 - ADAM_SQUARE) * (gradient * gradient - square)
        size = np.sqrt(square / (1 - ADAM_SQUARE**number))
        size += SMALLEST
        image = _clip(image - step_size / (1 - ADAM_MEAN**number) * mean / size)
        costs, gradient = evaluate(image)
        yield image, costs


def _gradient_descent(evaluate: Evaluate, image: Floats, step_size: float) -> Pictures:
    """Go down the gradient, at a rate by which the first move has the step size.

    Where a move leads up, it is not made, and the rate is halved: the costs curve more there than
    they did at the start.
    """
    costs, gradient = evaluate(image)
    rate = step_size / _rms(gradient)
    while True:
        moved = _clip(image - rate * gradient)
        moved_costs, moved_gradient = evaluate(moved)
        if moved_costs.total <= costs.total:
            image, costs, gradient = moved, moved_costs, moved_gradient
        else:
            rate /= 2
        yield image, costs


def _lbfgs(evaluate: Evaluate, image: Floats, step_size: float) -> Pictures:
    """Limited-memory BFGS within bounds (Nocedal & Wright 2006, algorithm 7.5).

    A pixel that is black or white and that the gradient would push further is left out. A move that
    leads up is halved; when halving does not help, what was remembered is forgotten, and if there
    was nothing to forget, this is as low as it gets.
    """
    costs, gradient = evaluate(image)
    pairs: deque[tuple[Floats, Floats]] = deque(maxlen=LBFGS_MEMORY)
    lowest = False
    while True:
        stuck = ((image <= 0) & (gradient > 0)) | ((image >= WHITE) & (gradient < 0))
        slope = np.where(stuck, np.float32(0), gradient)
        move = -np.where(stuck, np.float32(0), _newton(slope, pairs))
        if not pairs:
            move *= step_size / _rms(slope)
        for _ in range(0 if lowest else LBFGS_HALVINGS):
            moved = _clip(image + move)
            moved_costs, moved_gradient = evaluate(moved)
            promised = _dot(gradient, moved - image)
            if promised < 0 and moved_costs.total <= costs.total + LBFGS_DECREASE * promised:
                pair = moved - image, moved_gradient - gradient
                if _dot(*pair) > 0:
                    pairs.append(pair)
                image, costs, gradient = moved, moved_costs, moved_gradient
                break
            move /= 2
        else:
            lowest = not pairs
            pairs.clear()
        yield image, costs


def _newton(slope: Floats, pairs: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Multiply a gradient with the inverse curvature that the pairs tell (algorithm 7.4)."""
    direction = slope.copy()
    shares = []
    for move, change in reversed(pairs):
        share = _dot(move, direction) / _dot(move, change)
        direction -= share * change
        shares.append(share)
    if pairs:
        move, change = pairs[-1]
        direction *= _dot(move, change) / _dot(change, change)
    for (move, change), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - _dot(change, direction) / _dot(move, change)) * move
    return direction


def _clip(image: Floats) -> Floats:
    return np.clip(image, np.float32(0), np.float32(WHITE))


def _rms(gradient: Floats) -> float:
    """Root mean square; where there is no gradient, the smallest number, so that nothing moves."""
    return max(float(np.sqrt(np.mean(np.square(gradient, dtype=np.float64)))), SMALLEST)


def _dot(one: Floats, other: Floats) -> float:
    return float(np.vdot(one, other))


OPTIMIZERS: dict[str, Callable[[Evaluate, Floats, float], Pictures]] = {
    "adam": _adam,
    "gradient_descent": _gradient_descent,
    "lbfgs": _lbfgs,
}
# In grey levels. Adam's was chosen with Lil Data on three pairs of clips, among 0.5 to 20: with 2,
# the paper's 100 iterations lower the total cost to 3 % or less, and its 500 go on. The picture
# has changed visibly after 10, and keeps its lines after 500. With 1 it takes twice as many; with 5
# the lines fray, and with 10 and more they turn into speckles. The other two lower the costs from
# the start with 1.
STEP_SIZES = {"adam": 2.0, "gradient_descent": 1.0, "lbfgs": 1.0}


@dataclass(frozen=True)
class Step:
    """Where a transfer stands.

    Attributes
    ----------
    number, iterations : int
        Iterations done, and how many there will be; the first step (0) is the start itself.
    content_cost, style_cost, total_cost : float
        Of this step's image.
    image : ndarray of float32, shape (631, 631)
        The picture so far, in [0, 255]; row 0 is 0 Hz.
    """

    number: int
    iterations: int
    content_cost: float
    style_cost: float
    total_cost: float
    image: Floats


def transfer(
    content: Image,
    style: Image,
    network: StyleNetwork,
    alpha: float | None = None,
    beta: float | None = None,
    iterations: int | None = None,
    optimizer: str = "adam",
    step_size: float | None = None,
    start: str = "content",
    seed: int = 0,
) -> Iterator[Step]:
    """Change a picture until it has the content of one clip and the style of another.

    After every iteration the picture is clipped to [0, 255], the range of `spectrogram.to_image`.

    Parameters
    ----------
    content, style : ndarray of uint8, shape (631, 631)
        Spectrograms; other sizes work, too, if both have the same.
    network : StyleNetwork
        Whose features are compared.
    alpha, beta : float, optional
        Weights of the content cost and of the style cost; the network's preset if not given.
    iterations : int, optional
        How many; 0 gives the start alone. The preset's early stop if not given.
    optimizer : {"adam", "gradient_descent", "lbfgs"}
        Adam (Kingma & Ba, arXiv:1412.6980); gradient descent, which halves its rate where a move
        would raise the total cost; L-BFGS, which looks at several pictures in an iteration where
        its first move would. Only Adam takes moves that raise the total cost.
    step_size : float, optional
        In grey levels (0.31 dB). With Adam about what each pixel moves in an iteration; with the
        other two the root mean square of the first move. `STEP_SIZES` if not given.
    start : {"content", "style", "noise"}
        The picture to begin with; the paper begins with the content.
    seed : int
        Of the noise.

    Yields
    ------
    Step
        The start, then one step an iteration. The same arguments give the same steps on the same
        machine.

    Raises
    ------
    LilDataError
        If the pictures do not fit, a name is unknown, or a number is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pictures = rng.integers(0, 256, (2, 64, 64), dtype=np.uint8)
    >>> costs = [s.total_cost for s in transfer(*pictures, lil_data_network(None), iterations=3)]
    >>> costs[3] < costs[0]
    True
    """
    preset = network.preset
    alpha = preset.alpha if alpha is None else alpha
    beta = preset.beta if beta is None else beta
    iterations = preset.early_stop if iterations is None else iterations
    if optimizer not in OPTIMIZERS:
        raise LilDataError(
            f"optimizer {optimizer!r} is unknown: choose one of {', '.join(OPTIMIZERS)}"
        )
    step_size = STEP_SIZES[optimizer] if step_size is None else step_size
    _check_numbers(alpha, beta, iterations, step_size)
    _check_pictures(content, style)
    image = _start(content, style, start, seed)

    content_look = network.look(content)
    style_look = network.look(style)
    looks = {"content": content_look, "style": style_look}
    look = looks[start] if start in looks else network.look(image)
    costs = Costs(*map(float, network.costs(content_look, style_look, look, alpha, beta)))
    yield Step(0, iterations, *costs, image)

    def evaluate(picture: Floats) -> tuple[Costs, Floats]:
        return network.gradient(content_look, style_look, picture, alpha, beta)

    pictures = OPTIMIZERS[optimizer](evaluate, image, step_size)
    for number, (picture, costs) in enumerate(islice(pictures, iterations), 1):
        yield Step(number, iterations, *costs, picture)


def _check_numbers(alpha: float, beta: float, iterations: int, step_size: float) -> None:
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0 <= value < LARGEST_WEIGHT:
            raise LilDataError(f"{name} must be from 0 to {LARGEST_WEIGHT:g}, got {value}")
    if alpha == beta == 0:
        raise LilDataError("alpha and beta are both 0: nothing would change, raise one of them")
    if iterations < 0:
        raise LilDataError(f"iterations must be at least 0, got {iterations}")
    if not 0 < step_size < np.inf:
        raise LilDataError(f"step_size must be above 0 grey levels, got {step_size}")


def _check_pictures(content: Image, style: Image) -> None:
    for name, image in (("content", content), ("style", style)):
        if image.ndim != 2 or image.dtype != np.uint8:
            raise LilDataError(
                f"the {name} has shape {image.shape} of {image.dtype}; expected a spectrogram "
                f"image of uint8, shape ({N_BINS}, {N_FRAMES})"
            )
        if min(image.shape) < SMALLEST_SIDE:
            raise LilDataError(
                f"the {name} has shape {image.shape}; expected at least {SMALLEST_SIDE} bins and "
                "frames"
            )
    if content.shape != style.shape:
        raise LilDataError(
            f"the content has shape {content.shape}, the style {style.shape}: they must be equal"
        )


def _start(content: Image, style: Image, start: str, seed: int) -> Floats:
    if start == "content":
        return content.astype(np.float32)
    if start == "style":
        return style.astype(np.float32)
    if start == "noise":
        noise = np.random.default_rng(seed).random(content.shape, dtype=np.float32)
        return noise * np.float32(WHITE)
    raise LilDataError(f"start {start!r} is unknown: choose one of {', '.join(STARTS)}")
