"""Painting: gradient descent on the picture, after Gatys, Ecker & Bethge (notebook 04).

`paint` changes a picture until its features are those of one clip and its Gram matrices those of
another, with the costs and numbers of "On the Generation of Music" (its Methods and Supplementary
Data).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats, Image
from lildata_utils.transfer.settings import Painting
from lildata_utils.transfer.style_network import Costs, StyleNetwork

WHITE = 255.0
# Lil Data's fourth convolution still sees one place of it, VGG-19's fifth block four by four.
SMALLEST_SIDE = 64
# The decays of Adam's two averages (Kingma & Ba, arXiv:1412.6980).
ADAM_MEAN, ADAM_SQUARE = 0.9, 0.999
SMALLEST = 1e-20


@dataclass(frozen=True)
class PaintingStep:
    """Where a painting stands (notebook 04).

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


def paint(
    content: Image, style: Image, network: StyleNetwork, settings: Painting = Painting()
) -> Iterator[PaintingStep]:
    """Change a picture until it has the content of one clip and the style of another (notebook 04).

    Parameters
    ----------
    content, style : ndarray of uint8, shape (631, 631)
        Spectrograms; other sizes work, too, if both have the same.
    network : StyleNetwork
        Whose features are compared; its preset stands for what the settings leave open.
    settings : Painting

    Yields
    ------
    PaintingStep
        The start, then one step an iteration. After each the picture is clipped to [0, 255]. The
        same arguments give the same steps on the same machine.

    Raises
    ------
    LilDataError
        If the pictures do not fit, or alpha and beta are both 0.

    Examples
    --------
    >>> from lildata_utils.transfer.style_network import lil_data_network
    >>> pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    >>> steps = paint(*pictures, lil_data_network(None), Painting(iterations=3))
    >>> costs = [step.total_cost for step in steps]
    >>> costs[3] < costs[0]
    True
    """
    preset = network.preset
    alpha = preset.alpha if settings.alpha is None else settings.alpha
    beta = preset.beta if settings.beta is None else settings.beta
    iterations = preset.early_stop if settings.iterations is None else settings.iterations
    if alpha == beta == 0:
        raise LilDataError("alpha and beta are both 0: nothing would change, raise one of them")
    _check_pictures(content, style)
    image = _start(content, style, settings.start, settings.seed)

    content_look, style_look = network.look(content), network.look(style)
    looks = {"content": content_look, "style": style_look}
    look = looks.get(settings.start) or network.look(image)
    costs = Costs(*map(float, network.costs(content_look, style_look, look, alpha, beta)))
    yield PaintingStep(0, iterations, *costs, image)

    def evaluate(picture: Floats) -> tuple[Costs, Floats]:
        return network.gradient(content_look, style_look, picture, alpha, beta)

    pictures = _adam(evaluate, image, settings.step_size)
    for number, (picture, costs) in enumerate(islice(pictures, iterations), 1):
        yield PaintingStep(number, iterations, *costs, picture)


def _adam(
    evaluate: Callable[[Floats], tuple[Costs, Floats]], image: Floats, step_size: float
) -> Iterator[tuple[Floats, Costs]]:
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
    if start == "noise":
        noise = np.random.default_rng(seed).random(content.shape, dtype=np.float32)
        return noise * np.float32(WHITE)
    return (content if start == "content" else style).astype(np.float32)


def _clip(image: Floats) -> Floats:
    return np.clip(image, np.float32(0), np.float32(WHITE))
