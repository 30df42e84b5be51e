"""The notebooks' exercises: what checks an answer, and a solution for each.

A check runs the reader's answer on cases where the right result is known, and where it fails gives
a hint instead of a verdict. The solutions are ordinary functions, so that a test can put each
through its own check.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lildata_utils.errors import LilDataError
from lildata_utils.sound import spectrogram

if TYPE_CHECKING:
    from lildata_utils.learning.training import Run

CLOCK_CHANGE = 0.02
UNANSWERED = "nothing to check yet: fill in the cell above and run both cells again"


@dataclass(frozen=True)
class Exercise:
    """A task of a notebook.

    Attributes
    ----------
    find_fault : callable
        Takes the answer; gives a hint, or an empty string if the answer is right.
    solution : callable
        An answer that is right.
    """

    find_fault: Callable[[Any], str]
    solution: Callable[..., Any]


def check(number: str, answer: Any) -> None:
    """Print whether an answer is right, and a hint if it is not.

    Parameters
    ----------
    number : str
        Of the exercise, ``"1.2"`` for the second one of notebook 01.
    answer : object
        The reader's function or value; None or ``...`` stands for "not done".

    Examples
    --------
    >>> check("1.1", lambda n_samples, hop: n_samples // hop + 1)
    1.1 [ok] right
    """
    try:
        hint = EXERCISES[number].find_fault(answer)
    # The reader's own code may raise anything; that is a hint too, not a reason to stop a notebook.
    except Exception as error:
        hint = f"your code raised {type(error).__name__}: {error}"
    print(f"{number} [ok] right" if not hint else f"{number} [  ] {hint}")


def show_solutions(notebook: int, show: bool) -> None:
    """Print the solutions of a notebook, or how to see them.

    Parameters
    ----------
    notebook : int
        1 for notebook 01.
    show : bool
        The notebook's one switch.
    """
    if not show:
        print("Set solutions = True in the first code cell to see the solutions here.")
        return
    for number, exercise in EXERCISES.items():
        if number.startswith(f"{notebook}."):
            print(f"# {number}\n{inspect.getsource(exercise.solution)}")


def _is_todo(value: object) -> bool:
    return value is None or value is ...


def beat_the_network(
    guesses: Sequence[str], genres: Sequence[str], network_guesses: Sequence[str]
) -> None:
    """Print how many clips the reader and the network put into the right genre.

    Parameters
    ----------
    guesses : sequence of str
        The reader's, one a clip; empty where there is none.
    genres : sequence of str
        The truth.
    network_guesses : sequence of str
        What the network says.
    """
    rivals = sum(a == b for a, b in zip(network_guesses, genres, strict=True))
    print(f"The network has {rivals} of {len(genres)} right.")
    if not any(guesses):
        print("You: " + UNANSWERED + ".")
        return
    unknown = sorted(set(guesses) - set(genres) - {""})
    if unknown or len(guesses) != len(genres):
        print(
            f"You: write {len(genres)} guesses, each one of {', '.join(sorted(set(genres)))}"
            + (f" (not {', '.join(unknown)})." if unknown else ".")
        )
        return
    right = [a == b for a, b in zip(guesses, genres, strict=True)]
    print(f"You have {sum(right)} of {len(genres)} right.")
    for place, (mine, good) in enumerate(zip(guesses, right, strict=True), start=1):
        if mine and not good:
            print(f"  listen again to clip {place}: it is not {mine}")


def hear_my_file(file: str, run: "Run") -> None:
    """Print what a network hears in a file of the reader's, or what to do.

    Parameters
    ----------
    file : str
        Path of a music file; empty where there is none.
    run : Run
        A trained network.
    """
    from lildata_utils.genre.listening import classify_file, describe

    if not file:
        print(UNANSWERED)
        return
    try:
        print("\n".join(describe(classify_file(run, Path(file).expanduser()))))
    except LilDataError as error:
        print(error)


# Notebook 01


def count_frames(n_samples: int, hop: int) -> int:
    """Count the centred frames of a waveform: one at sample 0 and one every hop."""
    return n_samples // hop + 1


def _fault_of_frames(answer: Any) -> str:
    if _is_todo(answer(110_250, 175)):
        return UNANSWERED
    if answer(110_250, 175) == 110_250 / 175:
        return "you counted the steps; a fence with 630 gaps has one more post than gaps"
    if answer(110_250, 175) != 631:
        return f"5 s at a hop of 175 gave {answer(110_250, 175)}; the course's images have 631"
    if answer(1000, 300) != 4:
        return f"1000 samples at a hop of 300 gave {answer(1000, 300)}: frames at 0, 300, 600, 900"
    return ""


def decibels_below_peak(magnitude: np.ndarray) -> np.ndarray:
    """Express magnitudes in decibels below the largest, cut off at -80."""
    ratio = magnitude / magnitude.max()
    return 20 * np.log10(np.maximum(ratio, 1e-4))


def _fault_of_decibels(answer: Any) -> str:
    magnitude = np.array([[2.0, 0.2], [0.02, 0.0]])
    found = answer(magnitude.copy())
    if _is_todo(found):
        return UNANSWERED
    found = np.asarray(found, dtype=float)
    if found.shape != magnitude.shape:
        return f"the shape changed from {magnitude.shape} to {found.shape}"
    if np.isclose(found[0, 1], -10):
        return "a tenth of a magnitude gave -10 dB: ten times the logarithm is for power, not this"
    if not np.isclose(found[0, 0], 0):
        return f"the largest magnitude gave {found[0, 0]:.1f} dB: divide by the maximum first"
    if not np.isfinite(found[1, 1]) or found[1, 1] < -80.01:
        return "magnitude 0 must not give minus infinity: nothing goes below -80"
    if not np.allclose(found, [[0, -20], [-40, -80]], atol=0.01):
        return f"2, 0.2, 0.02 and 0 should give 0, -20, -40 and -80, not {found.ravel().round(1)}"
    return ""


def house_groove() -> dict[str, str]:
    """Write a house beat: four on the floor, claps on two and four, open hats off the beat."""
    return {
        "kick": "x...x...x...x...",
        "clap": "....x.......x...",
        "open_hat": "..x...x...x...x.",
        "shaker": "o.oxo.oxo.oxo.ox",
    }


def _fault_of_groove(answer: Any) -> str:
    if _is_todo(answer):
        return UNANSWERED
    groove = answer() if callable(answer) else answer
    if not isinstance(groove, Mapping):
        return 'a groove is a dictionary such as {"kick": "x...x...x...x..."}'
    for drum, steps in groove.items():
        if len(steps) not in (16, 32) or set(steps) - set(".oxX23456"):
            return f"{drum}: write 16 or 32 steps of . o x X or a digit 2 to 6, not {steps!r}"
    kick, hat = groove.get("kick", ""), groove.get("open_hat", groove.get("hat", ""))
    if not kick or any(kick[beat::16].strip("xX") for beat in (0, 4, 8, 12)):
        return "house stands on a kick on every beat: steps 1, 5, 9 and 13"
    claps = groove.get("clap", "") or groove.get("snare", "")
    if not claps or any(claps[beat::16].strip("xX") for beat in (4, 12)):
        return "the kicks are right; now claps on beats two and four: steps 5 and 13"
    if not hat or any(set(hat[beat::16]) == {"."} for beat in (2, 6, 10, 14)):
        return "kicks and claps are right; now hats between the kicks: steps 3, 7, 11 and 15"
    return ""


def leaking_tracks(clips: pd.DataFrame) -> list[str]:
    """Find the tracks that have clips both in train and in test."""
    train = set(clips[clips["split"] == "train"]["track"])
    test = set(clips[clips["split"] == "test"]["track"])
    return sorted(train & test)


def _fault_of_leaks(answer: Any) -> str:
    clips = pd.DataFrame(
        {
            "track": ["a", "a", "b", "b", "c", "c", "d"],
            "split": ["train", "test", "train", "validation", "test", "test", "train"],
        }
    )
    found = answer(clips.copy())
    if _is_todo(found):
        return UNANSWERED
    found = sorted(found)
    if found == ["a", "b"]:
        return "track b is in train and validation; only train and test are asked for"
    if found != ["a"]:
        return f"of a, b, c, d only a is in both train and test; you found {', '.join(found)}"
    return ""


# Notebook 02


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn the scores of each row into probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _fault_of_softmax(answer: Any) -> str:
    scores = np.array([[0.0, np.log(3.0)], [5.0, 5.0]])
    found = answer(scores.copy())
    if _is_todo(found):
        return UNANSWERED
    found = np.asarray(found)
    if found.shape != scores.shape:
        return f"the shape changed from {scores.shape} to {found.shape}: keepdims=True may help"
    if not np.allclose(found.sum(axis=1), 1):
        return "the rows must sum to 1: divide each row by its own sum"
    if not np.allclose(found, [[0.25, 0.75], [0.5, 0.5]]):
        return f"scores 0 and log 3 should give 0.25 and 0.75, not {found[0].round(3)}"
    if not np.isfinite(answer(np.array([[1000.0, 0.0]]))).all():
        return "right so far, but exp(1000) overflows: subtract each row's maximum first"
    return ""


def verdict(probabilities: np.ndarray) -> int:
    """Let the clips of a track vote: the genre with the largest mean probability."""
    return int(probabilities.mean(axis=0).argmax())


def _fault_of_verdict(answer: Any) -> str:
    one_sided = np.array([[0.1, 0.9], [0.2, 0.8]])
    if _is_todo(answer(one_sided)):
        return UNANSWERED
    if answer(one_sided) != 1:
        return f"both clips favour genre 1, your answer is {answer(one_sided)}"
    undecided_twice = np.array([[0.51, 0.49], [0.52, 0.48], [0.0, 1.0]])
    if answer(undecided_twice) == 0:
        return "two clips that hardly know outvoted a sure one: average before you choose"
    doubt = np.array([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.0, 1.0]])
    sure_of_one = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [1e-12, 1.0]])
    if answer(doubt) != 1 or answer(sure_of_one) != 0:
        return "one clip overruled all others: take the mean of the probabilities"
    return ""


def recall(confusion: np.ndarray) -> np.ndarray:
    """Compute for each genre the share of its clips that were recognised."""
    return np.diag(confusion) / confusion.sum(axis=1)


def _fault_of_recall(answer: Any) -> str:
    confusion = np.array([[8, 2], [3, 1]])
    found = answer(confusion.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.allclose(found, [8 / 11, 1 / 3]):
        return "that is the precision: rows are the true genres, so sum along the rows"
    if not np.allclose(found, [0.8, 0.25]):
        return f"8 of 10 and 1 of 4 are 0.8 and 0.25, not {np.round(found, 3)}"
    return ""


# Notebook 03


def fold(kernel: np.ndarray) -> np.ndarray:
    """Make one channel of several that always see the same: sum their weights."""
    return kernel.sum(axis=2, keepdims=True)


def _fault_of_fold(answer: Any) -> str:
    kernel = np.random.default_rng(0).integers(-9, 10, (7, 7, 3, 4)).astype(float)
    found = answer(kernel.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.shape(found) == (7, 7, 4):
        return "the right axis, but a kernel has four: keepdims=True leaves a channel of one"
    if np.shape(found) != (7, 7, 1, 4):
        return f"one channel should be left, shape (7, 7, 1, 4), not {np.shape(found)}"
    if np.allclose(found, kernel.mean(axis=2, keepdims=True)):
        return "the mean gives a third of the output: w1 x + w2 x + w3 x = (w1 + w2 + w3) x"
    if not np.allclose(found, fold(kernel)):
        return "the shape is right; take w1 x + w2 x + w3 x and put x outside the brackets"
    return ""


def steps_to_forget(momentum: float, share: float) -> int:
    """Count the steps until less than a share of a moving average's start is left."""
    return int(np.ceil(np.log(share) / np.log(momentum)))


def _fault_of_forgetting(answer: Any) -> str:
    found = answer(0.99, 0.01)
    if _is_todo(found):
        return UNANSWERED
    if found in (1, 2):
        return "a step takes away only 1 % of what is left, not the start as a whole"
    if found in (99, 100):
        return "after 100 steps 0.99 ** 100 = 37 % are left: each step takes 1 % of the rest"
    if found == 458:
        return "0.99 ** 458 = 1.002 %: not below 1 % yet, round up"
    if found != 459:
        return f"0.99 ** {found} is {0.99**found:.2%}; find the first power below 1 %"
    if answer(0.5, 0.1) != 4:
        return "right for 0.99 and 1 %; with 0.5 and 10 % it takes 4 steps (0.5 ** 4 = 6 %)"
    return ""


def hires_cam(features: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Multiply place by place, and only then sum over the channels."""
    cam = np.maximum((features * slopes).sum(axis=-1), 0)
    return cam / max(cam.max(), 1e-12)


def _fault_of_hires_cam(answer: Any) -> str:
    # A feature that is in both corners and counts in one; the other one speaks against.
    features = np.zeros((3, 3, 2))
    features[0, 0, 0] = features[2, 2, 0] = features[1, 1, 1] = 2.0
    slopes = np.zeros((3, 3, 2))
    slopes[0, 0, 0], slopes[1, 1, 1] = 9.0, -1.0
    found = answer(features.copy(), slopes.copy())
    if _is_todo(found):
        return UNANSWERED
    found = np.asarray(found)
    if found.shape != (3, 3):
        return f"a map has a number a place, shape (3, 3), not {found.shape}: sum the channels"
    if found[2, 2] > 0:
        return "the feature at the lower right counts for nothing: do not average the slopes"
    if found[1, 1] < 0:
        return "what speaks against the genre is no evidence for it: np.maximum(..., 0)"
    if np.isclose(found[0, 0], 18):
        return "right but for the scale: divide by the largest, so that the peak is 1"
    if not np.allclose(found, hires_cam(features, slopes)):
        return f"only the upper left counts, with 1; your map is {found.round(2).tolist()}"
    return ""


# Notebook 04


def gram(features: np.ndarray) -> np.ndarray:
    """Sum the products of every two channels over all places."""
    places = features.reshape(-1, features.shape[-1])
    return places.T @ places


def _fault_of_gram(answer: Any) -> str:
    features = np.random.default_rng(0).integers(0, 5, (4, 3, 2)).astype(float)
    found = answer(features.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.shape(found) == (12, 12):
        return "you compared places; turn the product round to compare channels"
    if np.shape(found) != (2, 2):
        return f"two channels give a 2 x 2 matrix, not {np.shape(found)}"
    if np.allclose(found, gram(features) / 12):
        return "no mean, please: the paper's equation divides later"
    if not np.allclose(found, gram(features)):
        return "the shape is right; each entry is the sum over all places of a product"
    return ""


def content_gradient(content_features: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Differentiate half the squared distance."""
    return features - content_features


def _fault_of_content_gradient(answer: Any) -> str:
    content, picture = np.array([1.0, 2.0]), np.array([4.0, 2.5])
    found = answer(content.copy(), picture.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.allclose(found, content - picture):
        return "that is the way down; the gradient points up"
    if np.allclose(found, 2 * (picture - content)):
        return "the half in front of the square takes the 2 away"
    if not np.allclose(found, picture - content):
        return f"at 4 with the content at 1 the slope is 3, not {np.ravel(found)[0]:.3g}"
    return ""


def style_with_a_clock(features: np.ndarray) -> np.ndarray:
    """Compare every channel with every channel fifty frames (0.4 s) later."""
    now, later = features[:, :-50], features[:, 50:]
    return np.einsum("bfk,bfl->kl", now, later) / now.shape[1]


def _fault_of_clock(answer: Any) -> str:
    rng = np.random.default_rng(0)
    # Three beats of 32, 50 and 80 frames; smooth, and nowhere 0.
    beats = 1.2 + np.sin(2 * np.pi * np.arange(800)[:, None] / np.array([32, 50, 80]))
    features = beats + 0.1 * rng.random((6, 800, 3))
    found = answer(features.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.shape(found) != (3, 3):
        return f"three channels should give a 3 x 3 matrix, not {np.shape(found)}"
    if not np.isfinite(found).all() or not np.allclose(answer(features.copy()), found):
        return "the same features must give the same finite numbers every time"
    if np.shape(answer(features[:, :600].copy())) != (3, 3):
        return "clips of other lengths must give the same shape: sum over the frames"
    change = _relative(answer(features[:, rng.permutation(800)]), found)
    if change < CLOCK_CHANGE:
        return "shuffled frames gave the same: it has no clock yet; compare frames some time apart"
    if _relative(answer(np.roll(features, 437, axis=1)), found) > change / 2:
        return "the same music a bit later gave another style: sum over all frames"
    return ""


def _relative(matrix: Any, reference: Any) -> float:
    """Tell how different two matrices are beside their own spread."""
    spread = max(float(np.std(reference)), 1e-12)
    return float(np.abs(np.asarray(matrix) - reference).max()) / spread


# Notebook 05


def lstm_parameters(layers: int, units: int, bins: int) -> int:
    """Count the numbers that a stack of LSTMs with a dense output learns."""
    first = 4 * units * (bins + units + 1)
    others = (layers - 1) * 4 * units * (units + units + 1)
    return first + others + bins * (units + 1)


def _fault_of_parameters(answer: Any) -> str:
    found = answer(2, 3, 5)
    if _is_todo(found):
        return UNANSWERED
    right = lstm_parameters(2, 3, 5)
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
    """Do one step of LSTM cells."""
    take, keep, candidate, show = np.split(gates, 4)
    cell = _sigmoid(keep) * cell + _sigmoid(take) * np.tanh(candidate)
    return _sigmoid(show) * np.tanh(cell), cell


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _fault_of_lstm_step(answer: Any) -> str:
    gates, cell = np.array([0.5, -1.0, 2.0, 0.3, -0.7, 1.5, 0.2, -0.4]), np.array([0.8, -1.2])
    found = answer(gates.copy(), cell.copy())
    if _is_todo(found):
        return UNANSWERED
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
    """Find the number whose mean absolute error to all values is the least."""
    return float(np.median(values))


def _fault_of_least_absolute(answer: Any) -> str:
    values = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    found = answer(values.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.isclose(found, values.mean()):
        return "the mean is best for squared errors; try some other numbers and compare"
    if not np.isclose(found, 0.0):
        error = np.abs(values - found).mean()
        return f"{found:.3g} has a mean absolute error of {error:.3g}; there is one with 0.4"
    others = np.array([3.0, -1.0, 10.0, 4.0, 5.0])
    if not np.isclose(answer(others), 4.0):
        return "right for two kinds of values; now for five different ones in any order"
    return ""


# Notebook 06


def convergence(got: np.ndarray, wanted: np.ndarray) -> float:
    """Compute the spectral convergence in dB."""
    error = np.linalg.norm(got - wanted) / np.linalg.norm(wanted)
    return float(20 * np.log10(error))


def _fault_of_convergence(answer: Any) -> str:
    wanted = np.array([[3.0, 0.0], [0.0, 4.0]])
    found = answer(0.9 * wanted, wanted)
    if _is_todo(found):
        return UNANSWERED
    if np.isclose(found, 0.1):
        return "an error of a tenth is right; now in dB: 20 times its logarithm"
    if np.isclose(found, -10):
        return "ten times the logarithm is for energies; this is a ratio of magnitudes"
    if np.isclose(found, 20):
        return "the right size with the wrong sign: turn the fraction round"
    if np.isclose(found, 20 * np.log(0.1)):
        return "decibels use the logarithm to base 10: np.log10"
    if np.isclose(found, 20 * np.log10(0.1 / 0.9)):
        return "divide by the size of what was wanted, not of what you got"
    if not np.isclose(found, -20):
        return f"an error of a tenth gave {float(found):.2f}; it should give -20 dB"
    return ""


def griffin_lim_step(sound: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Keep the sound's phases, put the wanted magnitude back in."""
    phase = np.angle(spectrogram.stft(sound))
    return spectrogram.istft(magnitude * np.exp(1j * phase))


def _fault_of_step(answer: Any) -> str:
    sound = np.random.default_rng(0).standard_normal(20 * spectrogram.HOP_LENGTH)
    magnitude = spectrogram.magnitude(sound[::-1])
    found = answer(sound.copy(), magnitude.copy())
    if _is_todo(found):
        return UNANSWERED
    if np.shape(found) != sound.shape:
        return f"a sound of shape {sound.shape} should come back, not {np.shape(found)}"
    if np.allclose(found, sound, atol=1e-4):
        return "the sound came back as it was: replace its magnitude before you go back"
    if np.allclose(found, spectrogram.istft(magnitude * spectrogram.stft(sound)), atol=1e-3):
        return "multiply with the phases alone, np.exp(1j * phase), not with the whole spectrum"
    if np.allclose(found, spectrogram.istft(magnitude), atol=1e-4):
        return "you dropped the phases: keep those of the sound, np.angle gives them"
    if not np.allclose(found, griffin_lim_step(sound, magnitude), atol=1e-4):
        return "not yet: take the sound's phases, combine them with the magnitude, and go back"
    return ""


def advance_per_frame(frequency_hz: float) -> float:
    """Tell by how many radians a tone's phase advances in a hop."""
    return 2 * np.pi * frequency_hz * spectrogram.HOP_LENGTH / spectrogram.SAMPLE_RATE


def _fault_of_advance(answer: Any) -> str:
    found = answer(126.0)
    if _is_todo(found):
        return UNANSWERED
    if np.isclose(found, 1):
        return "126 Hz is one turn a frame; a turn has 2 pi radians"
    if np.isclose(found, 360):
        return "those are degrees; a turn has 2 pi radians"
    if np.isclose(found, 0):
        return "a whole turn counts: do not take it away"
    if np.isclose(found, 2 * np.pi * 126):
        return "that is the advance in a second; a frame comes every 175 samples"
    if not np.isclose(found, 2 * np.pi):
        return f"126 Hz turned {found:.3f} radians in a frame; 175 samples are 1/126 s"
    if not np.isclose(answer(440.0), 2 * np.pi * 440 / 126):
        return "right for 126 Hz only"
    return ""


EXERCISES = {
    "1.1": Exercise(_fault_of_frames, count_frames),
    "1.2": Exercise(_fault_of_decibels, decibels_below_peak),
    "1.3": Exercise(_fault_of_groove, house_groove),
    "1.4": Exercise(_fault_of_leaks, leaking_tracks),
    "2.1": Exercise(_fault_of_softmax, softmax),
    "2.2": Exercise(_fault_of_verdict, verdict),
    "2.3": Exercise(_fault_of_recall, recall),
    "3.1": Exercise(_fault_of_fold, fold),
    "3.2": Exercise(_fault_of_forgetting, steps_to_forget),
    "3.3": Exercise(_fault_of_hires_cam, hires_cam),
    "4.1": Exercise(_fault_of_gram, gram),
    "4.2": Exercise(_fault_of_content_gradient, content_gradient),
    "4.3": Exercise(_fault_of_clock, style_with_a_clock),
    "5.1": Exercise(_fault_of_parameters, lstm_parameters),
    "5.2": Exercise(_fault_of_lstm_step, lstm_step),
    "5.3": Exercise(_fault_of_least_absolute, least_absolute_error),
    "6.1": Exercise(_fault_of_convergence, convergence),
    "6.2": Exercise(_fault_of_step, griffin_lim_step),
    "6.3": Exercise(_fault_of_advance, advance_per_frame),
}
