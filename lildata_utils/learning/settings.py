"""What can be chosen about a training. Light: the command line reads it before TensorFlow."""

from dataclasses import dataclass

from lildata_utils.crate.settings import Collection
from lildata_utils.genres import GENRES
from lildata_utils.settings import SEEDS, Range, Settings, setting

# Of a musician's music: long enough for sequences of 24 s from many places.
TRACK_S = 40.0


@dataclass(frozen=True)
class Training(Settings):
    """How a network is trained, whichever it is (notebook 02)."""

    epochs: int | None = setting(
        None,
        "in all, with those done already (default: the recipe's)",
        range=Range(least=1, most=1_000_000),
        metavar="N",
    )
    batch_size: int = setting(32, "clips in a step", range=Range(least=1, most=65_536), metavar="N")
    learning_rate: float | None = setting(
        None,
        "of the optimizer (default: the recipe's)",
        range=Range(above=0, most=100),
        metavar="R",
    )
    seed: int = setting(0, "of the first weights, the order of clips and the dropout", range=SEEDS)


@dataclass(frozen=True)
class Apprenticeship(Settings):
    """What a musician learns from, and how long (notebook 08)."""

    tracks: int = setting(192, "of 40 s, a genre", range=Range(least=1, most=100_000), metavar="N")
    genres: tuple[str, ...] = setting(GENRES, "only these", choices=GENRES, metavar="A,B")
    # Nobody else's: judges, listener and tests have others.
    music_seed: int = setting(500, "of the crate's music", range=SEEDS, metavar="N")
    codec_steps: int = setting(
        16_000, "of the codec, 8 clips each", range=Range(least=1, most=10_000_000), metavar="N"
    )
    composer_steps: int = setting(
        4000,
        "of the composer, 8 sequences each",
        range=Range(least=1, most=10_000_000),
        metavar="N",
    )
    seed: int = setting(0, "of first weights and of what is learned when", range=SEEDS, metavar="N")

    @property
    def collection(self) -> Collection:
        """The music, as the crate is asked for it."""
        return Collection(
            tracks=self.tracks, duration_s=TRACK_S, genres=self.genres, seed=self.music_seed
        )
