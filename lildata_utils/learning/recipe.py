"""A recipe: a kind of network and how it is trained. What `fit` needs to know, and no more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lildata_utils.backend import keras
from lildata_utils.networks.settings import SETTINGS
from lildata_utils.settings import Settings
from lildata_utils.sound.spectrogram import Image


def adam(rate: Any, settings: Any, clip_norm: float | None = None) -> Any:
    """Make the optimizer that recipes have unless they say another (Kingma & Ba; notebook 02)."""
    return keras.optimizers.Adam(rate, global_clipnorm=clip_norm)


def constant(learning_rate: float, steps: int) -> float:
    """Keep the learning rate as it is: the schedule that recipes have by default (notebook 02)."""
    return learning_rate


def unchanged(model: Any) -> Any:
    """Train the network as it is: fusing for a network that has no need of it (notebook 02)."""
    return model


def as_stored(images: Any, labels: Any, seed: Any, settings: Any) -> tuple[Any, Any]:
    """Learn the clips as they are stored: no augmentation (notebook 02)."""
    return images, labels


def nothing_to_adapt(model: Any, batches: Iterable[Image]) -> None:
    """Do nothing: most networks need to know nothing of the clips beforehand (notebook 02)."""


@dataclass(frozen=True)
class Recipe:
    """A kind of network, and how it is trained (notebook 02).

    Attributes
    ----------
    name : str
        As the command line and ``run.json`` call it; a name in `networks.settings.SETTINGS`.
    build : callable
        ``build(n_genres, settings, seed)`` makes the plain Keras model that is saved.
    measure : callable
        ``measure(network, images, labels, training)`` gives a number a clip for ``loss``, which
        is minimised, and for anything else worth a column in the history.
    learning_rate, epochs : float, int
        Unless the training says others.
    fuse : callable
        ``fuse(model)`` makes a model on the same variables that computes the same, faster.
    optimizer : callable
        ``optimizer(rate, settings)`` makes a Keras optimizer, with its weight decay if it has any.
    schedule : callable
        ``schedule(learning_rate, steps)`` gives a rate, or a Keras schedule over so many steps;
        then epochs asked for later go on at other rates than if asked for at once.
    augment : callable
        ``augment(images, labels, seed, settings)`` changes a training batch, in TensorFlow, whose
        images keep their type; all chance in it comes from ``seed``, shape (2,), which no other
        step has, so that runs resume exactly.
    adapt : callable
        ``adapt(model, batches)`` sets, before the first epoch, what the model takes from the
        training clips without learning, such as their mean.
    xla : bool
        Whether XLA compiles the step: much slower for convolutions on a processor, faster for loops
        of many small products.
    """

    name: str
    build: Callable[[int, Any, int], Any]
    measure: Callable[[Any, Any, Any, bool], dict[str, Any]]
    learning_rate: float = 1e-3
    epochs: int = 20
    fuse: Callable[[Any], Any] = unchanged
    optimizer: Callable[[Any, Any], Any] = adam
    schedule: Callable[[float, int], Any] = constant
    augment: Callable[[Any, Any, Any, Any], tuple[Any, Any]] = as_stored
    adapt: Callable[[Any, Iterable[Image]], None] = nothing_to_adapt
    xla: bool = False

    @property
    def keeps_last(self) -> bool:
        """Whether the last epoch's network is kept, not the best one's: a schedule ends there."""
        return self.schedule is not constant

    @property
    def settings(self) -> type[Settings]:
        """The class of what can be chosen about the network."""
        return SETTINGS[self.name]
