"""What tests of trainings share: small networks, a run from start to end, runs compared."""

import numpy as np
import pandas as pd

from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import LIL_DATA
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.networks.settings import LilDataSettings, SoftmaxSettings

SMALL = LilDataSettings(filters=(4, 4), side=63)
COARSE = SoftmaxSettings(pool=63)


def run_to_end(folder, dataset, epochs=3, recipe=LIL_DATA, settings=SMALL, **training):
    training = Training(**{"epochs": epochs, "batch_size": 8, **training})
    return list(fit(folder, recipe, dataset, training, settings))


def weights_at_the_end(folder):
    """Weights and the optimizer's state after the last whole epoch, by number."""
    with np.load(folder / "checkpoint.npz") as arrays:
        return {name: arrays[name] for name in arrays.files if name != "history"}


def assert_same_run(folder, other):
    first, second = weights_at_the_end(folder), weights_at_the_end(other)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    for a, b in zip(load_run(folder).model.weights, load_run(other).model.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    histories = [load_run(f).history.drop(columns="seconds") for f in (folder, other)]
    pd.testing.assert_frame_equal(*histories)
