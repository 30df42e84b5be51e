"""What decides a drawing of an LSTM. Light: the command line reads it before TensorFlow."""

from dataclasses import dataclass

from lildata_utils.settings import PLACES, SEEDS, Range, Settings, setting


@dataclass(frozen=True)
class Drawing(Settings):
    """How an LSTM draws on from a first frame (notebook 05)."""

    start_s: float = setting(
        0.0, "second of the audio file", range=PLACES, metavar="S", option="at"
    )
    temperature: float = setting(
        1.0,
        "of a mixture: 0 draws the likeliest, 1 what was learned",
        range=Range(least=0, most=10),
        metavar="T",
    )
    seed: int = setting(0, "of what is drawn by lot", range=SEEDS, metavar="N")


@dataclass(frozen=True)
class Piece(Settings):
    """What a musician is asked for (notebook 08)."""

    genre: str | None = setting(None, "of the music (default: any)", metavar="G")
    seconds: float = setting(
        5.0, "of music from nothing, or in all", range=Range(least=0.5, most=3600), metavar="S"
    )
    keep_s: float = setting(
        1.0,
        "of the file to start from that is kept",
        range=Range(above=0, most=60),
        metavar="S",
        option="keep",
    )


@dataclass(frozen=True)
class Sampling(Settings):
    """How a composer draws its codes (notebook 08)."""

    temperature: float = setting(
        1.0,
        "0 writes the likeliest, 1 what was learned",
        range=Range(least=0, most=10),
        metavar="T",
    )
    top_k: int = setting(
        0, "only so many of the likeliest; 0 for all", range=Range(least=0, most=1_000_000)
    )
    top_p: float = setting(
        0.95,
        "only the likeliest that have this share together",
        range=Range(above=0, most=1),
        metavar="P",
    )
    guidance: float = setting(
        1.5,
        "how far the genre is exaggerated; 1 for not",
        range=Range(least=0, most=100),
        metavar="W",
    )
    seed: int = setting(0, "of what is drawn by lot", range=SEEDS, metavar="N")
