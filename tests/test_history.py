"""Which epoch was the best, and how it is said."""

import pandas as pd
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.learning.history import describe_epoch, peaked


def table(**columns):
    length = len(next(iter(columns.values())))
    return pd.DataFrame({"epoch": range(1, length + 1), **columns})


def test_peaked_takes_the_highest_accuracy():
    peak = peaked(table(val_loss=[3, 2, 1, 0.5], val_accuracy=[0.2, 0.9, 0.8, 0.7]))
    assert (peak.epoch, peak.value, peak.since) == (2, 0.9, 2)
    assert str(peak) == (
        "validation accuracy peaked in epoch 2 at 90.0%; 2 epochs since without a gain"
    )


def test_peaked_breaks_ties_by_loss_then_by_epoch():
    accuracy = [0.5, 0.9, 0.9, 0.9, 0.1]
    assert peaked(table(val_loss=[1, 3, 2, 2, 0], val_accuracy=accuracy)).epoch == 3
    assert peaked(table(val_loss=[1, 2, 2, 2, 0], val_accuracy=accuracy)).epoch == 2


def test_peaked_in_the_last_epoch():
    peak = peaked(table(val_loss=[2, 1], val_accuracy=[0.1, 0.2]))
    assert str(peak) == "validation accuracy is at its best in the last epoch, 2: 20.0%"


def test_peaked_without_accuracy_or_validation():
    peak = peaked(table(loss=[3, 2, 1], val_loss=[2, 1, 3]))
    assert (peak.epoch, peak.column) == (2, "val_loss")
    assert peaked(table(loss=[3, 1, 2])).epoch == 2
    with pytest.raises(LilDataError, match="no epochs"):
        peaked(table(loss=[]))


def test_an_epochs_line_tells_of_a_peak_in_time():
    history = table(
        loss=[1.0] * 5,
        accuracy=[0.5] * 5,
        val_loss=[1.0] * 5,
        val_accuracy=[0.3, 0.6, 0.5, 0.5, 0.5],
        seconds=[2.0] * 5,
    )
    assert "peaked" not in describe_epoch(history[:4], 20)
    line = describe_epoch(history, 20)
    assert line.startswith("epoch 5/20, 2 s: loss 1.000, accuracy 50.0%, validation loss 1.000")
    assert "peaked in epoch 2 at 60.0%; 3 epochs since" in line
