"""How sure a figure is: intervals over tracks, as clips of one track are alike (notebook 02)."""

import numpy as np

RESAMPLES = 10_000


def bootstrap_interval(
    right: np.ndarray, tracks: np.ndarray, seed: int = 0
) -> tuple[float, float] | None:
    """Estimate the 95 % interval of an accuracy by bootstrap over tracks (notebook 02).

    Whole tracks are drawn with replacement (the cluster bootstrap; Davison & Hinkley 1997,
    "Bootstrap Methods and their Application", section 3.8), `RESAMPLES` times; the interval runs
    from the 2.5th to the 97.5th percentile of the accuracies. Where all or no clips are right every
    draw is the same and the interval has no width: it can't tell 10 tracks from 1000 there.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Whether each clip was classified rightly.
    tracks : ndarray of int, shape (n,)
        The track of each clip, 0 to tracks - 1.
    seed : int
        Of the draws.

    Returns
    -------
    tuple of float or None
        Lower and upper end in [0, 1]; None with fewer than two tracks, which say nothing of the
        spread between tracks.
    """
    clips = np.bincount(tracks)
    if len(clips) < 2:
        return None
    right_clips = np.bincount(tracks, weights=right)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(clips), np.full(len(clips), 1 / len(clips)), size=RESAMPLES)
    accuracies = (draws @ right_clips) / (draws @ clips)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    return float(low), float(high)
