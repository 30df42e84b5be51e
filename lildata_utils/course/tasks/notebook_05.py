"""Notebook 05: the weights of LSTMs, a step of one, the least absolute error."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise


def lstm_parameters(layers: int, units: int, bins: int) -> int:
    """Count the numbers that a stack of LSTMs with a dense output learns (notebook 05)."""
    first = 4 * units * (bins + units + 1)
    others = (layers - 1) * 4 * units * (units + units + 1)
    return first + others + bins * (units + 1)


def _hint_for_parameters(found: Any, answer: Any, layers: int, units: int, bins: int) -> str:
    right = lstm_parameters(layers, units, bins)
    hints = {
        right - 24 - 5: "each sum has a bias, too: one a unit and gate, and one a bin",
        right - 5: "the output has a bias for every bin",
        right - 72: "a unit also hears all units of its layer, from the step before",
        right - 20: "the output goes from the units to the bins",
        right + 24: "only the first layer hears the bins; the others hear the layer below",
        right - 48: "an LSTM has four sums a unit: three gates and the candidate",
        right - 144: "an LSTM has four sums a unit: three gates and the candidate",
    }
    if found != right:
        told = f"2 layers of 3 units on 5 bins have {right} numbers, not {found}"
        return hints.get(found, told)
    wanted = lstm_parameters(3, 50, 631)
    return "" if answer(3, 50, 631) == wanted else f"3 layers of 50 on 631 bins have {wanted}"


def lstm_step(gates: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do one step of LSTM cells (notebook 05)."""
    take, keep, candidate, show = np.split(gates, 4)
    cell = _sigmoid(keep) * cell + _sigmoid(take) * np.tanh(candidate)
    return _sigmoid(show) * np.tanh(cell), cell


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _hint_for_lstm_step(found: Any, answer: Any, gates: np.ndarray, cell: np.ndarray) -> str:
    right = lstm_step(gates, cell)
    if not isinstance(found, tuple) or np.shape(found) != (2, 2):
        return "return two arrays: what the cells show, and what they hold now"
    if np.allclose(found, right[::-1]):
        return "first what the cells show, then what they hold"
    take, keep, candidate, show = np.split(gates, 4)
    if np.allclose(found[1], _sigmoid(keep) * cell + _sigmoid(take) * _sigmoid(candidate)):
        return "the candidate may be negative: tanh, not the sigmoid"
    if np.allclose(found[1], _sigmoid(take) * cell + _sigmoid(keep) * np.tanh(candidate)):
        return "the first gate takes what is new, the second keeps what was"
    if not np.allclose(found[1], right[1]):
        return "what the cells hold: the kept part of the old plus the taken part of the new"
    if np.allclose(found[0], _sigmoid(show) * right[1]):
        return "what is held has no limits; the tanh of it is shown"
    return "" if np.allclose(found, right) else "the last gate decides how much of tanh(cell) shows"


def least_absolute_error(values: np.ndarray) -> float:
    """Find the number with the least mean absolute error to all values (notebook 05)."""
    return float(np.median(values))


def _hint_for_least_absolute(found: Any, answer: Any, values: np.ndarray) -> str:
    if np.isclose(found, values.mean()):
        return "the mean is best for squared errors; try some other numbers and compare"
    if not np.isclose(found, 0.0):
        error = np.abs(values - found).mean()
        return f"{found:.3g} has a mean absolute error of {error:.3g}; there is one with 0.4"
    others = np.array([3.0, -1.0, 10.0, 4.0, 5.0])
    if not np.isclose(answer(others), 4.0):
        return "right for two kinds of values; now for five different ones in any order"
    return ""


GATES, CELL = np.array([0.5, -1.0, 2.0, 0.3, -0.7, 1.5, 0.2, -0.4]), np.array([0.8, -1.2])
VALUES = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
EXERCISES = {
    "5.1": Exercise(lstm_parameters, _hint_for_parameters, (2, 3, 5)),
    "5.2": Exercise(lstm_step, _hint_for_lstm_step, (GATES, CELL)),
    "5.3": Exercise(least_absolute_error, _hint_for_least_absolute, (VALUES,)),
}
