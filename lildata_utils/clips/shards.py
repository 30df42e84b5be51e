"""One music file becomes one shard: its clips as images, and a record of what they are.

A shard is written beside its place and renamed, and its record comes after it. So the record says
that the shard is whole, any number of processes can write shards side by side, and a run that finds
a fitting record does not read the file again.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.clips.sources import Source
from lildata_utils.errors import LilDataError
from lildata_utils.files import file_size, read_as, write_json, written_beside
from lildata_utils.sound.audio import AudioError, info, read_blocks
from lildata_utils.sound.clip import SILENCE
from lildata_utils.sound.spectrogram import (
    CLIP_S,
    N_BINS,
    N_FRAMES,
    SAMPLE_RATE,
    Floats,
    Image,
    cut_clips,
    to_image,
)

VERSION = 1
# numpy writes a header of this length for (n, 631, 631) uint8.
HEADER_BYTES = 128
IMAGE_BYTES = N_BINS * N_FRAMES


@dataclass
class Record:
    """What became of a file: kept beside its shard, read when a run is resumed (notebook 01)."""

    # Size and time of the file, and what else decides the content of the shard.
    fingerprint: dict[str, Any]
    # Start and level of each clip in the shard, in order.
    starts_s: list[float] = field(default_factory=list)
    peaks_db: list[float] = field(default_factory=list)
    # Start (None for the file as a whole) and reason of what was left out.
    skipped: list[tuple[float | None, str]] = field(default_factory=list)


def expected_clips(source: Source) -> int:
    """Estimate a file's clips from its header; 0 if it can't be read (notebook 01)."""
    try:
        clips = int(info(source.path).duration_s / CLIP_S)
    except AudioError:
        return 0
    return clips if source.limit is None else min(clips, source.limit)


def _fingerprint(source: Source) -> dict[str, Any]:
    try:
        time_ns = source.path.stat().st_mtime_ns
    except OSError:
        time_ns = 0
    return {
        "version": VERSION,
        "size": file_size(source.path),
        "time_ns": time_ns,
        "limit": source.limit,
    }


def _record_path(source: Source, out: Path) -> Path:
    shard = out / source.shard
    return shard.with_name(shard.name.removesuffix(".npy") + ".json")


def finished_record(source: Source, out: Path) -> Record | None:
    """Read the record of a file that an earlier run finished, if it fits (notebook 01)."""
    try:
        record = read_as(_record_path(source, out), Record)
    except LilDataError:
        return None
    whole = HEADER_BYTES + len(record.starts_s) * IMAGE_BYTES
    fits = record.fingerprint == _fingerprint(source) and file_size(out / source.shard) == whole
    return record if fits and len(record.starts_s) == len(record.peaks_db) else None


def lost_record(job: tuple[Source, Path], reason: str) -> Record:
    """Note that a file killed whatever process read it (notebook 01)."""
    return Record(_fingerprint(job[0]), skipped=[(None, reason)])


def make_shard(job: tuple[Source, Path]) -> Record:
    """Read one file; write its shard into a data set's folder, then its record (notebook 01).

    A file that gives no clip leaves nothing on disk.
    """
    source, out = job
    record = Record(_fingerprint(source))
    try:
        duration_s = info(source.path).duration_s
    except AudioError as error:
        record.skipped.append((None, error.reason))
        return record
    clips = _write_shard(out / source.shard, _draw_clips(source, duration_s, record))
    if clips:
        write_json(_record_path(source, out), asdict(record))
    return record


def _draw_clips(source: Source, duration_s: float, record: Record) -> Iterator[Image]:
    """Draw the clips of a file, block by block, and note in `record` what they are.

    What could be read before an error is used: the first hours of a damaged mix are good music.
    """
    wanted = _spread(int(duration_s / CLIP_S), source.limit)
    samples, position = 0, 0

    def damaged(words: str) -> None:
        record.skipped.append((None, words))

    def counted_blocks() -> Iterator[Floats]:
        nonlocal samples
        for block in read_blocks(source.path, tell=damaged):
            samples += len(block)
            yield block

    try:
        for clips in cut_clips(counted_blocks()):
            kept = []
            for clip in clips:
                start_s = position * CLIP_S
                if wanted is not None and position not in wanted:
                    pass
                elif np.abs(clip).max() < SILENCE:
                    record.skipped.append((start_s, "silent"))
                else:
                    kept.append(clip)
                    record.starts_s.append(start_s)
                position += 1
            if kept:
                images, peaks = to_image(np.stack(kept))
                record.peaks_db += [round(20 * float(np.log10(peak)), 3) for peak in peaks]
                yield images
    except AudioError as error:
        record.skipped.append((None, error.reason))
        return
    if position == 0:
        length_s = samples / SAMPLE_RATE
        record.skipped.append((None, f"too short: {length_s:.1f} s, a clip needs {CLIP_S:.0f} s"))


def _spread(clips: int, limit: int | None) -> set[int] | None:
    """Choose `limit` of a file's clips, evenly spaced; None stands for all."""
    if limit is None or clips <= limit:
        return None
    return {int((n + 0.5) * clips / limit) for n in range(limit)}


def _write_shard(path: Path, stacks: Iterator[Image]) -> int:
    """Write images as one .npy file without holding them all; no images leave no file."""
    clips = 0
    with written_beside(path) as beside, beside.open("wb") as file:
        file.write(_npy_header(0))
        for images in stacks:
            file.write(images.data)
            clips += len(images)
        file.seek(0)
        file.write(_npy_header(clips))
    if clips == 0:
        path.unlink()
    return clips


def _npy_header(clips: int) -> bytes:
    """Make the header of a .npy file; numpy pads it so that its length does not depend on n."""
    buffer = BytesIO()
    shape = (clips, N_BINS, N_FRAMES)
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    header = buffer.getvalue()
    assert len(header) == HEADER_BYTES
    return header
