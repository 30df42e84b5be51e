"""Intervals over tracks, against closed forms."""

import numpy as np
import pytest
from scipy.stats import binom

from lildata_utils.genre.intervals import bootstrap_interval


def test_one_clip_a_track_gives_the_binomial_interval():
    n, share = 200, 0.7
    right = np.arange(n) < n * share
    low, high = bootstrap_interval(right, np.arange(n))
    # Drawing single clips with replacement is drawing from a binomial distribution.
    assert low == pytest.approx(binom.ppf(0.025, n, share) / n, abs=0.006)
    assert high == pytest.approx(binom.ppf(0.975, n, share) / n, abs=0.006)


def test_identical_clips_of_a_track_add_no_certainty():
    rng = np.random.default_rng(1)
    track_right = rng.random(40) < 0.6
    tracks = np.repeat(np.arange(40), 25)
    of_clips = bootstrap_interval(track_right[tracks], tracks)
    of_tracks = bootstrap_interval(track_right, np.arange(40))
    assert of_clips == pytest.approx(of_tracks)
    naive = bootstrap_interval(track_right[tracks], np.arange(1000))
    assert (of_clips[1] - of_clips[0]) / (naive[1] - naive[0]) == pytest.approx(5, rel=0.15)


def test_interval_is_seeded_and_needs_two_tracks():
    right, tracks = np.arange(30) % 3 > 0, np.arange(30) // 2
    first = bootstrap_interval(right, tracks, seed=3)
    assert first == bootstrap_interval(right, tracks, seed=3)
    assert bootstrap_interval(right, np.zeros(30, int)) is None
