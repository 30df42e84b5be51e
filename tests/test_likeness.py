"""How near made music comes to real music: by closed form, and by examples that are plain."""

import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.generation.likeness import (
    beat_s,
    holds_together,
    kernel_distance,
    nearest_likeness,
    spread,
)
from lildata_utils.genre.judges.features import BANDS, STEPS
from lildata_utils.sound.spectrogram import SAMPLE_RATE


def test_the_kernel_distance_is_the_sum_over_all_pairs_of_different_clips():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, (4, 2)), rng.normal(1, 1, (5, 2))

    def kernel(a, b):
        return np.exp(-((a - b) ** 2).sum() / (2 * 1.5**2))

    def pairs(rows):
        n = len(rows)
        terms = [kernel(rows[i], rows[j]) for i in range(n) for j in range(n) if i != j]
        return sum(terms) / (n * (n - 1))

    across = np.mean([kernel(a, b) for a in one for b in other])
    distance, low, high = kernel_distance(one, other, width=1.5)
    assert distance == pytest.approx(1000 * (pairs(one) + pairs(other) - 2 * across))
    assert low < distance < high
    with pytest.raises(LilDataError, match="three of each kind"):
        kernel_distance(one[:2], other)


def test_the_kernel_distance_of_the_same_is_about_nothing():
    rng = np.random.default_rng(1)
    found = [kernel_distance(rng.normal(size=(60, 3)), rng.normal(size=(60, 3))) for _ in range(40)]
    assert abs(np.mean([distance for distance, _, _ in found])) < 3
    assert np.mean([low <= 0 <= high for _, low, high in found]) > 0.85
    _, low, _ = kernel_distance(rng.normal(1, 1, (60, 3)), rng.normal(size=(60, 3)))
    assert low > 10


def test_spread_is_the_mean_distance():
    assert spread([[0.0, 0], [3, 4], [3, 4]]) == pytest.approx(10 / 3)


def test_a_copy_is_found_wherever_it_begins():
    rng = np.random.default_rng(2)
    learned = rng.normal(size=(6, STEPS, BANDS))
    late = np.zeros((STEPS, BANDS))
    late[20:] = learned[4, :-20]
    made = np.stack([learned[2], 3 * late, rng.normal(size=(STEPS, BANDS))])
    copy, moved, new = nearest_likeness(made, learned)
    assert copy == pytest.approx(1, abs=1e-4)
    assert moved > 0.85
    assert new < 0.2


def piece(beats, roots):
    """Clicks and a tone, each for its half of 20 s."""
    seconds = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    halves = []
    for beat, root in zip(beats, roots, strict=True):
        tone = 0.1 * np.sin(2 * np.pi * 261.63 * 2 ** (root / 12) * seconds)
        since = seconds % beat
        click = np.random.default_rng(0).normal(size=len(seconds)) * np.exp(-since / 0.01)
        halves.append(tone + 0.3 * click)
    return np.concatenate(halves)


def test_beat_and_key_are_compared_at_both_ends():
    steady = piece((0.5, 0.5), (0, 0))
    assert beat_s(steady[: 5 * SAMPLE_RATE]) == pytest.approx(0.5, abs=0.02)
    assert holds_together(steady) == (True, True)
    assert holds_together(piece((0.5, 0.37), (0, 0))) == (False, True)
    assert holds_together(piece((0.5, 0.5), (0, 3))) == (True, False)
