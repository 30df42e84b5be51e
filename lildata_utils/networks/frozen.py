"""The part of a network that does not learn, cut off to be run only once (notebook 03)."""

import hashlib
import itertools
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import keras

VERSION = 1


def split(model: Any) -> tuple[Any | None, Any]:
    """Cut a network after the layers that do not learn (notebook 03).

    Its first layers may have ``trainable = False``; the output of the last of them must be all that
    the others use.

    Returns
    -------
    frozen : keras.Model or None
        From the model's input to the cut; None if the first layer learns.
    learning : keras.Model
        From the cut to the model's output; on the same layers.
    """
    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    still = list(itertools.takewhile(lambda layer: not layer.trainable, layers))
    if not still:
        return None, model
    cut = still[-1].output
    return keras.Model(model.inputs[0], cut), keras.Model(cut, model.outputs[0])


def digest(frozen: Any, fused: Any) -> str:
    """Name in letters and digits all that decides what a frozen network gives (notebook 03)."""
    # Not the model's own config: Keras numbers models and tensors as they come.
    configs = [layer.get_config() for layer in frozen.layers[1:]]
    about = [VERSION, configs, sorted({layer.compute_dtype for layer in fused.layers})]
    made = hashlib.blake2b(json.dumps(about, default=str).encode(), digest_size=12)
    for weight in frozen.weights:
        values: NDArray[np.float32] = weight.numpy()
        made.update(np.ascontiguousarray(values).data)
    return made.hexdigest()
