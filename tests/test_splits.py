import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lildata_utils.clips.settings import SPLITS
from lildata_utils.clips.splits import GAP, split_clips


def table(tracks, clips, genre="house", artists=None):
    rows = [
        {
            "genre": genre,
            "artist": artists[track] if artists else "",
            "track": f"track {track}",
            "start_s": 5.0 * clip,
        }
        for track in range(tracks)
        for clip in range(clips)
    ]
    return pd.DataFrame(rows)


def sides(clips, splits, column):
    """For each value of a column, the splits its clips went to."""
    return splits.groupby(clips[column]).agg(set)


@settings(max_examples=50, deadline=None)
@given(
    tracks=st.integers(3, 30),
    clips=st.integers(1, 20),
    seed=st.integers(0, 1000),
    fractions=st.sampled_from([(0.7, 0.15, 0.15), (0.6, 0.2, 0.2), (0.82, 0.1, 0.08)]),
)
def test_tracks_never_leak_and_every_split_gets_some(tracks, clips, seed, fractions):
    rows = table(tracks, clips)
    splits, notes = split_clips(rows, "track", seed, fractions)
    assert set(splits) == set(SPLITS)
    assert all(len(side) == 1 for side in sides(rows, splits, "track"))
    assert notes == []
    # Within one track of what was asked for, beyond the first track each split gets.
    for split, fraction in zip(SPLITS, fractions, strict=True):
        wanted = max(1, fraction * tracks) * clips
        assert abs((splits == split).sum() - wanted) <= 2 * clips


def test_artists_never_leak():
    rows = table(12, 5, artists=[f"artist {track // 2}" for track in range(12)])
    splits, _ = split_clips(rows, "track")
    assert all(len(side) == 1 for side in sides(rows, splits, "artist"))
    assert set(splits) == set(SPLITS)


def test_by_clip_deals_clips_of_a_track_to_several_splits():
    rows = table(5, 40)
    splits, _ = split_clips(rows, "clip", fractions=(0.6, 0.2, 0.2))
    assert splits.value_counts().to_dict() == {"train": 120, "validation": 40, "test": 40}
    assert any(len(side) == 3 for side in sides(rows, splits, "track"))


def test_another_seed_deals_other_tracks_and_the_same_seed_the_same():
    rows = table(20, 4)
    first, _ = split_clips(rows, seed=0)
    assert first.equals(split_clips(rows, seed=0)[0])
    assert not first.equals(split_clips(rows, seed=1)[0])


def test_the_order_of_rows_and_other_genres_do_not_matter():
    rows = pd.concat([table(9, 3), table(7, 3, genre="lofi")], ignore_index=True)
    splits, _ = split_clips(rows)
    shuffled = rows.sample(frac=1, random_state=0)
    assert split_clips(shuffled)[0].sort_index().equals(splits)
    alone, _ = split_clips(rows[rows["genre"] == "lofi"])
    assert alone.equals(splits[rows["genre"] == "lofi"])


@pytest.mark.parametrize("tracks", [1, 2])
def test_few_tracks_are_cut_into_blocks_of_time_with_gaps(tracks):
    rows = table(tracks, 100)
    splits, notes = split_clips(rows, "track")
    assert set(splits) == {*SPLITS, GAP}
    assert len(notes) == 1
    assert "blocks of time" in notes[0]
    for _, of_track in splits.groupby(rows["track"]):
        runs = of_track[of_track != of_track.shift()].tolist()
        # Three blocks, and a gap wherever one ends and the next begins.
        assert len(runs) == 5
        assert runs[1] == runs[3] == GAP
        assert set(runs) == {*SPLITS, GAP}
        assert (of_track == GAP).sum() == 2 * 5


def test_too_few_clips_all_train_and_a_note_says_so():
    splits, notes = split_clips(table(1, 3), "track")
    assert set(splits) == {"train"}
    assert "too few" in notes[0]
