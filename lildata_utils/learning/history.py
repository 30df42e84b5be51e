"""A training's history, a row an epoch: which was the best, and how to say it (notebook 02)."""

from dataclasses import dataclass

import pandas as pd

from lildata_utils.errors import LilDataError

# So many epochs without a gain are worth a word.
PATIENCE = 3


@dataclass(frozen=True)
class Peak:
    """The best epoch of a history, and how long ago it was (notebook 02)."""

    # The epoch whose weights are kept: highest validation accuracy; of equals the one with the
    # lower validation loss, then the earlier one.
    epoch: int
    # The column that decided: ``val_accuracy``, or ``val_loss`` where no accuracy is measured;
    # without validation clips ``accuracy`` or ``loss``.
    column: str
    value: float  # That column's value
    since: int  # Epochs after it, none of them better

    def __str__(self) -> str:
        """Say it in a sentence."""
        name = self.column.replace("val_", "validation ")
        value = f"{self.value:.1%}" if "accuracy" in self.column else f"{self.value:.4f}"
        if self.since == 0:
            return f"{name} is at its best in the last epoch, {self.epoch}: {value}"
        epochs = "1 epoch" if self.since == 1 else f"{self.since} epochs"
        return f"{name} peaked in epoch {self.epoch} at {value}; {epochs} since without a gain"


def peaked(history: pd.DataFrame) -> Peak:
    """Find the best epoch of a training, and how many have passed without a gain (notebook 02).

    Parameters
    ----------
    history : pandas.DataFrame
        With columns epoch, loss and, where there are, accuracy, val_loss, val_accuracy; at least
        one row.

    Examples
    --------
    >>> rows = {"epoch": [1, 2, 3], "val_loss": [2.0, 1.0, 0.9], "val_accuracy": [0.2, 0.5, 0.4]}
    >>> print(peaked(pd.DataFrame(rows)))
    validation accuracy peaked in epoch 2 at 50.0%; 1 epoch since without a gain
    """
    if history.empty:
        raise LilDataError("the history has no epochs: train at least one")
    kind = "val_" if "val_loss" in history else ""
    accuracy, loss = f"{kind}accuracy", f"{kind}loss"
    order = [name for name in (accuracy, loss, "epoch") if name in history]
    best = history.sort_values(order, ascending=[name != accuracy for name in order]).iloc[0]
    column, epoch = order[0], int(best["epoch"])
    return Peak(epoch, column, float(best[column]), int((history["epoch"] > epoch).sum()))


def describe_epoch(history: pd.DataFrame, epochs: int) -> str:
    """Say in a line how the last of so many epochs went, and whether accuracy has peaked.

    Like ``epoch 3/8, 12 s: loss 1.203, accuracy 55.1%, validation loss 1.310, validation accuracy
    50.0%`` (notebook 02).
    """
    row = history.iloc[-1]
    numbers = [
        f"{str(name).replace('val_', 'validation ')} "
        + (f"{value:.1%}" if "accuracy" in str(name) else f"{value:.3f}")
        for name, value in row.items()
        if name not in ("epoch", "seconds")
    ]
    line = f"epoch {int(row['epoch'])}/{epochs}, {row['seconds']:.0f} s: {', '.join(numbers)}"
    peak = peaked(history)
    # Said once, when it is news.
    return f"{line} ({peak})" if peak.since == PATIENCE else line
