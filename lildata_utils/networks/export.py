"""A network as one file for other programs: LiteRT for telephones and browsers, ONNX for the rest.

Both take stored pictures as they are: what stands in front of the network goes along.
"""

import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.machine import silent_stderr
from lildata_utils.networks.inputs import as_input
from lildata_utils.sound.spectrogram import CAFFE_MEAN, N_BINS, N_FRAMES, Floats, Image

# By the ending of the file, what Keras calls it.
FORMATS = {".tflite": "litert", ".onnx": "onnx"}
# Of a probability, between Keras and the file.
MOST_DIFFERENCE = 1e-3
BATCH_SIZE = 10
STORED = tf.TensorSpec((None, N_BINS, N_FRAMES), tf.uint8, name="images")


def check_out(out: Path) -> None:
    """Make sure that a network can be exported as such a file (notebook 07).

    Raises
    ------
    LilDataError
        If its ending names no format, or what makes that is not installed.
    """
    if out.suffix not in FORMATS:
        raise LilDataError(f"{out}: can't export {out.suffix!r}, use {' or '.join(FORMATS)}")
    if out.suffix == ".onnx" and not (find_spec("tf2onnx") and find_spec("onnxruntime")):
        raise LilDataError("ONNX needs tf2onnx and onnxruntime: install lildata-utils[onnx]")


def export(model: Any, out: Path, images: Image) -> float:
    """Write a network as a LiteRT or ONNX file, and let that tell genres, too (notebook 07).

    Parameters
    ----------
    model : keras.Model
        From network input, or stored pictures, to probabilities.
    out : Path
        ``.tflite`` or ``.onnx``; the file takes uint8, shape (clips, 631, 631), and gives float32,
        shape (clips, genres).
    images : ndarray of uint8, shape (clips, 631, 631)
        On which the file is compared with Keras.

    Returns
    -------
    float
        The largest difference of a probability.

    Raises
    ------
    LilDataError
        If that is more than 0.001, and then no file is left; if the network shrinks its pictures,
        which neither format can do as Keras does; or see `check_out`.
    """
    check_out(out)
    if any(isinstance(layer, keras.layers.Resizing) for layer in model.layers):
        raise LilDataError(
            f"{model.name} shrinks its pictures to a --side, which can't be exported: expected a "
            "listener, or a network that sees whole pictures"
        )
    batches = [images[at : at + BATCH_SIZE] for at in range(0, len(images), BATCH_SIZE)]
    with written_beside(out) as beside, warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        with silent_stderr():
            _with_preprocessing(model).export(
                beside, FORMATS[out.suffix], verbose=False, input_signature=[STORED]
            )
            run = {".tflite": _litert, ".onnx": _onnx}[out.suffix](beside)
            told = np.concatenate([run(batch) for batch in batches])
        keras_told = [model(as_input(model, batch), training=False).numpy() for batch in batches]
        difference = float(np.abs(told - np.concatenate(keras_told)).max())
        if not difference <= MOST_DIFFERENCE:  # NaN is too much, too
            raise LilDataError(
                f"{out}: probabilities differ from those of Keras by {difference:.2g}, expected at "
                f"most {MOST_DIFFERENCE:g}: no file was left"
            )
    return difference


def _with_preprocessing(model: Any) -> Any:
    """Make a model of stored pictures; see `inputs.as_input`."""
    images = keras.Input(STORED.shape[1:], dtype="uint8")
    x = keras.ops.cast(images, "float32")
    if len(model.input_shape) == 4:
        x = keras.ops.expand_dims(x - CAFFE_MEAN, -1)
    return keras.Model(images, model(x), name=model.name)


def _litert(path: Path) -> Callable[[Image], Floats]:
    interpreter = tf.lite.Interpreter(str(path))
    (into,), (out_of,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: Image) -> Floats:
        interpreter.resize_tensor_input(into["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(into["index"], images)
        interpreter.invoke()
        told: Floats = interpreter.get_tensor(out_of["index"])
        return told

    return run


def _onnx(path: Path) -> Callable[[Image], Floats]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (into,) = session.get_inputs()
    return lambda images: session.run(None, {into.name: images})[0]
