"""Which clips train, which choose, which judge: splits that don't leak, and the paper's that does.

Two clips of one track share its instruments, its key and its mastering. If one of them trains and
the other tests, a network that has only memorised the track looks as if it knew the genre. So the
splits go by track, or by artist where artists are known.
"""

import hashlib

import numpy as np
import pandas as pd

from lildata_utils.clips.settings import FRACTIONS, SPLITS, TEST, TRAIN, VALIDATION

# Between two blocks of one mix; these clips belong to no split.
GAP = "gap"
GAP_SHARE = 0.05
GAP_MOST_CLIPS = 36  # three minutes: about as long as a track in a mix


def split_clips(
    clips: pd.DataFrame,
    rule: str = "track",
    seed: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> tuple[pd.Series, list[str]]:
    """Deal clips to train, validation and test, genre by genre (notebook 01).

    Parameters
    ----------
    clips : DataFrame
        With the columns genre, artist (empty where unknown), track and start_s.
    rule : {"track", "clip"}
        "track" keeps an artist (a track, where the artist is unknown) on one side; a genre with
        fewer than three of them is cut into blocks of time with a gap between. "clip" deals single
        clips, as the paper did.
    seed : int
        Another seed deals other tracks.
    fractions : tuple of float
        Shares of train, validation and test by clips; they sum to 1.

    Returns
    -------
    splits : Series of str
        "train", "validation", "test", or "gap" for clips that no split may use.
    notes : list of str
        A line for each genre that could not be split as asked.
    """
    splits = pd.Series(TRAIN, index=clips.index, dtype=object)
    notes = []
    for genre, of_genre in clips.groupby("genre", sort=False):
        groups = of_genre["artist"].where(of_genre["artist"] != "", of_genre["track"])
        if rule == "clip":
            groups = of_genre["track"] + "@" + of_genre["start_s"].astype(str)
        if groups.nunique() >= len(SPLITS):
            splits[of_genre.index] = _deal(groups, f"{seed}/{genre}", fractions)
            continue
        tracks = of_genre.groupby("track", sort=False)
        splits[of_genre.index] = pd.concat(
            [
                _blocks(track["start_s"], f"{seed}/{genre}/{name}", fractions)
                for name, track in tracks
            ]
        )
        if set(splits[of_genre.index]) >= set(SPLITS):
            how = "it is split into blocks of time with gaps between"
        else:
            how = "too few clips to split, so all of them train"
        notes.append(f"genre {genre}: {groups.nunique()} track(s), {len(of_genre)} clips: {how}")
    return splits, notes


def fold_clips(clips: pd.DataFrame, fold: int, folds: int, seed: int = 0) -> pd.Series:
    """Deal tracks to train and test, so that over all folds each is tested once (notebook 07).

    Parameters
    ----------
    clips : DataFrame
        With the columns genre, artist (empty where unknown) and track.
    fold, folds : int
        Which of how many, from 0.
    seed : int
        Another seed deals other tracks.

    Returns
    -------
    Series of str
        "train" or "test".
    """
    groups = clips["genre"] + "/" + clips["artist"].where(clips["artist"] != "", clips["track"])
    names = list(dict.fromkeys(groups.sort_values()))
    # Shuffled within each genre, then dealt in turn through all of them: folds are of like size.
    dealt = [
        name
        for genre in sorted(set(clips["genre"]))
        for name in _order([n for n in names if n.startswith(f"{genre}/")], f"{seed}/{genre}")
    ]
    tested = set(dealt[fold::folds])
    return groups.isin(tested).map({True: TEST, False: TRAIN})


def _order(names: list[str], seed: str) -> list[str]:
    """Shuffle by a hash of each name: a track added later does not move the others."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())


def _deal(groups: pd.Series, seed: str, fractions: tuple[float, float, float]) -> pd.Series:
    """Deal whole groups, each to the split that lacks most of its share."""
    sizes = groups.value_counts()
    target = np.array(fractions) * len(groups)
    filled = np.zeros(len(SPLITS))
    dealt = {}
    for name in _order(list(sizes.index), seed):
        # At first all lack everything, and each split gets one group.
        lacking = int(np.argmax((target - filled) / target))
        dealt[name] = SPLITS[lacking]
        filled[lacking] += sizes[name]
    return groups.map(dealt)


def _blocks(starts: pd.Series, seed: str, fractions: tuple[float, float, float]) -> pd.Series:
    """Cut one track or mix into three blocks of time, in an order that depends on the seed."""
    ordered = starts.sort_values().index
    gap = min(GAP_MOST_CLIPS, max(1, round(GAP_SHARE * len(ordered))))
    used = len(ordered) - 2 * gap
    sizes = dict(zip(SPLITS, np.round(np.array(fractions) * used).astype(int), strict=True))
    sizes[TRAIN] = used - sizes[VALIDATION] - sizes[TEST]
    if min(sizes.values()) < 1:
        return pd.Series(TRAIN, index=ordered, dtype=object)
    first, second, third = _order(list(SPLITS), seed)
    dealt = [first] * sizes[first] + [GAP] * gap + [second] * sizes[second] + [GAP] * gap
    return pd.Series(dealt + [third] * sizes[third], index=ordered, dtype=object)
