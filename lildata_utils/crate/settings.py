"""What a collection of the crate can be."""

from dataclasses import dataclass

from lildata_utils.errors import LilDataError
from lildata_utils.genres import GENRES
from lildata_utils.settings import SEEDS, Range, Settings, setting
from lildata_utils.sound.settings import MIME_TYPES

# A track is rendered in memory, some 1.5 MB a second.
SHORTEST_TRACK_S, LONGEST_TRACK_S = 2.0, 1800.0


@dataclass(frozen=True)
class Collection(Settings):
    """What music is rendered (notebook 01).

    Raises
    ------
    LilDataError
        If a value is out of range.
    """

    # Tracks a genre. Track `k` is the same in every collection of the same seed.
    tracks: int = setting(16, "a genre", range=Range(least=1, most=100_000), metavar="N")
    # Length of each track; None lets each have its own, 60 to 240 s.
    duration_s: float | None = setting(
        None,
        "of each track (default: its own)",
        range=Range(least=SHORTEST_TRACK_S, most=LONGEST_TRACK_S),
        metavar="S",
        option="seconds",
    )
    # Some of `GENRES`, each once.
    genres: tuple[str, ...] = setting(GENRES, "only these", choices=GENRES, metavar="A,B")
    seed: int = setting(0, "of all randomness", range=SEEDS, metavar="N")
    # Of the files; mono, 22 050 Hz, 16 bits.
    format: str = setting("flac", "of the files", choices=tuple(MIME_TYPES))
    # Chain the tracks of a genre to mixes of at most about an hour.
    mixes: bool = setting(False, "one long mix a genre, with a track list")
    # Beside each track the same song by an artist of every other genre, noise left out.
    covers: bool = setting(False, "each track also as a cover in every other genre, with a table")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.genres)) < len(self.genres):
            raise LilDataError(f"genres {', '.join(self.genres)!r}: expected each once")
        if self.mixes and self.covers:
            raise LilDataError("mixes of covers are not made: choose one of mixes and covers")
