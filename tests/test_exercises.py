import numpy as np
import pytest

from lildata_utils.course import exercises
from lildata_utils.course.tasks.notebook_05 import lstm_step
from lildata_utils.sound import spectrogram

EXERCISES = {
    number: exercise
    for notebook in range(1, 7)
    for number, exercise in exercises.exercises_of(notebook).items()
}


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
    ],
)
def test_wrong_answers_get_a_hint_that_fits(number, answer, hint, capsys):
    with np.errstate(all="ignore"):
        exercises.check(number, answer)
    printed = capsys.readouterr().out
    assert "[ok]" not in printed
    assert hint in printed


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
