"""LSTMs that move, and the same networks of Keras' own layers."""

import numpy as np

from lildata_utils.backend import keras
from lildata_utils.networks.lstm import build_lstm
from lildata_utils.networks.settings import LSTMSettings


def lively(**settings):
    """A network whose weights are larger than first ones, so that its frames move."""
    model = build_lstm(LSTMSettings(**{"layers": 2, "units": 8, **settings}))
    for weight in model.trainable_variables:
        weight.assign(3 * weight)
    model.head.bias.assign(np.full(model.head.bias.shape, 0.5))
    if model.basis is not None:
        shape = (631, model.settings.rank)
        directions, _ = np.linalg.qr(np.random.default_rng(0).standard_normal(shape))
        model.basis.mean.assign(np.full(631, 0.5))
        model.basis.encoder.assign(directions)
        model.basis.decoder.assign(directions.T)
    return model


def as_keras(model):
    """The same network of Keras' own layers."""
    stack = keras.Sequential([keras.Input((None, 631))])
    for cell in model.cells:
        stack.add(keras.layers.LSTM(cell.units, return_sequences=True))
    stack.add(keras.layers.Dense(631))
    weights = [*(weight for cell in model.cells for weight in cell.weights), *model.head.weights]
    stack.set_weights([weight.numpy() for weight in weights])
    return stack
