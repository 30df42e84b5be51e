from itertools import pairwise

import numpy as np
import pytest

from lildata_utils.course import exercises
from lildata_utils.course.tasks.notebook_05 import lstm_step
from lildata_utils.sound import spectrogram

EXERCISES = {
    number: exercise
    for notebook in range(1, 8)
    for number, exercise in exercises.exercises_of(notebook).items()
}


HUNDRED = np.arange(100)


def tenths(sure):
    return np.minimum((10 * sure).astype(int), 9)


def by_edges(sure, right, edges):
    """The calibration error with bins that hold their upper edge, as netcal and others have it."""
    error = 0.0
    for low, high in pairwise(edges):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    return error


@pytest.mark.parametrize("number", EXERCISES)
def test_solutions_pass_their_own_checks(number):
    assert EXERCISES[number].find_fault(EXERCISES[number].solution) == ""


@pytest.mark.parametrize("number", EXERCISES)
def test_an_empty_cell_gives_a_word_and_no_error(number, capsys):
    exercises.check(number, None if number == "1.3" else lambda *_: ...)
    assert capsys.readouterr().out == f"{number} [  ] {exercises.UNANSWERED}\n"


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("1.1", lambda n, hop: n / hop, "one more post"),
        ("1.1", lambda n, hop: 632, "have 631"),
        ("1.2", lambda m: 10 * np.log10(np.maximum(m / m.max(), 1e-8)), "power"),
        ("1.2", lambda m: 20 * np.log10(np.maximum(m, 1e-4)), "divide by the maximum"),
        ("1.2", lambda m: 20 * np.log10(m / m.max()), "-80"),
        ("1.3", {"kick": "x.x."}, "16 or 32 steps"),
        ("1.3", {"kick": "x...x...x......."}, "every beat"),
        ("1.3", {"kick": "x...x...x...x..."}, "claps"),
        ("1.3", {"kick": "x..." * 4, "clap": "....x...", "hat": "x" * 16}, "16 or 32"),
        ("1.3", {"kick": "x..." * 4, "clap": "....x......." + "x..."}, "hats between"),
        ("1.4", lambda clips: ["a", "b"], "only train and test"),
        ("1.4", lambda clips: [], "only a is in both"),
        ("2.1", lambda s: np.exp(s), "sum to 1"),
        ("2.1", lambda s: s / s.sum(axis=1, keepdims=True), "0.25 and 0.75"),
        ("2.1", lambda s: np.exp(s) / np.exp(s).sum(axis=1, keepdims=True), "overflows"),
        ("2.2", lambda p: 0, "both clips favour"),
        ("2.2", lambda p: np.bincount(p.argmax(axis=1)).argmax(), "hardly know"),
        ("2.2", lambda p: np.log(p).mean(axis=0).argmax(), "overruled"),
        ("2.3", lambda c: np.diag(c) / c.sum(axis=0), "precision"),
        ("2.3", lambda c: 1 / 0, "raised ZeroDivisionError"),
        ("3.1", lambda k: k.sum(axis=2), "keepdims"),
        ("3.1", lambda k: k[:, :, :1] / 3 + k[:, :, 1:2] / 3 + k[:, :, 2:] / 3, "a third"),
        ("3.1", lambda k: k.sum(axis=3, keepdims=True), "shape (7, 7, 1, 4)"),
        ("3.1", lambda k: k[:, :, :1], "outside the brackets"),
        ("3.2", lambda momentum, share: 100, "37 %"),
        ("3.2", lambda momentum, share: int(np.log(share) / np.log(momentum)), "round up"),
        ("3.2", lambda momentum, share: 459, "with 0.5"),
        ("3.2", lambda momentum, share: 1, "what is left"),
        ("3.2", lambda momentum, share: 300, "0.99 ** 300 is 4.90%"),
        ("3.3", lambda f, s: np.maximum(f @ s.mean(axis=(0, 1)), 0), "do not average"),
        ("3.3", lambda f, s: (f * s).sum(axis=-1) / 18, "no evidence for it"),
        ("3.3", lambda f, s: np.maximum((f * s).sum(axis=-1), 0), "the peak is 1"),
        ("3.3", lambda f, s: np.maximum(f * s, 0), "sum the channels"),
        ("3.3", lambda f, s: np.zeros((3, 3)), "only the upper left"),
        ("4.1", lambda f: f.reshape(-1, 2) @ f.reshape(-1, 2).T, "compared places"),
        ("4.1", lambda f: np.einsum("ijk,ijl->kl", f, f) / 12, "no mean"),
        ("4.2", lambda content, picture: content - picture, "the way down"),
        ("4.2", lambda content, picture: 2 * (picture - content), "takes the 2 away"),
        ("4.3", lambda f: np.einsum("ijk,ijl->kl", f, f), "no clock"),
        ("4.3", lambda f: f[0, :, 0], "3 x 3 matrix"),
        ("4.3", lambda f: np.full((3, 3), np.nan), "finite"),
        ("4.3", lambda f: np.outer(f[0, 0], f[0, 50]), "sum over all frames"),
        ("5.1", lambda n, u, b: 4 * u * (b + u) + 4 * u * 2 * u * (n - 1) + b * u, "a bias, too"),
        ("5.1", lambda n, u, b: n * 4 * u * (b + u + 1) + b * (u + 1), "the layer below"),
        ("5.1", lambda n, u, b: 7, "have 212 numbers, not 7"),
        ("5.1", lambda n, u, b: 212, "have 208981"),
        ("5.2", lambda g, c: lstm_step(g, c)[::-1], "first what the cells show"),
        ("5.2", lambda g, c: (c, lstm_step(g, c)[1]), "how much of tanh(cell)"),
        ("5.2", lambda g, c: lstm_step(g, c)[0], "return two arrays"),
        ("5.3", lambda v: v.mean(), "for squared errors"),
        ("5.3", lambda v: 1.0, "has a mean absolute error of 0.6"),
        ("5.3", lambda v: v[0] * (len(set(v)) == 2), "five different ones"),
        ("6.1", lambda got, wanted: 10 * np.log10(0.1), "ratio of magnitudes"),
        ("6.1", lambda got, wanted: np.linalg.norm(got - wanted) / np.linalg.norm(wanted), "in dB"),
        ("6.2", lambda sound, magnitude: sound, "as it was"),
        ("6.2", lambda sound, magnitude: spectrogram.istft(magnitude), "dropped the phases"),
        ("6.1", lambda g, w: 20 * np.log10(np.linalg.norm(g - w) / np.linalg.norm(g)), "wanted"),
        ("6.2", lambda x, m: spectrogram.istft(m * spectrogram.stft(x)), "phases alone"),
        ("6.3", lambda frequency_hz: 360 * frequency_hz / 126, "degrees"),
        ("6.3", lambda frequency_hz: frequency_hz / 126, "2 pi radians"),
        ("6.3", lambda frequency_hz: 2 * np.pi * frequency_hz, "in a second"),
        ("7.1", lambda f: np.stack([f.mean(axis=0), f.max(axis=0)]), "in one row"),
        ("7.1", lambda f: np.concatenate([f.mean(axis=1), f.max(axis=1)]), "axis=0"),
        ("7.1", lambda f: f.mean(axis=0), "2 means and 2 maxima are 4"),
        ("7.1", lambda f: np.concatenate([f.mean(axis=0), f[0]]), "rolled by a frame"),
        ("7.1", lambda f: np.concatenate([f.max(axis=0), f.mean(axis=0)]), "means come first"),
        ("7.1", lambda f: np.concatenate([f.mean(axis=0), np.abs(f).max(axis=0)]), "negative"),
        ("7.1", lambda f: np.concatenate([f.sum(axis=0), f.max(axis=0)]), "mean 1, maximum 3"),
        ("7.2", lambda low, high, b: np.arange(4, 6) * b, "the numbers of the bins"),
        ("7.2", lambda low, high, b: np.arange(low // b, high // b + 1), "below the band's"),
        ("7.2", lambda low, high, b: np.arange(low // b + 1, high // b + 2), "above the band's"),
        ("7.2", lambda low, high, b: [round((low + high) / 2 / b)], "are bins 4 and 5"),
        ("7.2", lambda low, high, b: np.arange(-(-low // b), high // b + 1), "from 35 to 70 Hz"),
        ("7.2", lambda low, high, b: [4, 5] if low == 60 else [3], "no bin at all"),
        ("7.3", lambda sure, right: np.abs(sure - right), "sum over the tenths"),
        ("7.3", lambda sure, right: abs(sure.mean() - right.mean()), "cancel out"),
        ("7.3", lambda sure, right: np.abs(sure - right).mean(), "no single answer"),
        ("7.3", lambda sure, right: (0.45 + 0.2) / 2, "2 and 8 of 10"),
        ("7.3", lambda sure, right: 2 * 0.45 + 8 * 0.2, "divide by 10"),
        ("7.3", lambda sure, right: np.nan, "a tenth without answers"),
        ("7.3", lambda sure, right: 0.65, "that is 0.25, not 0.65"),
        ("7.3", lambda s, r: 0.25 * (len(s) == 10), "must count in the last tenth"),
    ],
)
def test_wrong_answers_get_a_hint_that_fits(number, answer, hint, capsys):
    with np.errstate(all="ignore"):
        exercises.check(number, answer)
    printed = capsys.readouterr().out
    assert "[ok]" not in printed
    assert hint in printed


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("7.1", lambda f: np.r_[f.mean(0), f.max(0)]),
        ("7.1", lambda f: np.hstack([f.sum(axis=0) / len(f), np.sort(f, axis=0)[-1]])),
        ("7.1", lambda f: [*(sum(c) / len(c) for c in f.T), *map(max, f.T)]),
        ("7.2", lambda low, high, b: [n for n in range(631) if low < n * b < high]),
        ("7.2", lambda low, high, b: np.arange(int(low // b) + 1, int(np.ceil(high / b)))),
        (
            "7.2",
            lambda low, high, b: np.flatnonzero(np.abs(2 * b * HUNDRED - low - high) < high - low),
        ),
        ("7.3", lambda s, r: by_edges(s, r, np.linspace(0, 1, 11))),
        ("7.3", lambda s, r: sum(abs(np.sum((r - s)[tenths(s) == n])) for n in range(10)) / len(s)),
        ("7.3", lambda s, r: np.abs(np.bincount(tenths(s), s - r)).sum() / len(s)),
    ],
)
def test_right_answers_pass_in_other_words(number, answer):
    assert EXERCISES[number].find_fault(answer) == ""


@pytest.mark.parametrize("lag", [1, 40, 58, 63, 126])
def test_any_clock_is_a_clock(lag):
    def style(features):
        return np.einsum("bfk,bfl->kl", features[:, :-lag], features[:, lag:]) / 1000

    assert EXERCISES["4.3"].find_fault(style) == ""


def test_solutions_appear_by_one_switch(capsys):
    exercises.show_solutions(2, show=False)
    hidden = capsys.readouterr().out
    exercises.show_solutions(2, show=True)
    shown = capsys.readouterr().out
    assert "def softmax" not in hidden
    assert "def softmax" in shown
    assert "def count_frames" not in shown


def test_beating_the_network(capsys):
    truth, network = ["house", "lofi", "noise"], ["house", "lofi", "lofi"]
    exercises.beat_the_network(["", "", ""], truth, network)
    assert "2 of 3" in capsys.readouterr().out
    exercises.beat_the_network(["house", "noise", "noise"], truth, network)
    assert "You have 2 of 3" in (printed := capsys.readouterr().out)
    assert "clip 2: it is not noise" in printed
    exercises.beat_the_network(["polka", "", ""], truth, network)
    assert "not polka" in capsys.readouterr().out


def test_a_file_of_ones_own_that_is_missing_is_a_line(capsys):
    exercises.hear_my_file("", run=None)
    assert exercises.UNANSWERED in capsys.readouterr().out
    exercises.hear_my_file("no such song.mp3", run=None)
    assert "no such song.mp3" in capsys.readouterr().out
