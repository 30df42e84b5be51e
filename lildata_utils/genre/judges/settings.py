"""How the judges learn."""

from dataclasses import dataclass

from lildata_utils.settings import SEEDS, Range, Settings, setting


@dataclass(frozen=True)
class Learning(Settings):
    """How three judges learn from music (notebook 07)."""

    epochs: int = setting(6, "of the network", range=Range(least=1, most=10_000), metavar="N")
    clips: int | None = setting(
        None, "at most, a track (default: all)", range=Range(least=1, most=100_000), metavar="N"
    )
    seed: int = setting(0, "of all randomness", range=SEEDS, metavar="N")


@dataclass(frozen=True)
class Growth:
    """How boosted trees grow (notebook 07)."""

    rounds: int = 80
    leaves: int = 15
    rate: float = 0.15
    share: float = 0.2  # Of the features, drawn for every split
    ridge: float = 1.0


# Chosen on other artists of the seed that the shipped judges learned from.
STATISTICS = Growth()
RHYTHM = Growth(share=0.1)
