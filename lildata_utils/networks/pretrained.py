"""Weights for the networks that come with Keras: ImageNet's, those of a file, or random ones."""

import socket
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.networks.settings import IMAGENET, RANDOM

NAMES = {"vgg19": "VGG-19", "resnet50": "ResNet-50"}
MAKERS = {"vgg19": keras.applications.VGG19, "resnet50": keras.applications.ResNet50}

# A download that stands still for so long has failed.
DOWNLOAD_TIMEOUT_S = 5.0


def load_weights(model: Any, weights: Path | str | None = None, seed: int = 0) -> str:
    """Give one of Keras' own networks, without its dense layers, its weights (notebook 03).

    Parameters
    ----------
    model : keras.Model
        ``keras.applications.VGG19`` or ``ResNet50``; changed in place.
    weights : Path, "imagenet", "random" or None
        A file of the network's weights as Keras saves them (.h5). None takes those of ImageNet,
        which Keras keeps after the first download; if there is neither file nor network, they are
        random, and a UserWarning says so.
    seed : int
        Of random weights (He et al., arXiv:1502.01852, which keeps the features' size from layer
        to layer).

    Returns
    -------
    str
        Which weights it has now, in words.

    Raises
    ------
    LilDataError
        If the file is missing, broken, or of another network; if ImageNet's weights were asked for
        by name and can't be had.
    """
    if isinstance(weights, Path):
        _read(model, weights)
        return f"file {weights.name}"
    if weights not in (None, IMAGENET, RANDOM):
        raise LilDataError(
            f"weights {weights!r} are unknown: give a file, {IMAGENET!r}, {RANDOM!r} or nothing"
        )
    if weights != RANDOM:
        reason = _fetch(model)
        if not reason:
            return "ImageNet"
        words = f"ImageNet's are not here and can't be fetched ({reason})"
        if weights == IMAGENET:
            raise LilDataError(
                f"{words}: connect once (about 90 MB), give a file, or ask for {RANDOM!r}"
            )
        warnings.warn(
            f"{NAMES[model.name]} gets random weights: {words}; connect once, or give a file",
            stacklevel=3,
        )
    _draw(model, seed)
    return f"random (seed {seed})"


def _draw(model: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            initializer = keras.initializers.HeNormal(seed=int(rng.integers(2**31)))
            layer.kernel.assign(initializer(layer.kernel.shape))


def _fetch(model: Any) -> str:
    """Take ImageNet's weights, downloaded if need be; return why not, or an empty string."""
    timeout_s = socket.getdefaulttimeout()
    talks = keras.utils.is_interactive_logging_enabled()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    # Keras announces its download even where there is no network.
    keras.utils.disable_interactive_logging()
    try:
        learned = MAKERS[model.name](include_top=False, weights="imagenet")
        model.set_weights(learned.get_weights())
        return ""
    except Exception as error:  # Keras raises a plain Exception when there is no network.
        return type(error).__name__
    finally:
        socket.setdefaulttimeout(timeout_s)
        if talks:
            keras.utils.enable_interactive_logging()


def _read(model: Any, path: Path) -> None:
    name = NAMES[model.name]
    if not path.is_file():
        raise LilDataError(f"{path} is missing: expected {name}'s weights as Keras saves them")
    # Keras leaves a layer as it was, with a warning or none, if the file has nothing for it.
    for variable in model.weights:
        variable.assign(np.full(variable.shape, np.nan))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.name.endswith(".weights.h5"):
                model.load_weights(path)
            else:
                model.load_weights(path, by_name=True)
    except Exception as error:  # h5py and Keras raise whatever their parts raise.
        raise LilDataError(
            f"{path} can't be read as {name}'s weights ({_first_line(error)}): "
            "expected a whole .h5 file as Keras saves it"
        ) from None
    for variable in model.weights:
        if not np.isfinite(variable.numpy()).all():
            raise LilDataError(
                f"{path} holds no weights of {name}'s {variable.path}: "
                "expected a .h5 file of the network as Keras saves it"
            )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else repr(error)
