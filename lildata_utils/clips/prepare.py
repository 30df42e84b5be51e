"""From folders of music to a data set on disk that survives bad files and killed runs.

Shard after shard is made by any number of processes; the tables come last, so that a killed run is
completed by the same command. Notebook 01 goes through the steps by hand.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lildata_utils.clips.dataset import CLIPS, COLUMNS, DESCRIPTION, SKIPPED
from lildata_utils.clips.forecast import remarks
from lildata_utils.clips.settings import FRACTIONS, SPLITS
from lildata_utils.clips.shards import (
    IMAGE_BYTES,
    VERSION,
    Record,
    expected_clips,
    finished_record,
    lost_record,
    make_shard,
)
from lildata_utils.clips.sources import (
    MixTrack,
    Skipped,
    Source,
    check_apart,
    drop_duplicates,
    find_sources,
    read_mix_list,
    share_limit,
)
from lildata_utils.clips.splits import GAP, split_clips
from lildata_utils.errors import LilDataError
from lildata_utils.files import (
    file_size,
    partial_files,
    remove_leftovers,
    write_json,
    written_beside,
)
from lildata_utils.machine import check_room, usable_cores
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound import spectrogram
from lildata_utils.sound.spectrogram import CLIP_S

PROGRESS_S = 0.5
# What the descriptions of all data sets have in common.
FORMAT = {
    "version": VERSION,
    "sample_rate": spectrogram.SAMPLE_RATE,
    "clip_s": CLIP_S,
    "n_fft": spectrogram.N_FFT,
    "hop_length": spectrogram.HOP_LENGTH,
    "floor_db": spectrogram.FLOOR_DB,
}


@dataclass(frozen=True)
class Progress:
    """How far a preparation has come (notebook 01)."""

    # Clips written, and what the files' headers promise in all.
    clips: int
    clips_in_all: int
    # Files done, in all, and done by an earlier run.
    files: int
    files_in_all: int
    files_reused: int
    left_out: int  # Files and clips that were left out so far


def prepare(
    source: str | Path,
    out: str | Path,
    split: str = "track",
    workers: Workers | None = None,
    seed: int = 0,
    limit: int | None = None,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> Iterator[Progress]:
    """Cut all music below a folder into clips, draw them, split them (notebook 01).

    Parameters
    ----------
    source : str or Path
        Holds a folder per genre, with tracks or mixes in any audio format. It is only read.
    out : str or Path
        Becomes the data set. What a killed run left there is completed.
    split : {"track", "clip"}
        See `splits.split_clips`, also for `seed` and `fractions`. By "track", what a ``tracks.csv``
        says about splits is kept.
    workers : int or str, optional
        Processes, as many as there are cores by default; or see `parallel.map_unordered`.
    limit : int, optional
        At most this many clips a genre, spread evenly over its files.

    Yields
    ------
    Progress
        About twice a second; the last one after all is written.

    Raises
    ------
    LilDataError
        If `source` has no genre folders or holds `out`, or no file gives a clip.

    Examples
    --------
    >>> for progress in prepare("music", "data/mine"):  # doctest: +SKIP
    ...     print(progress.clips, "of", progress.clips_in_all)
    """
    source, out = Path(source), Path(out)
    check_apart(source, out)
    found, skipped = find_sources(source)
    work = _look_around(found, skipped, out, limit)
    # The longest first, so that no process works alone at the end.
    jobs = [(file, out) for file in sorted(work.expected, key=lambda file: -work.expected[file])]
    workers, told = workers or usable_cores(), -PROGRESS_S
    for finished in map_unordered(make_shard, jobs, workers, lost=lost_record, shared=out):
        if finished:
            (file, _), work.records[file] = finished
        # To look at all that grows takes long where there are many files.
        if finished is None or time.monotonic() > told + PROGRESS_S:
            told = time.monotonic()
            yield work.progress()
    # Again: workers of a run killed just before may have lived on for a moment after the first.
    remove_leftovers(out)

    _write_table(out / SKIPPED, work.left_out())
    clips = _clips_table(work.sources, work.records)
    if clips.empty:
        raise LilDataError(
            f"{source}: no clip of {CLIP_S:.0f} s in {len(found)} files; {out / SKIPPED} says why"
        )
    dealt = clips["split"] != GAP if split == "clip" else clips["split"] == ""
    clips.loc[dealt, "split"], notes = split_clips(clips[dealt], split, seed, fractions)
    _write_table(out / CLIPS, clips)
    genres = list(dict.fromkeys(clips["genre"]))
    heard = {file.genre: int((clips["genre"] == file.genre).sum()) for file in found}
    chosen = {
        "genres": genres,
        "split": split,
        "fractions": list(fractions),
        "seed": seed,
        "counts": _counts(clips, genres),
        "source": str(source),
        "notes": notes + remarks(source, heard),
    }
    write_json(out / DESCRIPTION, FORMAT | chosen)
    yield work.progress()


@dataclass
class _Work:
    """What is to be done, and what is done of it."""

    out: Path
    sources: list[Source]
    skipped: list[Skipped]
    records: dict[Source, Record]
    expected: dict[Source, int]
    foreign: set[Path]

    def progress(self) -> Progress:
        done = sum(len(record.starts_s) for record in self.records.values())
        own = set(partial_files(self.out)) - self.foreign
        growing = sum(file_size(path) // IMAGE_BYTES for path in own)
        left = sum(clips for file, clips in self.expected.items() if file not in self.records)
        left_out = sum(len(record.skipped) for record in self.records.values())
        return Progress(
            clips=done + growing,
            clips_in_all=done + max(left, growing),
            files=len(self.records),
            files_in_all=len(self.sources),
            files_reused=len(self.sources) - len(self.expected),
            left_out=left_out + len(self.skipped),
        )

    def left_out(self) -> pd.DataFrame:
        rows = self.skipped + [
            Skipped(file.file, *row) for file in self.sources for row in self.records[file].skipped
        ]
        return pd.DataFrame(rows, columns=["file", "start_s", "reason"])


def _look_around(
    found: list[Source], skipped: list[Skipped], out: Path, limit: int | None
) -> _Work:
    """Choose the files that are needed, and find what an earlier run made of them."""
    sources, duplicates = drop_duplicates(found)
    if limit is not None:
        sources = share_limit(sources, limit)
    remove_leftovers(out)
    records = {file: record for file in sources if (record := finished_record(file, out))}
    expected = {file: expected_clips(file) for file in sources if file not in records}
    coming = sum(expected.values())
    check_room(out, coming * IMAGE_BYTES, f"a data set with {coming} more clips")
    return _Work(out, sources, skipped + duplicates, records, expected, set(partial_files(out)))


def _clips_table(sources: list[Source], records: dict[Source, Record]) -> pd.DataFrame:
    """Lay out a row a clip; clips that no single track of a mix's list covers go to the gap."""
    tables = []
    for source in sources:
        record = records[source]
        table = pd.DataFrame({"start_s": record.starts_s, "peak_db": record.peaks_db})
        table["id"] = [f"{source.genre}/{source.track}@{start:g}s" for start in record.starts_s]
        table["genre"], table["artist"], table["track"] = source.genre, source.artist, source.track
        table["split"], table["shard"], table["index"] = source.split, source.shard, table.index
        mix = read_mix_list(source.path)
        if mix and len(table):
            table[["artist", "track", "split"]] = [
                _playing(start, mix, source) for start in record.starts_s
            ]
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _playing(start_s: float, mix: list[MixTrack], source: Source) -> tuple[str, str, str]:
    """Tell artist, track and split (for crossfades "gap") of a clip of a mix."""
    heard = [track for track in mix if track.start_s < start_s + CLIP_S and track.end_s > start_s]
    if len(heard) != 1:
        return "", source.track, GAP
    return heard[0].artist, f"{source.track}/{heard[0].title}", source.split


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with written_beside(path) as beside:
        table.to_csv(beside, index=False, errors="backslashreplace")


def _counts(clips: pd.DataFrame, genres: list[str]) -> dict[str, dict[str, int]]:
    counts = clips.groupby(["genre", "split"]).size()
    return {
        genre: {name: int(counts.get((genre, name), 0)) for name in (*SPLITS, GAP)}
        for genre in genres
    }
